import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { PoolPlan } from '../../src/data/plan.ts';
import type { GatewayOptions } from '../../src/gateway.ts';
import { allQuiet, eventually, only, startGateway } from '../relay/gateway-in-test.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { plan } from '../support/plans.ts';
import { RawBackend, type RawConnection } from '../support/raw-backend.ts';
import { exchangeRaw } from '../support/raw-client.ts';
import { answer } from '../support/stage.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const LAST_GET = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const POOL: PoolPlan = {
  maxConnections: 128,
  maxQueue: 256,
  queueTimeoutMs: 1_000,
  idleTimeoutMs: 4_000,
  maxRequests: 10_000,
  maxAgeMs: 600_000,
};

type OnData = (connection: RawConnection, data: string) => void;

async function startPool(
  t: TestContext,
  onData: OnData,
  pool: Partial<PoolPlan> = {},
  options: GatewayOptions = {},
) {
  const backend = await RawBackend.start(onData);
  t.after(() => backend.stop());
  const gateway = await startGateway(
    t,
    plan([backend.port], { service: { pool: { ...POOL, ...pool } } }),
    options,
  );
  const get = () => exchangeRaw(gateway.port, LAST_GET);
  return { backend, gateway, agent: only(gateway).agent, get };
}

const open = (backend: RawBackend): number =>
  backend.connections.filter(({ ended, closed }) => !ended && !closed).length;

test('one connection serves request after request', async (t) => {
  const { backend, agent, get } = await startPool(t, answer());
  for (let i = 0; i < 5; i++) assert.match(await get(), /200 OK/);
  assert.equal(backend.connections.length, 1);
  assert.equal(agent.counters.reuses, 4);
  assert.equal(agent.counters.connects, 1);
});

test('the connection used last is used first', async (t) => {
  const held: RawConnection[] = [];
  let holding = true;
  const { backend, gateway, agent, get } = await startPool(t, (connection) => {
    if (holding) held.push(connection);
    else connection.socket.write(OK);
  });
  const clients = await Promise.all([gateway.client(), gateway.client(), gateway.client()]);
  for (const client of clients) client.send(GET);
  await backend.until(() => held.length === 3);
  holding = false;
  for (const [i, { socket }] of held.entries()) {
    socket.write(OK);
    await eventually(() => agent.stats.idle === i + 1);
  }
  for (let i = 0; i < 4; i++) await get();
  const requests = held.map(({ received }) => received.split('GET ').length - 1);
  assert.deepEqual(requests, [1, 1, 5]);
});

test('a burst never opens more connections than the maximum, and all of it is answered', async (t) => {
  let most = 0;
  const { backend, agent, get } = await startPool(
    t,
    ({ socket }) => {
      most = Math.max(most, open(backend));
      setImmediate(() => socket.write(OK));
    },
    { maxConnections: 4, queueTimeoutMs: 60_000 },
  );
  const answers = await Promise.all(Array.from({ length: 100 }, get));
  for (const text of answers) assert.match(text, /200 OK/);
  assert.equal(most, 4);
  assert.equal(backend.connections.length, 4);
  await eventually(() => agent.stats.idle === 4);
});

test('what finds no place in the queue is refused with 503 at once', async (t) => {
  const held: RawConnection[] = [];
  const { backend, gateway, agent } = await startPool(t, (connection) => void held.push(connection), {
    maxConnections: 1,
    queueTimeoutMs: 60_000,
  });
  const first = await gateway.client();
  first.send(GET);
  await backend.until(() => held.length === 1);
  const queue = await Promise.all(Array.from({ length: 256 }, () => gateway.client()));
  for (const client of queue) client.send(LAST_GET);
  await eventually(() => agent.stats.queued === 256);
  const refused = await exchangeRaw(gateway.port, LAST_GET);
  assert.match(refused, /^HTTP\/1\.1 503 Service Unavailable\r\n/);
  assert.match(refused, /\r\nRetry-After: \d+\r\n/);
  assert.match(refused, /"code":"queue_full"/);
  // one that leaves makes room for one
  queue.pop()?.socket.resetAndDestroy();
  await eventually(() => agent.stats.queued === 255);
  const late = await gateway.client();
  late.send(LAST_GET);
  await eventually(() => agent.stats.queued === 256);
  assert.equal(late.received, '');
  for (const { socket } of [first, late, ...queue]) socket.resetAndDestroy();
  await allQuiet(gateway);
});

