import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import type { Lookup } from '../../src/data/resolver.ts';
import { allQuiet, eventually, only, startGateway } from '../relay/gateway-in-test.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { BREAKER, backendPlan, EJECTION, retryPlan, servicePlan } from '../support/plans.ts';
import { RawBackend, type RawConnection } from '../support/raw-backend.ts';
import { closedPort } from './closed-port.ts';
import { connectionEnds, howItEnds, leave } from './how-it-ends.ts';
import { tcpPlan } from './tcp-plans.ts';

const greet = ({ socket }: RawConnection, data: string): void => void socket.write(`hello ${data}`, 'latin1');

const { pool } = servicePlan([]);

test('a client goes to another backend when the first refuses the connection', async (t) => {
  const backend = await RawBackend.start(greet);
  t.after(() => backend.stop());
  const ports = [await closedPort(), await closedPort(), backend.port];
  const gateway = await startGateway(t, tcpPlan(ports, { service: { balance: { kind: 'round-robin' } } }));
  for (let i = 0; i < 6; i++) {
    const client = await gateway.client();
    await client.send(`${i}`).contains(`hello ${i}`);
  }
  assert.equal(backend.connections.length, 6);
});

test('a client is reset when no backend takes its connection', async (t) => {
  const gateway = await startGateway(t, tcpPlan([await closedPort(), await closedPort()]));
  assert.equal(await connectionEnds(gateway.port), 'ECONNRESET');
  assert.deepEqual(
    gateway.ended.map(({ failure, attempts }) => [failure, attempts]),
    [['connect_refused', 2]],
  );
  await allQuiet(gateway);
});

test('without retries the first refusal ends it', async (t) => {
  const gateway = await startGateway(
    t,
    tcpPlan([await closedPort(), await closedPort()], { service: { retry: undefined } }),
  );
  await connectionEnds(gateway.port);
  assert.deepEqual(
    gateway.ended.map(({ attempts }) => attempts),
    [1],
  );
});

test('a client is reset when no backend is eligible', async (t) => {
  const backend = await RawBackend.start(greet);
  t.after(() => backend.stop());
  const gateway = await startGateway(t, tcpPlan([backend.port]));
  const ref = { service: 'db', backend: `127.0.0.1:${backend.port}` };
  gateway.gateway.data.setAdmin(ref, 'disabled');
  assert.equal(await connectionEnds(gateway.port), 'ECONNRESET');
  assert.equal(backend.connections.length, 0);
});

test('a backend that is being drained keeps the connections it has and gets no more', async (t) => {
  const backends = [await RawBackend.start(greet), await RawBackend.start(greet)] as const;
  for (const backend of backends) t.after(() => backend.stop());
  const [a, b] = backends;
  const gateway = await startGateway(
    t,
    tcpPlan([a.port, b.port], { service: { balance: { kind: 'round-robin' } } }),
  );
  const before = [await gateway.client(), await gateway.client()];
  for (const client of before) await client.send('you').contains('hello you');
  gateway.gateway.data.setAdmin({ service: 'db', backend: `127.0.0.1:${a.port}` }, 'draining');
  for (let i = 0; i < 4; i++) await (await gateway.client()).send('you').contains('hello you');
  assert.deepEqual([a.connections.length, b.connections.length], [1, 5]);
  for (const client of before) await client.send('again').contains('hello again');
});

test('a client that waits too long for a connection is reset', async (t) => {
  const backend = await RawBackend.start(greet);
  t.after(() => backend.stop());
  const clock = new ManualClock();
  const service = { pool: { ...pool, maxConnections: 1, queueTimeoutMs: 1_000 } };
  const gateway = await startGateway(t, tcpPlan([backend.port], { service }), { clock });
  const first = await gateway.client();
  await first.send('you').contains('hello you');
  const second = await gateway.client();
  await eventually(() => only(gateway).agent.stats.queued === 1);
  const ends = howItEnds(second.socket);
  clock.advance(1_200);
  assert.equal(await ends, 'ECONNRESET');
  await first.send('again').contains('hello again');
});

