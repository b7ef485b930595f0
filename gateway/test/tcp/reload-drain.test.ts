import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Plan } from '../../src/data/plan.ts';
import { eventually, type GatewayInTest, startGateway } from '../relay/gateway-in-test.ts';
import { freePort } from '../restarts/free-port.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RawBackend, type RawConnection } from '../support/raw-backend.ts';
import type { RawClient } from '../support/raw-client.ts';
import { connectionEnds, howItEnds } from './how-it-ends.ts';
import { tcpPlan, tcpServicePlan } from './tcp-plans.ts';

async function backend(t: TestContext, name: string): Promise<RawBackend> {
  const started = await RawBackend.start(({ socket }: RawConnection) => void socket.write(`${name} `));
  t.after(() => started.stop());
  return started;
}

/** Says something and waits for `name` to answer once more. */
async function says(client: RawClient, name: string): Promise<void> {
  const before = client.received.length;
  client.send('?');
  await client.until(({ length }) => length > before);
  assert.equal(client.received.slice(before), `${name} `);
}

async function answerOf(gateway: GatewayInTest): Promise<string> {
  const client = await gateway.client();
  return (await client.send('?').contains(' ')).trim();
}

const opened = ({ gateway }: GatewayInTest): Record<string, number> =>
  Object.fromEntries(gateway.data.counts().routes.map(({ route, tunnels }) => [route, tunnels.opened]));

test('when the backends of a service change, connections stay until their end and new ones go to the new', async (t) => {
  const clock = new ManualClock();
  const [a, b] = [await backend(t, 'a'), await backend(t, 'b')];
  const gateway = await startGateway(t, tcpPlan([a.port]), { clock });
  const old = await gateway.client();
  await says(old, 'a');
  await gateway.gateway.data.apply(tcpPlan([b.port]));
  assert.equal(await answerOf(gateway), 'b');
  clock.advance(120_000);
  await says(old, 'a');
  old.socket.resetAndDestroy();
  await a.until(({ connections }) => connections[0]?.ended === true);
  // counted by one route before and after
  assert.deepEqual(opened(gateway), { 'tcp 127.0.0.1:0': 2 });
});

test('a connection that waits for a backend when a reload comes gets one', async (t) => {
  const [a, b] = [await backend(t, 'a'), await backend(t, 'b')];
  const { pool } = tcpServicePlan([]);
  const one = { pool: { ...pool, maxConnections: 1, queueTimeoutMs: 20_000 } };
  const gateway = await startGateway(t, tcpPlan([a.port], { service: one }));
  const first = await gateway.client();
  await says(first, 'a');
  const second = await gateway.client();
  second.send('?');
  await eventually(() => gateway.backends[0]?.agent.stats.queued === 1);
  await gateway.gateway.data.apply(tcpPlan([b.port], { service: one }));
  first.socket.resetAndDestroy();
  await second.contains('a ');
  assert.equal(await answerOf(gateway), 'b');
});

test('the settings of the listener and of the service hold from the next connection on', async (t) => {
  const [a, b] = [await backend(t, 'a'), await backend(t, 'b')];
  const services = [tcpServicePlan([a.port], { name: 'a' }), tcpServicePlan([b.port], { name: 'b' })];
  const plan = (service: string, maxConnections = 10): Plan =>
    tcpPlan([], { services, listener: { service, maxConnections } });
  const gateway = await startGateway(t, plan('a'));
  assert.equal(await answerOf(gateway), 'a');
  await gateway.gateway.data.apply(plan('b'));
  assert.equal(await answerOf(gateway), 'b');
  await gateway.gateway.data.apply(plan('b', 2));
  assert.equal(await connectionEnds(gateway.port), 'closed');
});

test('a service that a reload brings is there for the listener that it brings too', async (t) => {
  const [a, b] = [await backend(t, 'a'), await backend(t, 'b')];
  const port = await freePort();
  const gateway = await startGateway(t, tcpPlan([a.port]));
  const services = [tcpServicePlan([a.port]), tcpServicePlan([b.port], { name: 'new' })];
  const before = tcpPlan([], { services });
  const listeners = [...before.listeners, ...tcpPlan([], { listener: { port, service: 'new' } }).listeners];
  await gateway.gateway.data.apply({ ...before, listeners });
  assert.equal(await answerOf({ ...gateway, port }), 'a');
  assert.deepEqual(opened(gateway), { 'tcp 127.0.0.1:0': 1, [`tcp 127.0.0.1:${port}`]: 0 });
});

test('a listener that a reload takes away accepts no more, and its connections get time to end', async (t) => {
  const clock = new ManualClock();
  const a = await backend(t, 'a');
  const gateway = await startGateway(t, tcpPlan([a.port]), { clock });
  const client = await gateway.client();
  await says(client, 'a');
  const port = await freePort();
  await gateway.gateway.data.apply(tcpPlan([a.port], { listener: { port } }));
  assert.equal(await connectionEnds(gateway.port), 'ECONNREFUSED');
  clock.advance(10_000);
  await says(client, 'a');
  const ends = howItEnds(client.socket);
  clock.advance(30_000);
  assert.equal(await ends, 'closed');
});

test('a drain closes what has not begun, lets connections go on and closes them before its deadline', async (t) => {
  const a = await backend(t, 'a');
  const sniServices = [{ name: 'a.example', service: 'db' }];
  const gateway = await startGateway(t, tcpPlan([a.port], { listener: { sniServices } }));
  const client = await gateway.client();
  await says(client, 'a');
  const silent = await gateway.client();
  const silentEnds = howItEnds(silent.socket);
  await eventually(() => gateway.gateway.data.listeners[0]?.connections === 2);
  const drained = gateway.gateway.data.drain(600);
  assert.equal(await silentEnds, 'closed');
  await says(client, 'a');
  assert.equal(await connectionEnds(gateway.port), 'ECONNREFUSED');
  assert.equal(await howItEnds(client.socket), 'closed');
  await drained;
});

test('a drain is over as soon as the last connection has ended', async (t) => {
  const a = await backend(t, 'a');
  const gateway = await startGateway(t, tcpPlan([a.port]));
  const client = await gateway.client();
  await says(client, 'a');
  const drained = gateway.gateway.data.drain(60_000);
  client.socket.resetAndDestroy();
  await drained;
});

test('a connection on which nothing happens is closed', async (t) => {
  const clock = new ManualClock();
  const a = await backend(t, 'a');
  const gateway = await startGateway(t, tcpPlan([a.port], { listener: { idleTimeoutMs: 5_000 } }), { clock });
  const [busy, idle] = [await gateway.client(), await gateway.client()];
  await says(busy, 'a');
  await says(idle, 'a');
  clock.advance(3_000);
  await says(busy, 'a');
  const ends = howItEnds(idle.socket);
  clock.advance(2_200);
  assert.equal(await ends, 'closed');
  await says(busy, 'a');
  const [route] = gateway.gateway.data.counts().routes;
  assert.deepEqual(route?.tunnels.ended, { idle: 1 });
});
