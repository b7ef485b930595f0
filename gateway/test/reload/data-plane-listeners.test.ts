import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { HttpListenerPlan, Plan } from '../../src/data/plan.ts';
import { eventually, type GatewayInTest, startGateway } from '../relay/gateway-in-test.ts';
import { freePort } from '../restarts/free-port.ts';
import { plan } from '../support/plans.ts';
import { RawBackend } from '../support/raw-backend.ts';
import { exchangeRaw, RawClient } from '../support/raw-client.ts';
import { OK } from '../support/stage.ts';
import { withListener } from './plan-edits.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const LAST_GET = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

async function answering(t: TestContext): Promise<RawBackend> {
  const backend = await RawBackend.answering(OK);
  t.after(() => backend.stop());
  return backend;
}

async function silent(t: TestContext): Promise<RawBackend> {
  const backend = await RawBackend.start();
  t.after(() => backend.stop());
  return backend;
}

const portsOf = ({ gateway }: GatewayInTest): readonly number[] =>
  gateway.data.listeners.map(({ port }) => port);

function listening(before: Plan, ...changes: readonly Partial<HttpListenerPlan>[]): Plan {
  const [listener] = before.listeners;
  assert.ok(listener?.kind === 'http');
  return { ...before, listeners: changes.map((change) => ({ ...listener, ...change })) };
}

test('listeners whose ports the system chooses are distinct, and each that stays keeps its port', async (t) => {
  const backend = await answering(t);
  const one = plan([backend.port]);
  const two = listening(one, {}, { maxHeaders: 50 });
  const gateway = await startGateway(t, two);
  const before = portsOf(gateway);
  assert.equal(new Set(before).size, 2);
  await gateway.gateway.data.apply(listening(one, {}, { maxHeaders: 50 }, {}));
  const after = portsOf(gateway);
  assert.deepEqual(after.slice(0, 2), before);
  assert.equal(new Set(after).size, 3);
  for (const port of after) assert.match(await exchangeRaw(port, LAST_GET), / 200 OK/);
  await gateway.gateway.data.apply(one);
  assert.deepEqual(portsOf(gateway), before.slice(0, 1));
  for (const port of after.slice(1)) await assert.rejects(RawClient.open(port), { code: 'ECONNREFUSED' });
});

test('a listener that is removed finishes what is under way and refuses new clients', async (t) => {
  const backend = await silent(t);
  const gateway = await startGateway(t, plan([backend.port]));
  const client = (await gateway.client()).send(GET);
  await backend.until(({ received }) => received.endsWith('\r\n\r\n'));
  const [old] = portsOf(gateway);
  await gateway.gateway.data.apply(listening(plan([backend.port]), { port: await freePort() }));
  await assert.rejects(RawClient.open(old ?? 0), { code: 'ECONNREFUSED' });
  backend.connections[0]?.socket.write(OK);
  assert.match(await client.end(), / 200 OK\r\n[\s\S]*Connection: close\r\n\r\nok$/);
});

test('limits of a listener are changed in place: its clients stay and go by the new ones', async (t) => {
  const backend = await answering(t);
  const before = plan([backend.port]);
  const gateway = await startGateway(t, before);
  const [port] = portsOf(gateway);
  const client = await gateway.client();
  await client.send(GET).contains('ok');
  await gateway.gateway.data.apply(withListener(before, { maxTargetBytes: 10, maxConnections: 1 }));
  assert.deepEqual(portsOf(gateway), [port]);
  client.received = '';
  await client.send(GET).contains('ok');
  const refused = await RawClient.open(port ?? 0);
  assert.equal(await refused.end(), '');
  client.send('GET /longer/than/ten HTTP/1.1\r\nHost: a\r\n\r\n');
  await client.contains(' 414 ');
});

test('an address that is in use refuses the reload, and nothing of it is in force', async (t) => {
  const backend = await answering(t);
  const holder = createServer().listen(0, '127.0.0.1');
  t.after(() => holder.close());
  await once(holder, 'listening');
  const taken = (holder.address() as AddressInfo).port;
  const before = plan([backend.port]);
  const gateway = await startGateway(t, before);
  const client = await gateway.client();
  await client.send(GET).contains('ok');
  const status = gateway.gateway.data.status();
  const free = await freePort();
  const wanted = { ...listening(before, {}, { port: free }, { port: taken }), services: [], routes: [] };
  await assert.rejects(gateway.gateway.data.apply(wanted), { code: 'EADDRINUSE' });
  assert.deepEqual(gateway.gateway.data.status().listeners, status.listeners);
  assert.deepEqual(gateway.gateway.data.status().routes, status.routes);
  await assert.rejects(RawClient.open(free), { code: 'ECONNREFUSED' });
  client.received = '';
  await client.send(GET).contains('ok');
  assert.equal(backend.connections.length, 1);
});