test('a client that leaves while it waits for a connection is forgotten', async (t) => {
  const backend = await RawBackend.start(greet);
  t.after(() => backend.stop());
  const service = { pool: { ...pool, maxConnections: 1, queueTimeoutMs: 60_000 } };
  const gateway = await startGateway(t, tcpPlan([backend.port], { service }));
  const first = await gateway.client();
  await first.send('you').contains('hello you');
  const second = await gateway.client();
  second.send('never mind');
  await eventually(() => only(gateway).agent.stats.queued === 1);
  second.socket.resetAndDestroy();
  await eventually(() => gateway.ended.length === 1);
  assert.equal(gateway.ended[0]?.failure, 'client_left');
  await leave(first);
  await allQuiet(gateway);
  assert.equal(backend.connections.length, 1);
  assert.equal(only(gateway).counters.byKind.get('client_left 0'), 1);
});

test('a connection whose client left while it was being opened is closed, not kept', async (t) => {
  const backend = await RawBackend.start();
  t.after(() => backend.stop());
  const backends = [{ ...backendPlan(backend.port, { protocol: 'tcp' }), host: 'db.internal' }];
  const service = { backends, pool: { ...pool, idleTimeoutMs: 600_000 } };
  const lookedUp = Promise.withResolvers<() => void>();
  const lookup: Lookup = (_host, done) =>
    lookedUp.resolve(() => done(null, [{ address: '127.0.0.1', family: 4 }]));
  const gateway = await startGateway(t, tcpPlan([], { service }), { lookup });
  const client = await gateway.client();
  const goOn = await lookedUp.promise;
  await leave(client);
  await eventually(() => gateway.ended.length === 1);
  goOn();
  await backend.until(({ connections }) => connections[0]?.ended === true);
  assert.equal(only(gateway).agent.stats.idle, 0);
  await allQuiet(gateway);
});

for (const [who, how] of [
  ['client', 'reset'],
  ['client', 'end'],
  ['backend', 'reset'],
  ['backend', 'end'],
] as const) {
  test(`when the ${who} goes with a ${how} the other side is closed, and nothing is left`, async (t) => {
    const backend = await RawBackend.start(greet);
    t.after(() => backend.stop());
    const gateway = await startGateway(t, tcpPlan([backend.port]));
    const client = await gateway.client();
    await client.send('you').contains('hello you');
    const [connection] = backend.connections;
    assert.ok(connection);
    const leaving = who === 'client' ? client.socket : connection.socket;
    const staying = who === 'client' ? connection.socket : client.socket;
    staying.on('end', () => staying.end());
    if (how === 'reset') leaving.resetAndDestroy();
    else leaving.end();
    await once(staying, 'close');
    await allQuiet(gateway);
    const [route] = gateway.gateway.data.counts().routes;
    assert.deepEqual([route?.tunnels.open, route?.tunnels.ended[who]], [0, 1]);
    assert.equal(only(gateway).agent.stats.idle, 0);
  });
}

test('what a backend sent before it died reaches the client', async (t) => {
  const large = 'x'.repeat(3_000_000);
  const backend = await RawBackend.start(({ socket }) => {
    socket.write(large, () => socket.destroy());
  });
  t.after(() => backend.stop());
  const gateway = await startGateway(t, tcpPlan([backend.port]));
  const client = await gateway.client();
  assert.equal((await client.send('all of it').end()).length, large.length);
  await allQuiet(gateway);
});

test('connections beyond the limit are closed at once, and there is room again when one has gone', async (t) => {
  const backend = await RawBackend.start(greet);
  t.after(() => backend.stop());
  const gateway = await startGateway(t, tcpPlan([backend.port], { listener: { maxConnections: 2 } }));
  const kept = [await gateway.client(), await gateway.client()];
  for (const client of kept) await client.send('you').contains('hello you');
  assert.equal(await connectionEnds(gateway.port), 'closed');
  if (kept[0] !== undefined) await leave(kept[0]);
  await eventually(() => gateway.gateway.data.listeners[0]?.connections === 1);
  await (await gateway.client()).send('me').contains('hello me');
});

