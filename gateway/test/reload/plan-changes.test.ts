import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { formatPlanChange } from '../../src/control/reload/format-plan-change.ts';
import { deepEqualPlan } from '../../src/data/changed-fields.ts';
import type { HttpListenerPlan, Plan, RoutePlan, ServicePlan } from '../../src/data/plan.ts';
import { planChanges } from '../../src/data/plan-changes.ts';
import {
  BREAKER,
  backendPlan,
  listenerPlan,
  plan,
  retryPlan,
  servicePlan,
  TCP_HEALTH,
} from '../support/plans.ts';
import { tcpListenerPlan } from '../tcp/tcp-plans.ts';
import { udpListenerPlan } from '../udp/udp-stage.ts';

const lines = (before: Plan, after: Plan): string[] => planChanges(before, after).map(formatPlanChange);

/** The lines when only the service `web` changes so. */
function serviceLines(before: Partial<ServicePlan>, after: Partial<ServicePlan>): string[] {
  return lines(plan([3001], { service: before }), plan([3001], { service: after }));
}

function routeLines(before: Partial<RoutePlan>, after: Partial<RoutePlan>): string[] {
  return lines(plan([3001], { route: before }), plan([3001], { route: after }));
}

const [ROUTE] = plan([3001]).routes;
assert.ok(ROUTE);
const route = (name: string): RoutePlan => ({ ...ROUTE, name });

suite('what changed between two plans', () => {
  test('nothing, when they say the same', () => {
    assert.deepEqual(planChanges(plan([3001]), plan([3001])), []);
    assert.deepEqual(planChanges(plan([3001]), structuredClone(plan([3001]))), []);
  });

  test('is told in the order listeners, services, backends, routes, settings, with what went before what came', () => {
    const before: Plan = {
      ...plan([], { services: [servicePlan([3001, 3002]), servicePlan([3003], { name: 'old' })] }),
      routes: [route('/a'), route('/b')],
    };
    const after: Plan = {
      ...plan([], {
        services: [servicePlan([3002, 3004]), servicePlan([3005], { name: 'new' })],
        listener: { host: '::1', port: 8081 },
      }),
      routes: [route('www.example.com/x'), route('/b')],
      explainTokenSha256: 'ab12',
    };
    assert.deepEqual(lines(before, after), [
      '- listener 127.0.0.1:0',
      '+ listener [::1]:8081',
      '- service old',
      '+ service new',
      '- backend web 127.0.0.1:3001',
      '- backend old 127.0.0.1:3003',
      '+ backend web 127.0.0.1:3004',
      '+ backend new 127.0.0.1:3005',
      '- route /a',
      '+ route www.example.com/x',
      '+ setting explainTokenSha256',
    ]);
  });

  test('a service lists its fields, old and new', () => {
    const after: Partial<ServicePlan> = {
      balance: { kind: 'round-robin' },
      timeouts: { connectMs: 2_000, headMs: 5_000, idleMs: 60_000, totalMs: 0, eventStreamMs: 300_000 },
    };
    assert.deepEqual(serviceLines({}, after), [
      '~ service web: balance: p2c → round-robin, timeouts.headMs: 30000 → 5000',
    ]);
  });

  test('a whole policy goes on and off', () => {
    assert.deepEqual(serviceLines({ breaker: BREAKER }, { breaker: undefined }), [
      '~ service web: breaker: on → off',
    ]);
    const hedge = { kind: 'after', afterMs: 50 } as const;
    assert.deepEqual(serviceLines({}, { retry: retryPlan({ hedge }) }), [
      '~ service web: retry.hedge: off → after',
    ]);
    assert.deepEqual(routeLines({}, { retry: undefined }), ['~ route /: retry: service → none']);
    assert.deepEqual(routeLines({}, { retry: retryPlan() }), ['~ route /: retry: service → on']);
  });

  test('a member of a union is told by its kind, its fields only when the kind stays', () => {
    const hash = (name: string): Partial<ServicePlan> => ({
      balance: { kind: 'hash', key: { from: 'header', name }, balanceFactor: 1.25 },
    });
    assert.deepEqual(serviceLines({}, hash('x-user')), ['~ service web: balance: p2c → hash']);
    assert.deepEqual(serviceLines(hash('x-user'), hash('x-team')), [
      '~ service web: balance.key.name: x-user → x-team',
    ]);
  });

  test("a backend's weight is its own change, not its service's", () => {
    const before = plan([], { services: [servicePlan([], { backends: [backendPlan(3001)] })] });
    const after = plan([], { services: [servicePlan([], { backends: [backendPlan(3001, { weight: 3 })] })] });
    assert.deepEqual(lines(before, after), ['~ backend web 127.0.0.1:3001: weight: 1 → 3']);
  });

  test('another order is a change: it decides between equal routes', () => {
    const before: Plan = { ...plan([3001, 3002]), routes: [route('/a'), route('/b')] };
    const after: Plan = { ...plan([3002, 3001]), routes: [route('/b'), route('/a')] };
    assert.deepEqual(lines(before, after), [
      '~ service web: backends in another order',
      '~ setting routes: in another order',
    ]);
  });

  test('a listener of another kind at the same address is another one', () => {
    const listeners = (kinds: readonly ('http' | 'tcp' | 'udp')[]): Plan => ({
      ...plan([3001]),
      listeners: kinds.map((kind) =>
        kind === 'http'
          ? listenerPlan({ port: 53 })
          : kind === 'tcp'
            ? tcpListenerPlan({ port: 53 })
            : udpListenerPlan({ port: 53 }),
      ),
    });
    assert.deepEqual(lines(listeners(['http']), listeners(['tcp', 'udp'])), [
      '- listener 127.0.0.1:53',
      '+ listener tcp 127.0.0.1:53',
      '+ listener udp 127.0.0.1:53',
    ]);
  });

  test('listeners on ports that the system chooses are told apart', () => {
    const [listener] = plan([]).listeners;
    assert.ok(listener);
    const two: Plan = { ...plan([]), listeners: [listener, listener] };
    assert.deepEqual(lines(plan([]), two), ['+ listener 127.0.0.1:0 #2']);
  });
});

