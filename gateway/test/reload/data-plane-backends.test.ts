import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Plan } from '../../src/data/plan.ts';
import type { DataEvent } from '../../src/data/port.ts';
import { makeCertificate } from '../agents/certificates.ts';
import { startHttpBackend } from '../agents/http-backend.ts';
import { eventually, type GatewayInTest, startGateway } from '../relay/gateway-in-test.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { backendPlan, plan, retryPlan, servicePlan, TCP_HEALTH } from '../support/plans.ts';
import { RawBackend } from '../support/raw-backend.ts';
import { OK } from '../support/stage.ts';
import { withService } from './plan-edits.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const says = (text: string): string => `HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`;

/** A backend that answers only when a test writes. */
async function silent(t: TestContext): Promise<RawBackend> {
  const backend = await RawBackend.start();
  t.after(() => backend.stop());
  return backend;
}

async function saying(t: TestContext, text: string): Promise<RawBackend> {
  const backend = await RawBackend.answering(says(text));
  t.after(() => backend.stop());
  return backend;
}

const requested = (backend: RawBackend): Promise<void> =>
  backend.until(({ received }) => received.endsWith('\r\n\r\n'));

/** What a new client is answered. */
async function ask(gateway: GatewayInTest): Promise<string> {
  const client = await gateway.client();
  const answer = await client.send(GET).until((received) => /\r\n\r\n./.test(received));
  client.socket.destroy();
  return answer;
}

const onPorts = (before: Plan, ...ports: number[]): Plan =>
  withService(before, { backends: ports.map((port) => backendPlan(port)) });

test('a download from a backend that is removed goes on to its end, then the connection closes', async (t) => {
  const [old, next] = [await silent(t), await saying(t, 'next')];
  const before = plan([old.port]);
  const gateway = await startGateway(t, before);
  const client = await gateway.client();
  client.send(GET);
  await requested(old);
  const [connection] = old.connections;
  connection?.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst');
  await client.contains('first');
  await gateway.gateway.data.apply(onPorts(before, next.port));
  assert.match(await ask(gateway), /next$/);
  // longer than it takes to notice what has ended
  await new Promise((resolve) => setTimeout(resolve, 700));
  assert.equal(connection?.closed, false);
  connection?.socket.write('other');
  await client.contains('firstother');
  await old.until(() => connection?.closed === true || connection?.ended === true);
  assert.equal(old.connections.length, 1);
});

test('connections that nothing uses close as soon as their backend is removed, even while others are busy', async (t) => {
  const [old, next] = [await silent(t), await saying(t, 'next')];
  const before = plan([old.port]);
  const gateway = await startGateway(t, before);
  const [idle, busy] = [await gateway.client(), await gateway.client()];
  idle.send(GET);
  await old.until(({ connections }) => connections.length === 1);
  busy.send(GET);
  await old.until(({ connections }) => connections[1]?.received.endsWith('\r\n\r\n') === true);
  old.connections[0]?.socket.write(OK);
  await idle.contains('ok');
  await gateway.gateway.data.apply(onPorts(before, next.port));
  await old.until(({ connections }) => connections[0]?.ended === true || connections[0]?.closed === true);
  assert.equal(old.connections[1]?.ended, false);
  old.connections[1]?.socket.write(OK);
  await busy.contains('ok');
});

test('a tunnel to a backend that is removed stays until one of its sides closes it', async (t) => {
  const old = await RawBackend.start((connection, data) => {
    if (data.endsWith('\r\n\r\n'))
      connection.socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
      );
    else connection.socket.write(data.toUpperCase());
  });
  t.after(() => old.stop());
  const next = await saying(t, 'next');
  const before = plan([old.port]);
  const gateway = await startGateway(t, before);
  const client = await gateway.client();
  client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
  await client.contains('101');
  await gateway.gateway.data.apply(onPorts(before, next.port));
  await new Promise((resolve) => setTimeout(resolve, 700));
  await client.send('hello').contains('HELLO');
  client.socket.end();
  await old.until(({ connections }) => connections[0]?.ended === true);
});

test('requests that wait for a connection of a removed backend are answered by it all the same', async (t) => {
  const [old, next] = [await silent(t), await saying(t, 'next')];
  const before = plan([old.port], { service: { pool: { ...servicePlan([]).pool, maxConnections: 1 } } });
  const gateway = await startGateway(t, before);
  const [first, second] = [await gateway.client(), await gateway.client()];
  first.send(GET);
  await requested(old);
  second.send(GET);
  await eventually(() => gateway.backends[0]?.agent.stats.queued === 1);
  await gateway.gateway.data.apply(onPorts(before, next.port));
  old.connections[0]?.socket.write(says('one'));
  await first.contains('one');
  await old.until(({ received }) => received.split('\r\n\r\n').length === 3);
  old.connections[0]?.socket.write(says('two'));
  await second.contains('two');
});

