import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Plan, RoutePlan } from '../../src/data/plan.ts';
import { eventually, type GatewayInTest, startGateway } from '../relay/gateway-in-test.ts';
import { withListener, withRoute, withService } from '../reload/plan-edits.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { backendPlan, plan, servicePlan } from '../support/plans.ts';
import { RawBackend } from '../support/raw-backend.ts';
import type { RawClient } from '../support/raw-client.ts';
import { ASK, fromClient } from '../websocket/frames.ts';
import { upgrading } from '../websocket/web-socket-stage.ts';

/** The window that sockets of a route that is gone are closed in, and the time for answers, with some to spare. */
const RELOAD_MS = 25_000 + 7_000;

interface ReloadStage extends GatewayInTest {
  readonly clock: ManualClock;
  readonly plan: Plan;
  readonly servers: readonly RawBackend[];
  open(path?: string): Promise<RawClient>;
  apply(plan: Plan): Promise<void>;
  /** Whether a message of the client still comes to a backend. */
  isAlive(client: RawClient): Promise<boolean>;
}

async function reloadStage(t: TestContext, count = 1, routes?: readonly RoutePlan[]): Promise<ReloadStage> {
  const backends: RawBackend[] = [];
  for (let i = 0; i < count; i++) backends.push(await RawBackend.start(upgrading));
  t.after(() => Promise.all(backends.map((backend) => backend.stop())));
  const clock = new ManualClock();
  const ports = backends.map(({ port }) => port);
  const changes = { service: { balance: { kind: 'round-robin' } }, ...(routes && { routes }) } as const;
  const first = plan(ports, changes);
  const gateway = await startGateway(t, first, { clock });
  let messages = 0;
  return {
    ...gateway,
    ...{ clock, plan: first, servers: backends },
    async open(path = '/') {
      const client = await gateway.client();
      await client.send(ASK.replace('/chat', path)).contains('101');
      return client;
    },
    async apply(next) {
      await gateway.gateway.data.apply(next);
      clock.advance(RELOAD_MS);
    },
    async isAlive(client) {
      const text = `message ${messages}`;
      messages += 1;
      const masked = fromClient(text);
      client.send(masked);
      const arrived = (): boolean => backends.some(({ received }) => received.includes(masked));
      await eventually(
        () => client.ended || client.closed || client.received.includes('\x88\x02') || arrived(),
      );
      return arrived();
    },
  };
}

const route = (plan: Plan): RoutePlan => plan.routes[0] ?? assert.fail();

const UNRELATED: Readonly<Record<string, (plan: Plan) => Plan>> = {
  'another route comes': (plan) => ({
    ...plan,
    routes: [...plan.routes, { ...route(plan), name: '/other', path: '/other' }],
  }),
  'the route is changed in what matters to requests alone': (plan) =>
    withRoute(plan, {
      timeouts: { headMs: 5 },
      maxBodyBytes: 1,
      rewrite: '/elsewhere',
      responseHeaders: { set: { a: 'b' }, remove: [] },
    }),
  'the route may have fewer sockets': (plan) =>
    withRoute(plan, { webSocket: { maxConnections: 1, idleMs: 300_000, pingMs: 0 } }),
  'the service is changed': (plan) => withService(plan, { balance: { kind: 'random' }, retry: undefined }),
  'the service gets a backend': (plan) =>
    withService(plan, { backends: [...(plan.services[0]?.backends ?? []), backendPlan(1, { name: 'b:1' })] }),
  'another service comes': (plan) => ({
    ...plan,
    services: [...plan.services, servicePlan([1], { name: 'other' })],
  }),
  'the listener is changed': (plan) => withListener(plan, { maxConnections: 50 }),
  'the listener goes': (plan) => withListener(plan, { host: '127.0.0.2' }),
  'nothing at all': (plan) => ({ ...plan }),
};

for (const [what, edit] of Object.entries(UNRELATED)) {
  test(`a reload leaves WebSockets alone: ${what} (caddyserver/caddy#7222)`, async (t) => {
    const there = await reloadStage(t);
    const clients = [await there.open(), await there.open()];
    await there.apply(edit(there.plan));
    for (const client of clients) assert.equal(await there.isAlive(client), true);
    assert.equal(there.gateway.data.routes[0]?.tunnels.open, 2);
    // and again, now that their route may be another object
    await there.apply(withRoute(edit(there.plan), { priority: 'low' }));
    for (const client of clients) assert.equal(await there.isAlive(client), true);
    for (const client of clients) client.socket.resetAndDestroy();
    await eventually(() => there.gateway.data.routes[0]?.tunnels.open === 0);
    assert.equal(there.gateway.data.routes[0]?.tunnels.ended.get('client'), 2);
  });
}

