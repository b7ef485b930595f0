import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../support/manual-clock.ts';
import { backendPlan, servicePlan } from '../support/plans.ts';
import { RawBackend } from '../support/raw-backend.ts';
import { OK, type Stage, stage } from '../support/stage.ts';
import { brokenOff } from './refusals.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const POST = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc';
const POOL = {
  maxConnections: 1,
  maxQueue: 1,
  queueTimeoutMs: 1_000,
  idleTimeoutMs: 4_000,
  maxRequests: 10_000,
  maxAgeMs: 600_000,
};
const gone = ({
  connections,
}: {
  readonly connections: readonly { readonly ended: boolean; readonly closed: boolean }[];
}): boolean => connections[0]?.closed === true || connections[0]?.ended === true;

test('a backend that does not answer in time is a 504, and its connection is given up', async (t) => {
  const clock = new ManualClock();
  const { client, backend } = await stage(t, undefined, {}, { clock });
  const browser = await client();
  browser.send(POST);
  await backend.until(({ received }) => received.endsWith('abc'));
  clock.advance(29_900);
  assert.equal(browser.received, '');
  clock.advance(300);
  assert.match(await browser.contains('"response_timeout"'), /^HTTP\/1\.1 504 Gateway Timeout\r\n/);
  await backend.until(gone);
  assert.equal(backend.connections.length, 1, 'it may have been executed: it is not sent again');
});

test('interim answers do not put off the time of the final one', async (t) => {
  const clock = new ManualClock();
  const { client, backend } = await stage(t, undefined, {}, { clock });
  const browser = await client();
  browser.send(GET);
  await backend.until(({ received }) => received.endsWith('\r\n\r\n'));
  for (let i = 1; i < 30; i++) {
    clock.advance(1_000);
    backend.connections[0]?.socket.write(`HTTP/1.1 102 ${i}\r\n\r\n`);
    await browser.contains(` 102 ${i}\r\n`);
  }
  clock.advance(1_200);
  await browser.contains('"response_timeout"');
});

test('half an answer head does not put off the time of the whole', async (t) => {
  const clock = new ManualClock();
  const { client, backend } = await stage(t, undefined, {}, { clock });
  const browser = await client();
  browser.send(GET);
  await backend.until(({ received }) => received.endsWith('\r\n\r\n'));
  backend.connections[0]?.socket.write('HTTP/1.1 200 OK\r\nX: ');
  clock.advance(30_200);
  assert.match(await browser.contains('"response_timeout"'), /^HTTP\/1\.1 504 /);
});

test('the time for the answer starts when the whole request is sent', async (t) => {
  const clock = new ManualClock();
  const { client, backend } = await stage(t, undefined, {}, { clock });
  const browser = await client();
  browser.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na');
  await backend.until(({ received }) => received.endsWith('a'));
  clock.advance(40_000);
  browser.send('bc');
  await backend.until(({ received }) => received.endsWith('abc'));
  clock.advance(29_900);
  assert.equal(browser.received, '');
  backend.connections[0]?.socket.write(OK);
  await browser.contains('ok');
});