suite('what is named and not shown', () => {
  const probe = (token: string): Partial<ServicePlan> => ({
    health: {
      ...TCP_HEALTH,
      probe: {
        type: 'http',
        path: `/health?key=${token}`,
        host: undefined,
        headers: { authorization: `Bearer ${token}` },
        minStatus: 200,
        maxStatus: 299,
        body: undefined,
      },
    },
  });

  test('fields sent with probes, and the query of a probe', () => {
    assert.deepEqual(serviceLines(probe('hunter2'), probe('hunter3')), [
      '~ service web: health.probe.path changed, health.probe.headers.authorization changed',
    ]);
  });

  test('fields set on requests, and fields that requests must have', () => {
    const edited = (value: string | undefined): Partial<RoutePlan> => ({
      requestHeaders: { set: value === undefined ? {} : { 'x-key': value }, remove: [] },
      headers: value === undefined ? [] : [{ name: 'x-key', value }],
    });
    assert.deepEqual(routeLines(edited('hunter2'), edited('hunter3')), [
      '~ route /: headers changed, requestHeaders.set.x-key changed',
    ]);
    assert.deepEqual(routeLines(edited(undefined), edited('hunter2')), [
      '~ route /: headers changed, requestHeaders.set.x-key added',
    ]);
    assert.deepEqual(routeLines(edited('hunter2'), edited(undefined)), [
      '~ route /: headers changed, requestHeaders.set.x-key removed',
    ]);
  });

  test('certificates with their keys, and the users of tunnels', () => {
    const tls = (key: string, ...more: readonly string[]): Partial<HttpListenerPlan> => ({
      tls: {
        certificates: [key, ...more].map((one) => ({ names: ['a.test'], cert: `cert ${one}`, key: one })),
        clientCa: `ca ${key}`,
        clientCertificate: 'required',
        minVersion: 'TLSv1.2',
        hsts: undefined,
      },
      tunnel: {
        allow: [{ host: key, ports: [{ from: 443, to: 443 }] }],
        auth: [{ name: 'me', sha256: key }],
        maxTunnels: 1,
        connectTimeoutMs: 1,
        idleTimeoutMs: 1,
      },
    });
    const of = (before: Partial<HttpListenerPlan>, after: Partial<HttpListenerPlan>) =>
      lines(plan([3001], { listener: before }), plan([3001], { listener: after }));
    const changed =
      '~ listener 127.0.0.1:0: tls.certificates changed, tls.clientCa changed, tunnel.allow changed, tunnel.auth changed';
    assert.deepEqual(of(tls('hunter2'), tls('hunter3')), [changed]);
    assert.deepEqual(of(tls('hunter2'), tls('hunter2', 'hunter3')), [
      '~ listener 127.0.0.1:0: tls.certificates changed',
    ]);
    assert.deepEqual(of({}, tls('hunter2')), ['~ listener 127.0.0.1:0: tls: off → on, tunnel: off → on']);
  });

  test('the hash of the token', () => {
    const withToken = (explainTokenSha256: string): Plan => ({ ...plan([3001]), explainTokenSha256 });
    assert.deepEqual(lines(withToken('aa'), withToken('bb')), ['~ setting explainTokenSha256']);
  });

  test('certificates and other long values, and what would break the line', () => {
    const tls = (ca: string | undefined): Partial<ServicePlan> => ({
      tls: { ca, serverName: undefined, verify: true },
    });
    assert.deepEqual(serviceLines(tls(undefined), tls('PEM')), ['~ service web: tls.ca added']);
    assert.deepEqual(serviceLines(tls('PEM'), tls('PEM2')), ['~ service web: tls.ca changed']);
    assert.deepEqual(routeLines({}, { rewrite: `/${'x'.repeat(100)}` }), ['~ route /: rewrite added']);
    assert.deepEqual(routeLines({}, { rewrite: '/\n+ route /evil' }), ['~ route /: rewrite added']);
  });

  test('more fields than anybody reads', () => {
    const set = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`x-${index}`, '1']));
    const [line] = routeLines({}, { requestHeaders: { set, remove: [] } });
    assert.match(line ?? '', /x-11 added and 28 more$/);
  });
});

