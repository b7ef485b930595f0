import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { ServicePlan } from '../../src/data/plan.ts';
import type { BackendStatus } from '../../src/data/port.ts';
import type { GatewayInTest } from '../relay/gateway-in-test.ts';
import { startGateway } from '../relay/gateway-in-test.ts';
import { ManualClock } from '../support/manual-clock.ts';
import {
  BREAKER,
  backendPlan,
  EJECTION,
  plan,
  retryPlan,
  servicePlan,
  TCP_HEALTH,
} from '../support/plans.ts';
import { RawBackend } from '../support/raw-backend.ts';
import { OK } from '../support/stage.ts';
import { withListener, withRoute, withService } from './plan-edits.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const FAILED = 'HTTP/1.1 500 Internal Server Error\r\nContent-Length: 2\r\n\r\nno';

async function answering(t: TestContext, response = OK): Promise<RawBackend> {
  const backend = await RawBackend.answering(response);
  t.after(() => backend.stop());
  return backend;
}

function backendsOf(gateway: GatewayInTest): readonly BackendStatus[] {
  return gateway.gateway.data.status().services.flatMap(({ backends }) => backends);
}

/** Every setting of a service that is changed in place, and a new value. */
const IN_PLACE: Readonly<Record<string, (port: number) => Partial<ServicePlan>>> = {
  weight: (port) => ({ backends: [backendPlan(port, { weight: 7 })] }),
  'another backend': (port) => ({ backends: [backendPlan(port), backendPlan(1, { name: 'b:1' })] }),
  pool: () => ({ pool: { ...servicePlan([]).pool, maxConnections: 3, maxAgeMs: 50_000 } }),
  timeouts: () => ({ timeouts: { ...servicePlan([]).timeouts, headMs: 1_234 } }),
  balance: () => ({ balance: { kind: 'round-robin' } }),
  sticky: () => ({ sticky: { cookie: 'c', ttlMs: undefined } }),
  ejection: () => ({ ejection: { ...EJECTION, consecutiveFailures: 3 } }),
  breaker: () => ({ breaker: { ...BREAKER, minRequests: 5 } }),
  retry: () => ({ retry: retryPlan({ attempts: 3 }) }),
  'no retry': () => ({ retry: undefined }),
  'retry budget': () => ({ retryBudget: { percent: 5, minPerSecond: 1 } }),
  'slow start': () => ({ slowStartMs: 5_000 }),
  'when none is eligible': () => ({ whenNoneEligible: 'all' }),
  concurrency: () => ({ concurrency: { max: 5, queue: 1, queueTimeoutMs: 100, adaptive: false } }),
};

for (const [what, changes] of Object.entries(IN_PLACE)) {
  test(`${what}: changed in place, the connection and what is known of the backend stay`, async (t) => {
    const backend = await answering(t);
    const before = plan([backend.port]);
    const gateway = await startGateway(t, before, { clock: new ManualClock() });
    const client = await gateway.client();
    await client.send(GET).contains('ok');
    const [known] = backendsOf(gateway);
    const applied = await gateway.gateway.data.apply(withService(before, changes(backend.port)));
    assert.equal(applied.length, 1);
    const [now] = backendsOf(gateway);
    assert.equal(now?.latencyMs, known?.latencyMs);
    assert.equal(now?.lastSuccessAgoMs, known?.lastSuccessAgoMs);
    assert.equal(now?.pool.idle, 1);
    client.received = '';
    await client.send(GET).contains('ok');
    assert.equal(backend.connections.length, 1);
    assert.equal(gateway.gateway.data.services[0]?.backends[0]?.counters.byStatus.get(200), 2);
  });
}

test('all that is known of a service stays when others around it come, go and change', async (t) => {
  const [good, failing, other] = [await answering(t), await answering(t, FAILED), await answering(t)];
  const refusing = await answering(t);
  const { port: closedPort } = refusing;
  await refusing.stop();
  const web = servicePlan([good.port, failing.port, closedPort], {
    balance: { kind: 'round-robin' },
    ejection: EJECTION,
    breaker: { ...BREAKER, minRequests: 2, failurePercent: 1 },
    retry: retryPlan({ attempts: 2, backoffMs: 0 }),
    retryBudget: { percent: 100, minPerSecond: 100 },
  });
  const db = servicePlan([other.port], { name: 'db' });
  const before = plan([], { services: [web, db] });
  const gateway = await startGateway(t, before, { clock: new ManualClock() });
  const ask = async (): Promise<string> => {
    const client = await gateway.client();
    return client.send(GET).until((received) => /ok|no/.test(received));
  };
  for (let i = 0; i < 8; i++) await ask();
  const known = gateway.gateway.data.status().services[0];
  assert.deepEqual(
    known?.backends.map(({ excludedBy }) => excludedBy),
    [undefined, 'breaker', 'ejection'],
  );
  const more = servicePlan([other.port], { name: 'more' });
  const changed = { ...before, services: [{ ...db, slowStartMs: 1 }, more, web] };
  for (const next of [
    changed,
    { ...before, services: [web] },
    before,
    withListener(before, { maxHeaders: 7 }),
  ]) {
    await gateway.gateway.data.apply(next);
    const now = gateway.gateway.data.status().services.find(({ name }) => name === 'web');
    assert.deepEqual(now, known);
  }
  assert.match(await ask(), /ok$/);
  assert.equal(good.connections.length, 1);
});

