import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { OtlpPost } from '../../src/control/tracing/otlp-post.ts';
import { MAX_WAITING_SPANS, SpanExporter } from '../../src/control/tracing/span-exporter.ts';
import { eventually } from '../relay/gateway-in-test.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { Collector } from './collector.ts';

const BEFORE =
  '{"resourceSpans":[{"resource":{"attributes":[]},"scopeSpans":[{"scope":{"name":"test"},"spans":[';
const AFTER = ']}]}]}';
const span = (index: number): string => JSON.stringify({ name: String(index), attributes: [] });

function exporter(t: TestContext, url: string, timeoutMs = 5_000) {
  const clock = new ManualClock();
  const said: string[] = [];
  const one = new SpanExporter({
    post: new OtlpPost(url, {}, timeoutMs),
    clock,
    random: () => 0.5,
    log: (level, message) => void said.push(`${level}: ${message}`),
    place: 'http://collector',
    envelope: { before: BEFORE, after: AFTER },
  });
  t.after(() => one.close());
  const add = (count: number, from = 0): void => {
    for (let index = from; index < from + count; index++) one.add(span(index));
  };
  return { exporter: one, clock, said, add };
}

const names = (collector: Collector): readonly number[] => collector.spans.map(({ name }) => Number(name));
const range = (end: number): readonly number[] => Array.from({ length: end }, (_, index) => index);

test('spans go once a second, or as soon as there are 512', async (t) => {
  const collector = await Collector.start(t);
  const { clock, add } = exporter(t, collector.url);
  add(3);
  clock.advance(1_000);
  await collector.until(() => collector.spans.length === 3);
  add(512, 3);
  await collector.until(() => collector.spans.length === 515);
  assert.deepEqual(
    collector.batches.map(({ spans }) => spans.length),
    [3, 512],
  );
  assert.deepEqual(names(collector), range(515));
});

test('what comes while a batch is under way goes after it, in order', async (t) => {
  const collector = await Collector.start(t);
  const held: (() => void)[] = [];
  collector.answer = (response) => void held.push(() => response.end('{}'));
  const { exporter: one, add } = exporter(t, collector.url);
  add(2_000);
  await collector.until(() => collector.posts === 1);
  collector.answer = (response) => void response.end('{}');
  held.shift()?.();
  await collector.until(() => collector.spans.length >= 1_536);
  await one.close();
  assert.deepEqual(names(collector), range(2_000));
  assert.equal(one.dropped, 0);
});

test('a collector that is away is a warning, is asked less and less often, and costs bounded memory', async (t) => {
  const gone = await Collector.start(t);
  gone.stop();
  const { exporter: one, clock, said, add } = exporter(t, gone.url);
  add(512);
  await eventually(() => said.length === 1);
  assert.equal(
    said[0],
    'warn: tracing: http://collector cannot be reached (ECONNREFUSED); requests are not affected',
  );
  add(10_000, 512);
  assert.ok(one.dropped > 0);
  const back = await Collector.start(t, gone.port);
  await new Promise(setImmediate);
  assert.equal(back.posts, 0, 'it was asked again at once');
  clock.advance(2_000);
  await eventually(() => said.length === 2);
  await back.until(() => back.spans.length >= MAX_WAITING_SPANS - 511);
  assert.match(said[1] ?? '', /^info: tracing: http:\/\/collector is there again; spans lost so far: \d+$/);
  // the oldest are kept and go first
  assert.deepEqual(names(back).slice(0, 1_000), range(1_000));
  assert.equal(said.length, 2);
});

test('pauses double up to half a minute, and a batch is given up after five tries', async (t) => {
  const collector = await Collector.start(t);
  collector.answer = (response) => void response.writeHead(503).end();
  const { exporter: one, clock, said, add } = exporter(t, collector.url);
  add(512);
  let waitedMs = 0;
  const pausesMs: number[] = [];
  for (let tries = 1; tries <= 8; tries++) {
    await collector.until(() => collector.posts === tries);
    // until the answer has been read
    await new Promise((resolve) => setTimeout(resolve, 20));
    for (waitedMs = 0; collector.posts === tries && tries < 8; waitedMs += 1_000) {
      add(1);
      clock.advance(1_000);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    pausesMs.push(waitedMs);
  }
  assert.deepEqual(pausesMs.slice(0, 7), [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  assert.equal(one.dropped, 512);
  assert.equal(said.length, 1);
});

test('a collector may say how long to wait', async (t) => {
  const collector = await Collector.start(t);
  collector.answer = (response) => void response.writeHead(429, { 'Retry-After': '7' }).end();
  const { clock, said, add } = exporter(t, collector.url);
  add(512);
  await eventually(() => said.length === 1);
  for (let second = 1; second <= 6; second++) clock.advance(1_000);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(collector.posts, 1);
  clock.advance(1_000);
  await collector.until(() => collector.posts === 2);
});

for (const status of [400, 401, 404, 413, 500]) {
  test(`a batch that is answered ${status} is not sent again`, async (t) => {
    const collector = await Collector.start(t);
    collector.answer = (response) => void response.writeHead(status).end('no');
    const { exporter: one, clock, said, add } = exporter(t, collector.url);
    add(512);
    await eventually(() => one.dropped === 512);
    add(3, 512);
    clock.advance(1_000);
    await collector.until(() => collector.posts === 2);
    assert.deepEqual(names(collector), range(515));
    assert.deepEqual(said, [
      `warn: tracing: http://collector refuses them (status ${status}); requests are not affected`,
    ]);
  });
}

test('spans that a collector did not take are counted', async (t) => {
  const collector = await Collector.start(t);
  const partial = { partialSuccess: { rejectedSpans: '7', errorMessage: 'too old\r\n' } };
  collector.answer = (response) => void response.end(JSON.stringify(partial));
  const { exporter: one, said, add } = exporter(t, collector.url);
  add(512);
  await eventually(() => one.dropped === 7);
  assert.equal(said.length, 1);
});

test('a collector that hangs is let go, and the end does not wait for it', async (t) => {
  const collector = await Collector.start(t);
  collector.answer = () => {};
  const { exporter: one, clock, said, add } = exporter(t, collector.url, 50);
  add(512);
  await eventually(() => said.length === 1);
  assert.match(said[0] ?? '', /no answer in 50 ms/);
  // the connection that hangs is not in the way of the next try
  clock.advance(1_000);
  await collector.until(() => collector.posts === 2);
  add(100, 512);
  const before = Date.now();
  await one.close();
  assert.ok(Date.now() - before < 5_000);
  assert.equal(one.dropped, 612);
});

test('an answer without end is no answer', async (t) => {
  const collector = await Collector.start(t);
  collector.answer = (response) => {
    response.write('{');
    const timer = setInterval(() => response.write(' '.repeat(1_000)), 5);
    response.on('close', () => clearInterval(timer));
  };
  const { said, add } = exporter(t, collector.url, 50);
  add(512);
  await eventually(() => said.length === 1);
});