test('a backend that falls silent in a body breaks the answer off', async (t) => {
  for (const [name, response, more] of [
    ['with length', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello', 'x'],
    ['chunked', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n', '1\r\nx\r\n'],
    ['until close', 'HTTP/1.1 200 OK\r\n\r\nhello', 'x'],
  ] as const) {
    await t.test(name, async (row) => {
      const clock = new ManualClock();
      const { client, backend } = await stage(row, ({ socket }) => socket.write(response), {}, { clock });
      const browser = await client();
      await browser.send(GET).contains('hello');
      clock.advance(59_000);
      browser.received = '';
      backend.connections[0]?.socket.write(more);
      await browser.contains('x');
      clock.advance(59_900);
      assert.equal(browser.closed, false);
      clock.advance(300);
      assert.doesNotMatch(await brokenOff(browser), /\r\n0\r\n/);
      await backend.until(gone);
    });
  }
});

test('a route’s total time ends what takes longer: 504 before the answer, a break in its middle', async (t) => {
  for (const begun of [false, true]) {
    await t.test(begun ? 'in the middle' : 'before', async (row) => {
      const clock = new ManualClock();
      const { client, backend } = await stage(
        row,
        undefined,
        { route: { timeouts: { totalMs: 5_000 } } },
        { clock },
      );
      const browser = await client();
      browser.send(GET);
      await backend.until(({ received }) => received.endsWith('\r\n\r\n'));
      if (begun) {
        backend.connections[0]?.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello');
        await browser.contains('hello');
      }
      clock.advance(4_900);
      assert.equal(browser.closed, false);
      clock.advance(300);
      if (begun) await brokenOff(browser);
      else assert.match(await browser.contains('"total_timeout"'), /^HTTP\/1\.1 504 /);
      await backend.until(gone);
    });
  }
});

test('a total time that was not used up does not end what comes later on the connection', async (t) => {
  const clock = new ManualClock();
  const { client } = await stage(
    t,
    ({ socket }) => socket.write(OK),
    { route: { timeouts: { totalMs: 5_000 } } },
    { clock },
  );
  const browser = await client();
  for (let turn = 0; turn < 4; turn++) {
    browser.received = '';
    await browser.send(GET).contains('ok');
    clock.advance(3_000);
  }
});

test('a backend that does not finish the handshake in time is a 504', async (t) => {
  const clock = new ManualClock();
  const silent = await RawBackend.start();
  t.after(() => silent.stop());
  const backends = [backendPlan(silent.port, { protocol: 'https' })];
  const { client } = await stage(t, undefined, { services: [servicePlan([], { backends })] }, { clock });
  const browser = await client();
  browser.send(POST);
  await silent.until(({ received }) => received !== '');
  clock.advance(1_900);
  assert.equal(browser.received, '');
  clock.advance(300);
  assert.match(await browser.contains('"connect_timeout"'), /^HTTP\/1\.1 504 Gateway Timeout\r\n/);
  await silent.until(gone);
});

test('a backend whose name is never looked up is a 504, or another backend’s answer', async (t) => {
  for (const others of [0, 1]) {
    await t.test(`${others} other`, async (row) => {
      const clock = new ManualClock();
      let asked = (): void => {};
      const looked = new Promise<void>((resolve) => {
        asked = resolve;
      });
      const other = await RawBackend.answering(OK);
      row.after(() => other.stop());
      const never = backendPlan(1, { host: 'never.invalid', name: 'never.invalid:1' });
      const backends = [never, ...(others === 0 ? [] : [backendPlan(other.port)])];
      const services = [servicePlan([], { backends, balance: { kind: 'round-robin' } })];
      const { client } = await stage(
        row,
        undefined,
        { services },
        { clock, lookup: () => asked(), random: () => 0 },
      );
      const browser = await client();
      browser.send(GET);
      if (others > 0) browser.send(GET);
      await looked;
      clock.advance(3_200);
      if (others === 0)
        assert.match(await browser.contains('"connect_timeout"'), /^HTTP\/1\.1 504 Gateway Timeout\r\n/);
      else await browser.until((received) => received.split('\r\n\r\nok').length === 3);
    });
  }
});

/** Waits until `count` requests stand in the queue of the only backend. */
async function queued({ gateway }: Stage, count: number): Promise<void> {
  const agent = gateway.data.services[0]?.backends[0]?.agent;
  for (let i = 0; i < 100_000 && agent?.stats.queued !== count; i++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(agent?.stats.queued, count);
}

test('a request that finds every connection taken waits its time in the queue, then hears 503 with Retry-After', async (t) => {
  const clock = new ManualClock();
  const set = await stage(t, undefined, { service: { pool: POOL } }, { clock });
  const { client, backend } = set;
  const [first, second, third] = [await client(), await client(), await client()];
  first.send(GET);
  await backend.until(({ received }) => received.endsWith('\r\n\r\n'));
  second.send('GET /2 HTTP/1.1\r\nHost: a\r\n\r\n');
  await queued(set, 1);
  const refused = await third.send(GET).contains('"queue_full"');
  assert.match(refused, /^HTTP\/1\.1 503 Service Unavailable\r\n[\s\S]*\r\nRetry-After: 1\r\n/);
  clock.advance(900);
  assert.equal(second.received, '');
  clock.advance(300);
  const timedOut = await second.contains('"queue_timeout"');
  assert.match(timedOut, /^HTTP\/1\.1 503 Service Unavailable\r\n[\s\S]*\r\nRetry-After: 1\r\n/);
  assert.doesNotMatch(backend.received, /GET \/2/);
  backend.connections[0]?.socket.write(OK);
  await first.contains('ok');
});

test('a request in the queue gets the connection that comes free', async (t) => {
  const { client, backend } = await stage(t, undefined, { service: { pool: POOL } });
  const first = await client();
  first.send(GET);
  await backend.until(({ received }) => received.endsWith('\r\n\r\n'));
  const second = await client();
  second.send('GET /2 HTTP/1.1\r\nHost: a\r\n\r\n');
  backend.connections[0]?.socket.write(OK);
  await backend.until(({ received }) => received.includes('GET /2'));
  backend.connections[0]?.socket.write(OK);
  await second.contains('ok');
  assert.equal(backend.connections.length, 1);
});

test('a client that leaves the queue leaves nothing in it', async (t) => {
  const set = await stage(t, undefined, { service: { pool: POOL } });
  const { client, backend } = set;
  const [first, second] = [await client(), await client()];
  first.send(GET);
  await backend.until(({ received }) => received.endsWith('\r\n\r\n'));
  second.send('GET /2 HTTP/1.1\r\nHost: a\r\n\r\n');
  await queued(set, 1);
  second.socket.resetAndDestroy();
  await queued(set, 0);
  backend.connections[0]?.socket.write(OK);
  await first.contains('ok');
  assert.doesNotMatch(backend.received, /GET \/2/);
});

test('a tunnel without a byte for five idle times is closed, and not before', async (t) => {
  const clock = new ManualClock();
  const { client, backend } = await stage(
    t,
    ({ socket, received }, data) => {
      if (received === data)
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
    },
    {},
    { clock },
  );
  const browser = await client();
  await browser
    .send('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n')
    .contains('\r\n\r\n');
  clock.advance(299_900);
  browser.send('ping');
  await backend.until(({ received }) => received.endsWith('ping'));
  clock.advance(299_900);
  assert.equal(browser.ended, false);
  clock.advance(300);
  await browser.end();
  await backend.until(gone);
});