test('what the operator and the probes say of a backend outlives a change of its service', async (t) => {
  const backend = await answering(t);
  const before = plan([backend.port], { service: { health: TCP_HEALTH } });
  const gateway = await startGateway(t, before);
  const { data } = gateway.gateway;
  const ref = { service: 'web', backend: `127.0.0.1:${backend.port}` };
  data.setAdmin(ref, 'draining');
  data.setWeight(ref, 9);
  await data.apply(withService(before, { slowStartMs: 77, balance: { kind: 'random' } }));
  const [known] = backendsOf(gateway);
  assert.deepEqual([known?.admin, known?.weight, known?.health], ['draining', 9, 'healthy']);
});

test('a new ejection plan, and a new breaker plan, begin afresh; the other one stays', async (t) => {
  const [failing, good] = [await answering(t, FAILED), await answering(t)];
  const ejection = { ...EJECTION, consecutiveFailures: 1 };
  const breaker = { ...BREAKER, minRequests: 1, failurePercent: 1 };
  const before = plan([failing.port, good.port], {
    service: { ejection, breaker, balance: { kind: 'round-robin' } },
  });
  const gateway = await startGateway(t, before, { clock: new ManualClock() });
  // each of the two gets one
  for (let i = 0; i < 2; i++) {
    const client = await gateway.client();
    await client.send(GET).until((received) => /ok|no/.test(received));
  }
  const excluded = (): string | undefined => backendsOf(gateway)[0]?.excludedBy;
  assert.equal(excluded(), 'ejection');
  const other = withService(before, { ejection: { ...ejection, baseMs: 1_000 } });
  await gateway.gateway.data.apply(other);
  assert.equal(excluded(), 'breaker');
  assert.equal(backendsOf(gateway)[0]?.breaker, 'open');
  await gateway.gateway.data.apply(withService(other, { breaker: { ...breaker, openMs: 1_000 } }));
  assert.equal(excluded(), undefined);
});

test('a plan without changes changes nothing and says so', async (t) => {
  const backend = await answering(t);
  const before = plan([backend.port]);
  const gateway = await startGateway(t, before);
  const [service] = gateway.gateway.data.services;
  assert.deepEqual(await gateway.gateway.data.apply(structuredClone(before)), []);
  assert.equal(gateway.gateway.data.services[0], service);
});

test('a request under way ends by the route it began with; the next one goes by the new one', async (t) => {
  const backend = await RawBackend.start();
  t.after(() => backend.stop());
  const before = plan([backend.port], {
    route: { path: '/a', rewrite: '/old', responseHeaders: { set: { 'X-Plan': 'old' }, remove: [] } },
  });
  const gateway = await startGateway(t, before);
  const client = await gateway.client();
  client.send('GET /a/1 HTTP/1.1\r\nHost: a\r\n\r\n');
  await backend.until(({ received }) => received.endsWith('\r\n\r\n'));
  const [change] = await gateway.gateway.data.apply(
    withRoute(before, { rewrite: '/new', responseHeaders: { set: { 'X-Plan': 'new' }, remove: [] } }),
  );
  assert.equal(change?.what, 'route');
  backend.connections[0]?.socket.write(OK);
  assert.match(await client.contains('ok'), /X-Plan: old\r\n/);
  client.received = '';
  client.send('GET /a/2 HTTP/1.1\r\nHost: a\r\n\r\n');
  await backend.until(({ received }) => received.includes('/2 HTTP'));
  backend.connections[0]?.socket.write(OK);
  assert.match(await client.contains('ok'), /X-Plan: new\r\n/);
  assert.match(backend.received, /^GET \/old\/1 HTTP[\s\S]*\r\n\r\nGET \/new\/2 HTTP/);
  assert.equal(backend.connections.length, 1);
  assert.deepEqual([...(gateway.gateway.data.routes[0]?.counters.byStatus ?? [])], [[200, 2]]);
});