test('requests that wait for a removed backend that is dead go to those that took its place', async (t) => {
  const [old, next] = [await silent(t), await saying(t, 'next')];
  const before = plan([old.port], { service: { pool: { ...servicePlan([]).pool, maxConnections: 1 } } });
  const gateway = await startGateway(t, before);
  const [first, second] = [await gateway.client(), await gateway.client()];
  first.send(GET);
  await requested(old);
  second.send(GET);
  await eventually(() => gateway.backends[0]?.agent.stats.queued === 1);
  await gateway.gateway.data.apply(onPorts(before, next.port));
  await old.stop();
  await first.contains('next');
  await second.contains('next');
});

test('a service that is removed ends what it began, retries at its other backends included', async (t) => {
  const [dying, other, next] = [await silent(t), await saying(t, 'other'), await saying(t, 'next')];
  const before = plan([dying.port, other.port]);
  const gateway = await startGateway(t, before);
  const otherRef = { service: 'web', backend: `127.0.0.1:${other.port}` };
  gateway.gateway.data.setAdmin(otherRef, 'draining');
  const client = await gateway.client();
  client.send(GET);
  await requested(dying);
  gateway.gateway.data.setAdmin(otherRef, 'enabled');
  const renamed = {
    ...before,
    services: [servicePlan([next.port], { name: 'renamed' })],
    routes: before.routes.map((route) => ({ ...route, service: 'renamed' })),
  };
  const changes = await gateway.gateway.data.apply(renamed);
  assert.deepEqual(
    changes.map(({ what, change }) => `${change} ${what}`),
    [
      'removed service',
      'added service',
      'removed backend',
      'removed backend',
      'added backend',
      'changed route',
    ],
  );
  assert.match(await ask(gateway), /next$/);
  await new Promise((resolve) => setTimeout(resolve, 700));
  dying.connections[0]?.socket.destroy();
  await client.contains('other');
  await eventually(() => other.connections.every(({ ended, closed }) => ended || closed));
});

test('an added backend gets its share at once where there is no slow start', async (t) => {
  const [one, two] = [await saying(t, 'one'), await saying(t, 'two')];
  const before = plan([one.port], { service: { balance: { kind: 'round-robin' } } });
  const gateway = await startGateway(t, before);
  assert.match(await ask(gateway), /one$/);
  await gateway.gateway.data.apply(onPorts(before, one.port, two.port));
  const answers = [await ask(gateway), await ask(gateway), await ask(gateway), await ask(gateway)];
  assert.equal(answers.filter((answer) => answer.endsWith('two')).length, 2);
  assert.equal(one.connections.length, 1);
});

test('changed weights shift the traffic of the next requests', async (t) => {
  const [one, two] = [await saying(t, 'one'), await saying(t, 'two')];
  const before = plan([one.port, two.port], { service: { balance: { kind: 'round-robin' } } });
  const gateway = await startGateway(t, before);
  const weighted = [backendPlan(one.port, { weight: 3 }), backendPlan(two.port)];
  await gateway.gateway.data.apply(withService(before, { backends: weighted }));
  let ones = 0;
  for (let i = 0; i < 8; i++) if ((await ask(gateway)).endsWith('one')) ones += 1;
  assert.equal(ones, 6);
});

test('a pool made smaller closes what it has too many: what rests at once, the others after use', async (t) => {
  const backend = await silent(t);
  const before = plan([backend.port]);
  const gateway = await startGateway(t, before);
  const clients = await Promise.all([1, 2, 3].map(() => gateway.client()));
  for (const client of clients) client.send(GET);
  await backend.until(({ received }) => received.split('\r\n\r\n').length === 4);
  backend.connections[0]?.socket.write(OK);
  await eventually(() => gateway.backends[0]?.agent.stats.idle === 1);
  const pool = { ...servicePlan([]).pool, maxConnections: 1 };
  await gateway.gateway.data.apply(withService(before, { pool }));
  assert.deepEqual(gateway.backends[0]?.agent.stats, { active: 2, idle: 0, connecting: 0, queued: 0 });
  for (const { socket } of backend.connections.slice(1)) socket.write(OK);
  for (const client of clients) await client.contains('ok');
  const { stats } = gateway.backends[0]?.agent ?? { stats: undefined };
  assert.deepEqual(stats, { active: 0, idle: 1, connecting: 0, queued: 0 });
});