test('who waits is served in the order of coming', async (t) => {
  let answering = (): void => {};
  const { backend, gateway, agent } = await startPool(
    t,
    ({ socket }) => {
      answering = () => void socket.write(OK);
    },
    { maxConnections: 1, queueTimeoutMs: 60_000 },
  );
  for (let i = 0; i < 5; i++) {
    (await gateway.client()).send(`GET /${i} HTTP/1.1\r\nHost: a\r\n\r\n`);
    await eventually(() => agent.stats.queued + agent.stats.active + agent.stats.connecting >= i + 1);
    if (i === 0) await backend.until(() => backend.received.includes('/0'));
  }
  for (let i = 0; i < 5; i++) {
    await backend.until(() => backend.received.includes(`GET /${i} `));
    answering();
  }
  const order = [...backend.received.matchAll(/GET \/(\d)/g)].map((match) => match[1]);
  assert.deepEqual(order, ['0', '1', '2', '3', '4']);
});

test('who has waited too long gets 503 with Retry-After', async (t) => {
  const clock = new ManualClock();
  const { backend, gateway, agent } = await startPool(t, () => {}, { maxConnections: 1 }, { clock });
  (await gateway.client()).send(GET);
  await backend.until(() => backend.received.endsWith('\r\n\r\n'));
  const waiting = await gateway.client();
  waiting.send(LAST_GET);
  await eventually(() => agent.stats.queued === 1);
  clock.advance(900);
  assert.equal(agent.stats.queued, 1);
  clock.advance(300);
  const refused = await waiting.end();
  assert.match(refused, /^HTTP\/1\.1 503 [\s\S]*\r\nRetry-After: \d+\r\n[\s\S]*"code":"queue_timeout"/);
  assert.equal(only(gateway).pending, 1);
});

test('a connection retires after its number of requests', async (t) => {
  const { backend, agent, get } = await startPool(t, answer(), { maxRequests: 3 });
  for (let i = 0; i < 7; i++) await get();
  const requests = backend.connections.map(({ received }) => received.split('GET ').length - 1);
  assert.deepEqual(requests, [3, 3, 1]);
  assert.equal(agent.counters.closed.get('aged'), 2);
});

for (const [random, lifeMs] of [
  [0, 9_000],
  [0.5, 10_000],
  [0.999, 11_000],
] as const) {
  test(`a connection retires at its age: ${lifeMs} of 10 000 ms where chance says ${random}`, async (t) => {
    const clock = new ManualClock();
    const pool = { maxAgeMs: 10_000, idleTimeoutMs: 60_000 };
    const { backend, get } = await startPool(t, answer(), pool, { clock, random: () => random });
    await get();
    clock.advance(lifeMs - 300);
    await get();
    assert.equal(backend.connections.length, 1);
    clock.advance(600);
    await get();
    assert.equal(backend.connections.length, 2);
    await backend.until(() => backend.connections[0]?.ended === true);
  });
}

test('an idle connection is closed after the idle timeout, and not before', async (t) => {
  const clock = new ManualClock();
  const { backend, agent, get } = await startPool(t, answer(), {}, { clock });
  await get();
  await eventually(() => agent.stats.idle === 1);
  clock.advance(3_800);
  assert.equal(agent.stats.idle, 1);
  clock.advance(400);
  assert.equal(agent.stats.idle, 0);
  await backend.until(() => backend.connections[0]?.ended === true);
  assert.equal(agent.counters.closed.get('idle'), 1);
});

test('Connection: close from the backend is honoured', async (t) => {
  const { backend, agent, get } = await startPool(
    t,
    answer('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok'),
  );
  for (let i = 0; i < 3; i++) assert.match(await get(), /ok$/);
  assert.equal(backend.connections.length, 3);
  assert.equal(agent.counters.reuses, 0);
});

test('an HTTP/1.0 backend is not reused unless it says so', async (t) => {
  const { backend, get } = await startPool(t, answer('HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok'));
  for (let i = 0; i < 2; i++) await get();
  assert.equal(backend.connections.length, 2);
});

test('bytes that nobody asked for close an idle connection, and go to nobody', async (t) => {
  const { backend, agent, get } = await startPool(t, answer());
  await get();
  await eventually(() => agent.stats.idle === 1);
  backend.connections[0]?.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil');
  await eventually(() => agent.stats.idle === 0);
  assert.doesNotMatch(await get(), /evil/);
  assert.equal(backend.connections.length, 2);
});

test('bytes behind a complete answer close the connection', async (t) => {
  const { backend, gateway, get } = await startPool(
    t,
    answer(`${OK}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`),
  );
  for (let i = 0; i < 3; i++) assert.doesNotMatch(await get(), /evil/);
  assert.equal(backend.connections.length, 3);
  await allQuiet(gateway);
});
