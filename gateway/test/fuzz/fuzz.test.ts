import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Campaign } from './campaign.ts';
import { escapeText, FOUND, load, type Saved, SEEDS, unescapeText } from './corpus.ts';
import { Llhttp } from './llhttp.ts';
import { minimise } from './minimise.ts';
import { type Failure, KINDS } from './reading.ts';
import { Stream } from './stream.ts';

/** The long version is `npm run fuzz`. */
const CASES_OF_A_KIND = 12_000;
const CONNECTIONS_OF_A_KIND = 60;
const SEED = 20_260_101;

function report(failure: Failure | undefined, input: string): void {
  if (failure === undefined) return;
  assert.fail(
    `${failure.what}\n${escapeText(input)}\nours   ${JSON.stringify(failure.ours)}\nllhttp ${JSON.stringify(failure.llhttp)}`,
  );
}

for (const folder of [FOUND, SEEDS]) {
  const name = folder === FOUND ? 'failed once' : 'is a seed';
  test(`every input that ${name} is read as llhttp reads it, or refused, however it is cut`, async (t) => {
    const campaign = new Campaign(SEED);
    for (const saved of load(folder)) {
      await t.test(saved.name, () => report(campaign.check(saved.kind, saved.text, true), saved.text));
    }
  });
}

test('every input that failed once or is a seed goes through a gateway without harm', async (t) => {
  const stream = await Stream.start();
  t.after(() => stream.stop());
  const check = ({ kind, text }: Saved): Promise<Failure | undefined> =>
    kind === 'responses' ? stream.checkResponses(text) : stream.checkRequests(text);
  for (const saved of [...load(FOUND), ...load(SEEDS)]) {
    await t.test(saved.name, async () => report(await check(saved), saved.text));
  }
});

for (const kind of KINDS) {
  test(`random ${kind} are read as llhttp reads them, or refused`, () => {
    const campaign = new Campaign(SEED);
    campaign.run(kind, 0, CASES_OF_A_KIND);
    for (const { failure, input } of campaign.findings.values()) report(failure, input);
    assert.ok(
      campaign.agreed > CASES_OF_A_KIND / 10,
      `only ${campaign.agreed} messages were accepted at all`,
    );
  });
}

test('random streams go through a gateway without harm', async (t) => {
  const stream = await Stream.start();
  t.after(() => stream.stop());
  const campaign = new Campaign(SEED);
  for (let index = 0; index < CONNECTIONS_OF_A_KIND; index++) {
    for (const kind of KINDS) {
      const input = campaign.input(kind, index);
      report(
        await (kind === 'responses' ? stream.checkResponses(input) : stream.checkRequests(input)),
        input,
      );
    }
  }
});

test('the oracle tells what is relied on: where a message ends, its fields, body, trailers and errors', () => {
  const bytes = Buffer.from(
    'QUERY /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nT: u\r\n\r\nGET / HTTP/1.1\r\nHost : b\r\n\r\n',
  );
  const end = bytes.indexOf('GET');
  const oracle = new Llhttp('request');
  const whole = oracle.read(bytes, 0, [end - 1], end);
  assert.equal(whole.error, undefined);
  assert.equal(whole.messages.length, 1);
  const [message] = whole.messages;
  assert.equal(message?.method, 'QUERY');
  assert.equal(message?.endedIn, 1);
  assert.deepEqual(message?.fields, ['Host', 'a', 'Transfer-Encoding', 'chunked']);
  assert.equal(message?.body, 'x');
  assert.deepEqual(message?.trailers, ['T', 'u']);
  assert.equal(oracle.read(bytes, 0, [], bytes.length).error, 'HPE_INVALID_HEADER_TOKEN');
});

test('the same seed gives the same cases, and another gives others', () => {
  const first = new Campaign(1);
  const again = new Campaign(1);
  assert.equal(first.input('requests', 77), again.input('requests', 77));
  assert.notEqual(first.input('requests', 77), new Campaign(2).input('requests', 77));
});

test('an input is written and read back as it was, whatever its bytes', () => {
  let text = ' \\r\n  \r\n';
  for (let code = 0; code < 256; code++) text += `${String.fromCharCode(code)} \n`;
  assert.equal(unescapeText(escapeText(text)), text);
  assert.match(escapeText(text), /^[\n\x20-\x7e]*$/);
});

test('a failing input is cut down to what makes it fail', () => {
  const fails = (text: string): boolean => text.includes('X') && text.includes('Y');
  assert.equal(minimise('abcXdefghijklmnopqYrst', fails), 'XY');
});