test('a new time limit holds for the next request', async (t) => {
  const backend = await silent(t);
  const before = plan([backend.port], { service: { retry: undefined } });
  const clock = new ManualClock();
  const gateway = await startGateway(t, before, { clock });
  const first = (await gateway.client()).send(GET);
  await requested(backend);
  await gateway.gateway.data.apply(
    withService(before, { timeouts: { ...servicePlan([]).timeouts, headMs: 100 } }),
  );
  const second = (await gateway.client()).send(GET);
  await backend.until(({ received }) => received.split('\r\n\r\n').length === 3);
  clock.advance(500);
  assert.match(await second.contains('response_timeout'), /^HTTP\/1\.1 504 /);
  backend.connections[0]?.socket.write(OK);
  await first.contains('ok');
});

test('a backend that speaks https from now on is another one, but what the operator said of it holds', async (t) => {
  const certificate = makeCertificate({ names: ['IP:127.0.0.1'] });
  const secure = await startHttpBackend(t, (_request, response) => response.end('secure'), { certificate });
  const before = plan([secure.port], { service: { retry: undefined } });
  const gateway = await startGateway(t, before);
  assert.match(await ask(gateway), /^HTTP\/1\.1 502 /);
  const ref = { service: 'web', backend: `127.0.0.1:${secure.port}` };
  const { data } = gateway.gateway;
  data.setWeight(ref, 9);
  data.setAdmin(ref, 'draining');
  const after = withService(before, {
    backends: [backendPlan(secure.port, { protocol: 'https' })],
    tls: { ca: certificate.ca, serverName: undefined, verify: true },
  });
  await data.apply(after);
  const [status] = data.status().services[0]?.backends ?? [];
  assert.deepEqual([status?.admin, status?.weight, status?.eligible], ['draining', 9, false]);
  data.setAdmin(ref, 'enabled');
  assert.match(await ask(gateway), /secure/);
});

test('new TLS settings hold for the next connection, and none is kept that was made by the old ones', async (t) => {
  const certificate = makeCertificate({ names: ['IP:127.0.0.1'] });
  const secure = await startHttpBackend(t, (_request, response) => response.end('secure'), { certificate });
  const before = plan([], {
    services: [
      servicePlan([], {
        backends: [backendPlan(secure.port, { protocol: 'https' })],
        tls: { ca: undefined, serverName: undefined, verify: false },
        retry: retryPlan({ attempts: 0 }),
      }),
    ],
  });
  const gateway = await startGateway(t, before);
  assert.match(await ask(gateway), /secure/);
  const verifying = withService(before, { tls: { ca: undefined, serverName: undefined, verify: true } });
  await gateway.gateway.data.apply(verifying);
  assert.match(await ask(gateway), /tls_untrusted/);
  await gateway.gateway.data.apply(before);
  assert.match(await ask(gateway), /secure/);
});

test('an added backend starts slowly, as one that comes back does; those of a new service do not', async (t) => {
  const [one, two] = [await saying(t, 'one'), await saying(t, 'two')];
  const before = plan([one.port], { service: { slowStartMs: 10_000 } });
  const clock = new ManualClock();
  const gateway = await startGateway(t, before, { clock });
  const weights = (): readonly (number | undefined)[] =>
    gateway.gateway.data.status().services.flatMap(({ backends }) => backends.map((b) => b.effectiveWeight));
  await gateway.gateway.data.apply(onPorts(before, one.port, two.port));
  const [old, added = 1] = weights();
  assert.equal(old, 1);
  assert.ok(added > 0 && added < 0.5);
  clock.advance(11_000);
  assert.deepEqual(weights(), [1, 1]);
  const fresh = servicePlan([two.port], { name: 'fresh', slowStartMs: 10_000 });
  await gateway.gateway.data.apply({ ...before, services: [...before.services, fresh] });
  assert.deepEqual(weights(), [1, 1]);
});

test('a service whose backends are all replaced is without any only once each of the new ones was found ill', async (t) => {
  const [one, two] = [await saying(t, 'one'), await saying(t, 'two')];
  const before = plan([one.port], { service: { health: TCP_HEALTH } });
  const events: string[] = [];
  const observer = { event: ({ kind }: DataEvent) => void events.push(kind) };
  const gateway = await startGateway(t, before, { observer });
  const { data } = gateway.gateway;
  await data.apply(onPorts(before, two.port, 1));
  const found = (port: number, healthy: boolean): boolean =>
    data.setHealth({ service: 'web', backend: `127.0.0.1:${port}` }, { healthy, reason: 'probed' });
  found(1, false);
  assert.deepEqual(events, ['ineligible']);
  found(two.port, true);
  assert.deepEqual(events, ['ineligible']);
  found(two.port, false);
  assert.deepEqual(events, ['ineligible', 'ineligible', 'none-eligible']);
});
