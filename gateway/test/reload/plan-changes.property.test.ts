import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { deepEqualPlan } from '../../src/data/changed-fields.ts';
import type {
  BackendPlan,
  BalancePlan,
  HealthPlan,
  ListenerPlan,
  Plan,
  RoutePlan,
  ServicePlan,
} from '../../src/data/plan.ts';
import { planChanges } from '../../src/data/plan-changes.ts';
import type { PlanChange } from '../../src/data/port.ts';
import { BREAKER, backendPlan, plan, retryPlan, servicePlan, TCP_HEALTH } from '../support/plans.ts';

// Few words and few values, so that two plans share much and differ in little. No value here occurs in a name.
const SECRET = 'hunter';
const secret = fc.constantFrom(`${SECRET}1`, `${SECRET}2`);
const headerName = fc.constantFrom('x-a', '__proto__', 'constructor');
const fields = fc.array(fc.tuple(headerName, secret), { maxLength: 2 }).map((pairs) => {
  // as JSON.parse does and an object literal does not, so that `__proto__` is a field
  return JSON.parse(`{${pairs.map(([name, value]) => `"${name}":"${value}"`).join(',')}}`) as Record<
    string,
    string
  >;
});

const balance: fc.Arbitrary<BalancePlan> = fc.oneof(
  fc.constant<BalancePlan>({ kind: 'p2c' }),
  fc
    .constantFrom('x-user', 'x-team')
    .map((name): BalancePlan => ({ kind: 'hash', key: { from: 'header', name }, balanceFactor: 1.25 })),
  fc.constant<BalancePlan>({ kind: 'hash', key: { from: 'path' }, balanceFactor: 1.25 }),
);

const health: fc.Arbitrary<HealthPlan | undefined> = fc.oneof(
  fc.constant(undefined),
  fc.constant(TCP_HEALTH),
  fields.map(
    (headers): HealthPlan => ({
      ...TCP_HEALTH,
      probe: {
        type: 'http',
        path: '/',
        host: undefined,
        headers,
        minStatus: 200,
        maxStatus: 299,
        body: undefined,
      },
    }),
  ),
);

const backend: fc.Arbitrary<BackendPlan> = fc
  .tuple(fc.constantFrom(3001, 3002, 3003), fc.constantFrom(1, 2), fc.constantFrom('http', 'https'))
  .map(([port, weight, protocol]) => backendPlan(port, { weight, protocol }));

const service: fc.Arbitrary<ServicePlan> = fc
  .record({
    name: fc.constantFrom('db', 'web', '__proto__'),
    backends: fc.uniqueArray(backend, { selector: ({ name }) => name, maxLength: 3 }),
    balance,
    health,
    breaker: fc.constantFrom(undefined, BREAKER),
    slowStartMs: fc.constantFrom(0, 10_000),
  })
  .map((changes) => servicePlan([], changes));

const [SOME_LISTENER] = plan([]).listeners;
const [SOME_ROUTE] = plan([]).routes;
assert.ok(SOME_LISTENER !== undefined && SOME_ROUTE !== undefined);

const listener: fc.Arbitrary<ListenerPlan> = fc
  .record({ host: fc.constantFrom('127.0.0.1', '::1'), port: fc.constantFrom(0, 80), maxHeaders: fc.nat(1) })
  .map((changes) => ({ ...SOME_LISTENER, ...changes }));

const route: fc.Arbitrary<RoutePlan> = fc
  .record({
    name: fc.constantFrom('/', '/a', '/a #2'),
    methods: fc.subarray(['GET', 'POST']),
    service: fc.constantFrom('db', 'web'),
    timeouts: fc.constantFrom({}, { headMs: 1 }),
    retry: fc.constantFrom('service' as const, undefined, retryPlan(), retryPlan({ attempts: 2 })),
    headers: fc.array(fc.record({ name: fc.constant('x-a'), value: fc.option(secret, { nil: undefined }) }), {
      maxLength: 1,
    }),
    requestHeaders: fields.map((set) => ({ set, remove: [] })),
  })
  .map((changes) => ({ ...SOME_ROUTE, ...changes }));

const anyPlan: fc.Arbitrary<Plan> = fc.record({
  // listeners on a port that the system chooses may be the same twice
  listeners: fc.array(listener, { maxLength: 3 }),
  services: fc.uniqueArray(service, { selector: ({ name }) => name, maxLength: 3 }),
  routes: fc.uniqueArray(route, { selector: ({ name }) => name, maxLength: 3 }),
  explainTokenSha256: fc.option(secret, { nil: undefined }),
});