const GONE: Readonly<Record<string, (plan: Plan) => Plan>> = {
  'the route is no more': (plan) => ({ ...plan, routes: [{ ...route(plan), name: 'b', path: '/b' }] }),
  'it has another host': (plan) => withRoute(plan, { host: 'b' }),
  'it has another path': (plan) => withRoute(plan, { path: '/b' }),
  'it has other methods': (plan) => withRoute(plan, { methods: ['POST'] }),
  'it wants other headers': (plan) => withRoute(plan, { headers: [{ name: 'a', value: undefined }] }),
  'it leads to another service': (plan) =>
    withRoute({ ...plan, services: [...plan.services, servicePlan([1], { name: 'b' })] }, { service: 'b' }),
  'the backend is removed from the service': (plan) => withService(plan, { backends: [backendPlan(1)] }),
};

for (const [what, edit] of Object.entries(GONE)) {
  test(`a reload ends WebSockets with Close 1012 when ${what}`, async (t) => {
    const there = await reloadStage(t);
    const client = await there.open();
    const counters = there.gateway.data.routes[0]?.tunnels;
    const backend = there.backends[0];
    await there.apply(edit(there.plan));
    await client.contains('\x88\x02\x03\xf4');
    await there.servers[0]?.until(({ received }) => received.includes('\x88\x82'));
    there.clock.advance(7_000);
    await client.end();
    assert.deepEqual([...(counters?.ended ?? [])], [['reload', 1]]);
    // what was taken out of the plan goes when its last tunnel has
    await eventually(() => backend?.pending === 0);
    there.clock.advance(1_000);
  });
}

test('only the sockets of the route that went are ended', async (t) => {
  const [all] = plan([1]).routes;
  assert.ok(all);
  const routes = ['/a', '/b'].map((path) => ({ ...all, name: path, path }));
  const there = await reloadStage(t, 1, routes);
  const [a, b] = [await there.open('/a'), await there.open('/b')];
  await there.apply({ ...there.plan, routes: routes.slice(1) });
  await a.contains('\x88\x02\x03\xf4');
  assert.equal(await there.isAlive(b), true);
});

test('only the sockets to the backend that went are ended, and it is let go of after the last', async (t) => {
  const there = await reloadStage(t, 2);
  const clients = [await there.open(), await there.open(), await there.open(), await there.open()];
  const [gone, stays] = there.backends;
  assert.ok(gone && stays);
  assert.deepEqual([gone.pending, stays.pending], [2, 2]);
  let destroyed = false;
  const destroy = gone.destroy.bind(gone);
  gone.destroy = () => {
    destroyed = true;
    destroy();
  };
  const [, port = 0] = there.servers.map((backend) => backend.port);
  await there.gateway.data.apply(withService(there.plan, { backends: [backendPlan(port)] }));
  there.clock.advance(1_000);
  assert.equal(destroyed, false);
  there.clock.advance(RELOAD_MS);
  await eventually(() => gone.pending === 0);
  there.clock.advance(1_000);
  assert.equal(destroyed, true);
  assert.equal(stays.pending, 2);
  const alive = await Promise.all(clients.map((client) => there.isAlive(client)));
  assert.equal(alive.filter(Boolean).length, 2);
});

test('a socket whose upgrade was under way when its route went is ended like the others', async (t) => {
  const backend = await RawBackend.start();
  t.after(() => backend.stop());
  const clock = new ManualClock();
  const before = plan([backend.port]);
  const gateway = await startGateway(t, before, { clock });
  const client = (await gateway.client()).send(ASK);
  await backend.until(({ received }) => received.endsWith('\r\n\r\n'));
  await gateway.gateway.data.apply(withRoute(before, { path: '/b' }));
  if (backend.connections[0]) upgrading(backend.connections[0], backend.connections[0].received);
  await client.contains('101');
  clock.advance(RELOAD_MS);
  await client.contains('\x88\x02\x03\xf4');
});

test('a route that is back before its sockets were told keeps them', async (t) => {
  const there = await reloadStage(t);
  const client = await there.open();
  await there.gateway.data.apply(withRoute(there.plan, { path: '/b' }));
  await there.apply(there.plan);
  assert.equal(await there.isAlive(client), true);
});

test('the idle time of a changed route holds for the sockets that there are', async (t) => {
  const there = await reloadStage(t);
  const client = await there.open();
  const webSocket = { maxConnections: 10, idleMs: 2_000, pingMs: 0 };
  await there.gateway.data.apply(withRoute(there.plan, { webSocket }));
  there.clock.advance(1_500);
  assert.equal(await there.isAlive(client), true);
  there.clock.advance(2_300);
  await client.contains('\x88\x02\x03\xe9');
});

test('a drain finds the sockets of replaced routes too', async (t) => {
  const there = await reloadStage(t);
  const client = await there.open();
  await there.apply(withRoute(there.plan, { priority: 'low' }));
  void there.gateway.data.drain(20_000);
  there.clock.advance(1_200);
  await client.contains('\x88\x02\x03\xf4');
});
