import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { buildService } from '../src/service.ts';
import { json, started, stillOptions } from './support.ts';

function serviceWith(changes: Parameters<typeof stillOptions>[0] = {}) {
  const { app } = buildService('demo', stillOptions(changes));
  app.get('/', () => 'hello');
  return app;
}

test('the knobs start at rest, are replaced by PUT and reset by DELETE', async (t) => {
  const url = await started(t, serviceWith());
  const quiet = { delayMs: 0, jitterMs: 0, failRate: 0, failStatus: 500, hang: false, unhealthy: false };
  assert.deepEqual(await (await fetch(`${url}/knobs`)).json(), quiet);
  const set = await fetch(`${url}/knobs`, json('PUT', { failRate: 1, failStatus: 502 }));
  assert.deepEqual(await set.json(), { ...quiet, failRate: 1, failStatus: 502 });
  const replaced = await fetch(`${url}/knobs`, json('PUT', { unhealthy: true }));
  assert.deepEqual(await replaced.json(), { ...quiet, unhealthy: true });
  assert.deepEqual(await (await fetch(`${url}/knobs`, { method: 'DELETE' })).json(), quiet);
});

test('bad knobs are refused by name and change nothing', async (t) => {
  const url = await started(t, serviceWith());
  const cases: [unknown, RegExp][] = [
    [{ failRat: 1 }, /unknown key 'failRat'/],
    [{ failRate: 1.5 }, /failRate must be <= 1/],
    [{ failRate: '1' }, /failRate must be number/],
    [{ failStatus: 200 }, /failStatus must be >= 400/],
    [{ hang: 1 }, /hang must be boolean/],
    [{ delayMs: -1 }, /delayMs must be >= 0/],
    [[], /must be object/],
  ];
  for (const [body, message] of cases) {
    const response = await fetch(`${url}/knobs`, json('PUT', body));
    const answer = (await response.json()) as { message: string };
    assert.equal(response.status, 400, JSON.stringify(body));
    assert.match(answer.message, message);
  }
  const empty = await fetch(`${url}/knobs`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
  });
  assert.equal(empty.status, 400);
  const now = (await (await fetch(`${url}/knobs`)).json()) as { failRate: number };
  assert.equal(now.failRate, 0);
});

test('failRate 1 fails every request with failStatus, but neither /health nor /knobs', async (t) => {
  const url = await started(t, serviceWith({ random: () => 0.999 }));
  await fetch(`${url}/knobs`, json('PUT', { failRate: 1, failStatus: 503 }));
  const failed = await fetch(`${url}/`);
  assert.equal(failed.status, 503);
  assert.match(failed.headers.get('x-instance') ?? '', /^demo-\d+$/);
  assert.equal((await fetch(`${url}/health`)).status, 200);
  assert.equal((await fetch(`${url}/knobs`)).status, 200);
});

test('failRate fails the share of requests that the dice give it', async (t) => {
  const dice = [0.29, 0.3, 0.9, 0.1];
  const url = await started(t, serviceWith({ random: () => dice.shift() ?? 0 }));
  await fetch(`${url}/knobs`, json('PUT', { failRate: 0.3 }));
  const statuses = [];
  for (let i = 0; i < 4; i += 1) statuses.push((await fetch(`${url}/`)).status);
  assert.deepEqual(statuses, [500, 200, 200, 500]);
});

test('a delayed request is answered when its time is over, health checks at once', async (t) => {
  const asleep = Promise.withResolvers<{ ms: number; wake: () => void }>();
  const sleep = (ms: number) => new Promise<void>((wake) => asleep.resolve({ ms, wake }));
  const url = await started(t, serviceWith({ sleep, random: () => 0.5 }));
  await fetch(`${url}/knobs`, json('PUT', { delayMs: 200, jitterMs: 100 }));
  const slow = fetch(`${url}/`);
  const { ms, wake } = await asleep.promise;
  assert.equal(ms, 250);
  assert.equal((await fetch(`${url}/health`)).status, 200);
  wake();
  assert.equal(await (await slow).text(), 'hello');
});

test('a client that leaves ends its delay', async (t) => {
  const asleep = Promise.withResolvers<AbortSignal>();
  const sleep = (_ms: number, signal: AbortSignal) =>
    new Promise<void>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
      asleep.resolve(signal);
    });
  const url = await started(t, serviceWith({ sleep }));
  await fetch(`${url}/knobs`, json('PUT', { delayMs: 60_000 }));
  const leaving = new AbortController();
  const slow = fetch(`${url}/`, { signal: leaving.signal });
  const signal = await asleep.promise;
  const ended = once(signal, 'abort');
  leaving.abort();
  await assert.rejects(slow, { name: 'AbortError' });
  await ended;
});

test('hang leaves requests and health checks without an answer, but not the knobs that end it', async (t) => {
  const app = serviceWith();
  const url = await started(t, app);
  await fetch(`${url}/knobs`, json('PUT', { hang: true }));
  for (const path of ['/', '/health']) {
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port) });
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk;
    });
    const [request] = await Promise.all([
      once(app.server, 'request'),
      socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`),
    ]);
    assert.equal(request[0].url, path);
    // a whole exchange on another connection: an answer would have come before its end
    assert.equal((await fetch(`${url}/knobs`)).status, 200);
    assert.equal(received, '');
    socket.destroy();
  }
  await fetch(`${url}/knobs`, { method: 'DELETE' });
  assert.equal((await fetch(`${url}/`)).status, 200);
});

test('closing the app cuts the requests that hang', async (t) => {
  const app = serviceWith();
  const url = await started(t, app);
  await fetch(`${url}/knobs`, json('PUT', { hang: true }));
  const arrived = once(app.server, 'request');
  const hanging = assert.rejects(fetch(`${url}/`), /fetch failed/);
  await arrived;
  await app.close();
  await hanging;
});

test('unhealthy turns /health to 503 and nothing else', async (t) => {
  const url = await started(t, serviceWith());
  await fetch(`${url}/knobs`, json('PUT', { unhealthy: true }));
  const health = await fetch(`${url}/health`);
  assert.equal(health.status, 503);
  assert.equal(((await health.json()) as { status: string }).status, 'unhealthy');
  assert.equal((await fetch(`${url}/`)).status, 200);
});

test('crash answers first and then exits with 1', async (t) => {
  const exited = Promise.withResolvers<number>();
  const url = await started(t, serviceWith({ exit: exited.resolve }));
  const response = await fetch(`${url}/knobs/crash`, { method: 'POST' });
  assert.equal(response.status, 202);
  assert.equal(await exited.promise, 1);
});

test('crash is refused where the app may not end its process', async (t) => {
  const url = await started(t, serviceWith());
  assert.equal((await fetch(`${url}/knobs/crash`, { method: 'POST' })).status, 501);
});