test('an address is narrowed and widened again, and what was accepted before is answered', async (t) => {
  const backend = await silent(t);
  const port = await freePort();
  const wide = plan([backend.port], { listener: { host: '0.0.0.0', port } });
  const narrow = withListener(wide, { host: '127.0.0.1' });
  const gateway = await startGateway(t, wide);
  let requests = 0;
  for (const next of [narrow, wide]) {
    const client = (await gateway.client()).send(GET);
    requests += 1;
    await backend.until(({ received }) => received.split('\r\n\r\n').length === requests + 1);
    await gateway.gateway.data.apply(next);
    assert.deepEqual(
      gateway.gateway.data.status().listeners.map(({ address }) => address),
      [`${next.listeners[0]?.host}:${port}`],
    );
    for (const { socket } of backend.connections) socket.write(OK);
    assert.match(await client.end(), / 200 OK\r\n[\s\S]*Connection: close\r\n\r\nok$/);
  }
  const client = (await gateway.client()).send(GET);
  await backend.until(({ received }) => received.split('\r\n\r\n').length === requests + 2);
  backend.connections.at(-1)?.socket.write(OK);
  await client.contains('ok');
});

test('where another new address cannot be listened on, one that made room listens again', async (t) => {
  const backend = await answering(t);
  const holder = createServer().listen(0, '127.0.0.1');
  t.after(() => holder.close());
  await once(holder, 'listening');
  const taken = (holder.address() as AddressInfo).port;
  const port = await freePort();
  const wide = plan([backend.port], { listener: { host: '0.0.0.0', port } });
  const gateway = await startGateway(t, wide);
  const client = await gateway.client();
  await client.send(GET).contains('ok');
  const wanted = listening(wide, { host: '127.0.0.1' }, { host: '127.0.0.1', port: taken });
  await assert.rejects(gateway.gateway.data.apply(wanted), { code: 'EADDRINUSE' });
  assert.deepEqual(gateway.gateway.data.status().listeners, [
    { address: `0.0.0.0:${port}`, protocol: 'http', connections: 1, services: [] },
  ]);
  client.received = '';
  await client.send(GET).contains('ok');
  assert.match(await exchangeRaw(port, LAST_GET), / 200 OK/);
});

test('a gateway that shuts down takes no new plan', async (t) => {
  const backend = await silent(t);
  const before = plan([backend.port]);
  const gateway = await startGateway(t, before);
  const client = (await gateway.client()).send(GET);
  await backend.until(({ received }) => received.endsWith('\r\n\r\n'));
  const stopped = gateway.gateway.stop(60_000);
  const port = await freePort();
  await assert.rejects(gateway.gateway.data.apply(listening(before, {}, { port })), /shutting down/);
  await assert.rejects(RawClient.open(port), { code: 'ECONNREFUSED' });
  backend.connections[0]?.socket.write(OK);
  assert.match(await client.end(), /ok$/);
  await stopped;
});

test('a shutdown in the middle of a reload leaves no listener of the new plan', async (t) => {
  const backend = await silent(t);
  const before = plan([backend.port]);
  const gateway = await startGateway(t, before);
  const port = await freePort();
  const applied = gateway.gateway.data.apply(listening(before, {}, { port }));
  const stopped = gateway.gateway.stop(60_000);
  await assert.rejects(applied, /shutting down/);
  await stopped;
  await assert.rejects(RawClient.open(port), { code: 'ECONNREFUSED' });
});

test('a listener that was removed still counts in a drain: its last request is answered', async (t) => {
  const backend = await silent(t);
  const before = plan([backend.port]);
  const gateway = await startGateway(t, before);
  const client = (await gateway.client()).send(GET);
  await backend.until(({ received }) => received.endsWith('\r\n\r\n'));
  await gateway.gateway.data.apply(listening(before, { port: await freePort() }));
  let isStopped = false;
  const stopped = gateway.gateway.stop(60_000).then(() => {
    isStopped = true;
  });
  await eventually(() => gateway.gateway.data.draining);
  assert.equal(isStopped, false);
  backend.connections[0]?.socket.write(OK);
  assert.match(await client.end(), /ok$/);
  await stopped;
});