suite('equal plans', () => {
  test('a field that is undefined is a field left out, since a plan may travel as JSON', () => {
    assert.ok(deepEqualPlan(plan([3001]), JSON.parse(JSON.stringify(plan([3001]))) as Plan));
    assert.ok(deepEqualPlan(JSON.parse(JSON.stringify(plan([3001]))) as Plan, plan([3001])));
  });

  test('names that every object has are names like others', () => {
    const set = (name: string): Readonly<Record<string, string>> =>
      JSON.parse(`{"${name}":"1"}`) as Record<string, string>;
    for (const name of ['__proto__', 'constructor', 'toString']) {
      assert.ok(deepEqualPlan(set(name), set(name)));
      assert.ok(!deepEqualPlan(set(name), {}), name);
      assert.ok(!deepEqualPlan({}, set(name)), name);
    }
    assert.ok(!deepEqualPlan<unknown>(JSON.parse('{"__proto__":{}}'), {}));
    assert.ok(!deepEqualPlan<unknown>({}, JSON.parse('{"__proto__":{}}')));
  });

  test('an array is no record, and its length counts', () => {
    assert.ok(!deepEqualPlan<unknown>([], {}));
    assert.ok(!deepEqualPlan<unknown>({}, []));
    assert.ok(!deepEqualPlan(['a'], ['a', 'b']));
    assert.ok(!deepEqualPlan(['a', 'b'], ['b', 'a']));
  });
});