test('connections under way count against the limit of the service, until they end', async (t) => {
  const backend = await RawBackend.start(greet);
  t.after(() => backend.stop());
  const concurrency = { max: 1, queue: 1, queueTimeoutMs: 60_000, adaptive: false };
  const gateway = await startGateway(t, tcpPlan([backend.port], { service: { concurrency } }));
  const first = await gateway.client();
  await first.send('one').contains('hello one');
  const second = await gateway.client();
  second.send('two');
  await eventually(() => gateway.gateway.data.services[0]?.limit?.queued === 1);
  assert.equal(await connectionEnds(gateway.port), 'ECONNRESET');
  await leave(first);
  await second.contains('hello two');
});

test('a backend that refuses connections is ejected', async (t) => {
  const backend = await RawBackend.start(greet);
  t.after(() => backend.stop());
  const dead = await closedPort();
  const service = {
    ejection: { ...EJECTION, consecutiveFailures: 2 },
    balance: { kind: 'round-robin' },
  } as const;
  const gateway = await startGateway(t, tcpPlan([dead, backend.port], { service }));
  for (let i = 0; i < 4; i++) await (await gateway.client()).send('you').contains('hello you');
  const status = gateway.gateway.data.status().services[0]?.backends[0];
  assert.equal(status?.excludedBy, 'ejection');
});

test('a breaker opens by connections that fail and lets none through while it is open', async (t) => {
  const dead = await closedPort();
  const service = { breaker: { ...BREAKER, minRequests: 3 }, retry: retryPlan() };
  const gateway = await startGateway(t, tcpPlan([dead], { service }));
  for (let i = 0; i < 6; i++) await connectionEnds(gateway.port);
  assert.equal(only(gateway).eligibility.breaker?.state, 'open');
  assert.equal(gateway.ended.at(-1)?.failure, 'no_backend');
});

test('a client address always leads to the same backend where the balancer hashes it', async (t) => {
  const backends = await Promise.all(Array.from({ length: 4 }, () => RawBackend.start(greet)));
  for (const backend of backends) t.after(() => backend.stop());
  const ports = backends.map(({ port }) => port);
  const balance = { kind: 'hash', key: { from: 'clientIp' }, balanceFactor: undefined } as const;
  const gateway = await startGateway(t, tcpPlan(ports, { service: { balance } }));
  for (let i = 0; i < 8; i++) await (await gateway.client()).send('you').contains('hello you');
  assert.deepEqual(backends.map(({ connections }) => connections.length).sort(), [0, 0, 0, 8]);
});

test('open connections count: the backend with fewer of them is next', async (t) => {
  const backends = [await RawBackend.start(greet), await RawBackend.start(greet)] as const;
  for (const backend of backends) t.after(() => backend.stop());
  const ports = backends.map(({ port }) => port);
  const gateway = await startGateway(t, tcpPlan(ports, { service: { balance: { kind: 'least-pending' } } }));
  const open = async (): Promise<void> =>
    void (await (await gateway.client()).send('you').contains('hello you'));
  for (let i = 0; i < 10; i++) await open();
  assert.deepEqual(
    backends.map(({ connections }) => connections.length),
    [5, 5],
  );
});

test('a thousand connections that are broken off at every step leave nothing behind', async (t) => {
  const backend = await RawBackend.start(greet);
  t.after(() => backend.stop());
  const gateway = await startGateway(
    t,
    tcpPlan([backend.port], { service: { pool: { ...pool, maxQueue: 2_000 } } }),
  );
  const abort = async (i: number): Promise<void> => {
    const client = connect(gateway.port, '127.0.0.1');
    client.on('error', () => {});
    if (i % 4 === 0) client.destroy();
    else {
      await once(client, 'connect');
      if (i % 4 > 1) client.write('you');
      if (i % 4 === 3) await Promise.race([once(client, 'data'), once(client, 'close')]);
      client.resetAndDestroy();
    }
  };
  for (let round = 0; round < 10; round++) await Promise.all(Array.from({ length: 100 }, (_, i) => abort(i)));
  await allQuiet(gateway);
  const [route] = gateway.gateway.data.counts().routes;
  assert.equal(route?.tunnels.open, 0);
  assert.equal(only(gateway).agent.stats.idle, 0);
  await backend.until(({ connections }) => connections.every(({ closed, ended }) => closed || ended));
});