/** Two plans: unrelated, the same, or the one with one part of the other or with its parts turned round. */
const pair: fc.Arbitrary<readonly [Plan, Plan]> = fc.oneof(
  fc.tuple(anyPlan, anyPlan),
  anyPlan.map((one): readonly [Plan, Plan] => [one, structuredClone(one)]),
  fc
    .tuple(anyPlan, anyPlan, fc.constantFrom('listeners', 'services', 'routes', 'explainTokenSha256'))
    .map(([one, other, part]): readonly [Plan, Plan] => [one, { ...one, [part]: other[part] }]),
  fc
    .tuple(anyPlan, fc.constantFrom('listeners', 'services', 'routes'))
    .map(([one, part]): readonly [Plan, Plan] => [one, { ...one, [part]: one[part].toReversed() }]),
  fc.tuple(anyPlan).map(([one]): readonly [Plan, Plan] => [
    one,
    {
      ...one,
      services: one.services.map((each) => ({ ...each, backends: each.backends.toReversed() })),
    },
  ]),
);

/** JSON with the keys of records in order: a comparison that shares no code with ours. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))
      : inner,
  );
}

function namesOf(of: Plan, what: PlanChange['what']): ReadonlySet<string> {
  const counted = (names: readonly string[]): string[] =>
    names.map((name, index) => {
      const before = names.slice(0, index).filter((other) => other === name).length;
      return before === 0 ? name : `${name} #${before + 1}`;
    });
  switch (what) {
    case 'listener':
      return new Set(
        counted(of.listeners.map(({ host, port }) => `${host === '::1' ? '[::1]' : host}:${port}`)),
      );
    case 'service':
      return new Set(of.services.map(({ name }) => name));
    case 'backend':
      return new Set(
        of.services.flatMap(({ name, backends }) => backends.map((each) => `${name} ${each.name}`)),
      );
    case 'route':
      return new Set(of.routes.map(({ name }) => name));
    case 'setting':
      return new Set(of.explainTokenSha256 === undefined ? [] : ['explainTokenSha256']);
  }
}

const RUNS = { numRuns: 500 };
const KINDS = ['listener', 'service', 'backend', 'route', 'setting'] as const;

suite('for any two plans', () => {
  test('plans are equal when their JSON is', () => {
    fc.assert(
      fc.property(pair, ([before, after]) => {
        // an undefined value of a header match and one left out are the same to both
        assert.equal(deepEqualPlan(before, after), canonical(before) === canonical(after));
      }),
      RUNS,
    );
  });

  test('nothing changed exactly when they are equal', () => {
    fc.assert(
      fc.property(pair, ([before, after]) => {
        assert.equal(planChanges(before, after).length === 0, deepEqualPlan(before, after));
      }),
      RUNS,
    );
  });

  test('what went and what came lead from the names of the one to those of the other', () => {
    fc.assert(
      fc.property(pair, ([before, after]) => {
        const changes = planChanges(before, after);
        for (const kind of KINDS) {
          const names = new Set(namesOf(before, kind));
          for (const { what, name, change } of changes) {
            if (what !== kind) continue;
            if (change === 'added') assert.ok(!names.has(name), `${name} was there`);
            if (change === 'removed') assert.ok(names.has(name), `${name} was not there`);
            if (change === 'added') names.add(name);
            if (change === 'removed') names.delete(name);
          }
          assert.deepEqual([...names].sort(), [...namesOf(after, kind)].sort());
        }
      }),
      RUNS,
    );
  });

  test('the way back is the same turned round', () => {
    const turned = { added: 'removed', removed: 'added', changed: 'changed' } as const;
    const key = ({ what, name, change }: PlanChange): string => `${what} ${name} ${change}`;
    fc.assert(
      fc.property(pair, ([before, after]) => {
        const there = planChanges(before, after).map((each) => key({ ...each, change: turned[each.change] }));
        const back = planChanges(after, before).map(key);
        assert.deepEqual(there.sort(), back.sort());
      }),
      RUNS,
    );
  });

  test('kinds come in their order, each thing once, on one line, without a secret', () => {
    const order: readonly string[] = KINDS;
    fc.assert(
      fc.property(pair, ([before, after]) => {
        const changes = planChanges(before, after);
        const ranks = changes.map(({ what }) => order.indexOf(what));
        assert.deepEqual(
          ranks,
          ranks.toSorted((a, b) => a - b),
        );
        assert.equal(new Set(changes.map(({ what, name }) => `${what} ${name}`)).size, changes.length);
        assert.doesNotMatch(JSON.stringify(changes), /hunter|\\n/);
      }),
      RUNS,
    );
  });
});
