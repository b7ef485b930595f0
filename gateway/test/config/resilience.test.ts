import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EMBEDDED_CONFIG } from '../../src/control/config/embedded.ts';
import type { RoutePlan, ServicePlan } from '../../src/data/plan.ts';
import { planOf } from './loading.ts';
import { withRoutes, withService } from './problem-table.ts';

/** The service `a` with these keys, over these defaults. */
function serviceOf(keys: string, defaults = '{}'): ServicePlan {
  const [service] = planOf(`defaults: ${defaults}\n${withService(keys)}`).services;
  assert.ok(service !== undefined);
  return service;
}

const probeOf = (keys: string, defaults?: string) => serviceOf(keys, defaults).health?.probe;

/** The only route of a config whose service has these keys. */
function routeOf(keys: string, service = 'balance: p2c'): RoutePlan {
  const text = withService(service).replace('path: /', `path: /, ${keys}`);
  const [route] = planOf(text).routes;
  assert.ok(route !== undefined);
  return route;
}

test('a probe that says something of a request or an answer is http, and its path is / when left out', () => {
  const plain = { type: 'http', path: '/', host: undefined, headers: {}, minStatus: 200, maxStatus: 399 };
  assert.deepEqual(probeOf('health: { type: http }'), { ...plain, body: undefined });
  assert.deepEqual(probeOf('health: { path: /h }'), { ...plain, path: '/h', body: undefined });
  assert.deepEqual(probeOf('health: { status: 200-299 }'), { ...plain, maxStatus: 299, body: undefined });
  assert.deepEqual(probeOf('health: { headers: { X-A: b, __proto__: p } }'), {
    ...plain,
    headers: Object.fromEntries([
      ['X-A', 'b'],
      ['__proto__', 'p'],
    ]),
    body: undefined,
  });
  assert.deepEqual(probeOf('health: { host: h }'), { ...plain, host: 'h', body: undefined });
  assert.deepEqual(probeOf('health: { body: "all is well" }'), { ...plain, body: 'all is well' });
});

test('a probe that says nothing of a request only connects', () => {
  for (const keys of ['balance: p2c', 'health: {}', 'health: { interval: 1s }', 'health: { type: tcp }']) {
    assert.deepEqual(probeOf(keys), { type: 'tcp' }, keys);
  }
});

test('a service inherits a probe field by field, and not what is for the other kind', () => {
  const path = (keys: string, defaults: string) => {
    const { health } = serviceOf(keys, `{ health: ${defaults} }`);
    return [health?.probe.type === 'http' ? health.probe.path : health?.probe.type, health?.intervalMs];
  };
  assert.deepEqual(path('balance: p2c', '{ path: /d, interval: 1s }'), ['/d', 1000]);
  assert.deepEqual(path('health: { interval: 3s }', '{ path: /d, interval: 1s }'), ['/d', 3000]);
  assert.deepEqual(path('health: { status: 200 }', '{ path: /d }'), ['/d', 5000]);
  assert.deepEqual(path('health: { path: /x }', '{ type: tcp, interval: 1s }'), ['/x', 1000]);
  assert.deepEqual(path('health: { type: http }', '{ type: tcp, interval: 1s }'), ['/', 1000]);
  assert.deepEqual(path('health: { type: tcp }', '{ path: /d, interval: 1s }'), ['tcp', 1000]);
  assert.deepEqual(path('health: { interval: 3s }', '{ type: tcp }'), ['tcp', 3000]);
  assert.deepEqual(path('health: false', '{ path: /d }'), [undefined, undefined]);
  assert.deepEqual(path('health: {}', 'false'), ['tcp', 5000]);
});

test('false switches off', () => {
  assert.equal(serviceOf('health: false').health, undefined);
  assert.equal(serviceOf('ejection: false').ejection, undefined);
  assert.equal(serviceOf('breaker: false').breaker, undefined);
  assert.equal(serviceOf('slowStart: false').slowStartMs, 0);
  assert.equal(serviceOf('slowStart: 0').slowStartMs, 0);
  assert.equal(serviceOf('retry: false').retry, undefined);
  assert.equal(serviceOf('retry: { hedge: false }', '{ retry: { hedge: p50 } }').retry?.hedge, undefined);
  assert.equal(serviceOf('concurrency: false', '{ concurrency: { max: 1 } }').concurrency, undefined);
  const off = serviceOf('balance: p2c', '{ health: false, ejection: false, breaker: false, slowStart: 0 }');
  assert.deepEqual(
    [off.health, off.ejection, off.breaker, off.slowStartMs],
    [undefined, undefined, undefined, 0],
  );
});

test('a service overrides ejection, breaker and concurrency of defaults field by field', () => {
  const service = serviceOf(
    'ejection: { maxTime: 1m }\n    breaker: { slowCall: 1s }\n    concurrency: { queue: 1 }\n    slowStart: 1s',
    '{ ejection: { baseTime: 1s }, breaker: { slowPercent: 20 }, concurrency: { max: 5, adaptive: true }, slowStart: 2s, whenNoneEligible: all }',
  );
  assert.deepEqual([service.ejection?.baseMs, service.ejection?.maxMs], [1000, 60_000]);
  assert.deepEqual([service.breaker?.slowCallMs, service.breaker?.slowPercent], [1000, 20]);
  assert.deepEqual(service.concurrency, { max: 5, queue: 1, queueTimeoutMs: 1000, adaptive: true });
  assert.deepEqual([service.slowStartMs, service.whenNoneEligible], [1000, 'all']);
});

test('an adaptive limit has a bound of its own', () => {
  assert.deepEqual(serviceOf('concurrency: { adaptive: true }').concurrency, {
    max: 1024,
    queue: 64,
    queueTimeoutMs: 1000,
    adaptive: true,
  });
});

test('a budget is there without retries too', () => {
  assert.deepEqual(serviceOf('retry: false').retryBudget, { percent: 20, minPerSecond: 3 });
  assert.deepEqual(serviceOf('retry: { minPerSecond: 0 }', '{ retry: { budgetPercent: 5 } }').retryBudget, {
    percent: 5,
    minPerSecond: 0,
  });
});

test('a hedge starts after a time or after a percentile', () => {
  const hedge = (text: string) => serviceOf(`retry: { hedge: ${text} }`).retry?.hedge;
  assert.deepEqual(hedge('50ms'), { kind: 'after', afterMs: 50 });
  assert.deepEqual(hedge('p50'), { kind: 'percentile', percentile: 50 });
  assert.deepEqual(hedge('p99.9'), { kind: 'percentile', percentile: 99.9 });
});

test('a route that says nothing of retries has its service’s', () => {
  assert.equal(routeOf('priority: high').retry, 'service');
  assert.equal(routeOf('priority: high', 'retry: false').retry, 'service');
});

test('a route overrides the retries of its service field by field, switches them off, and on', () => {
  const over = routeOf('retry: { on: [503], perTryTimeout: 0 }', 'retry: { attempts: 4, perTryTimeout: 1s }');
  assert.ok(typeof over.retry === 'object');
  assert.deepEqual([over.retry.attempts, over.retry.on, over.retry.perTryTimeoutMs], [4, ['503'], 0]);
  assert.equal(routeOf('retry: false').retry, undefined);
  const on = routeOf('retry: {}', 'retry: false').retry;
  assert.ok(typeof on === 'object');
  assert.deepEqual([on.attempts, on.on], [1, ['connect-failure', 'reset', 'timeout']]);
});

test('a route inherits from defaults through its service', () => {
  const text = withRoutes('path: /, retry: { attempts: 2 }');
  const [route] = planOf(`defaults: { retry: { backoff: 1s } }\n${text}`).routes;
  assert.ok(typeof route?.retry === 'object');
  assert.deepEqual([route.retry.attempts, route.retry.backoffMs], [2, 1000]);
});

test('a route has a concurrency limit of its own, and a priority', () => {
  const route = routeOf('concurrency: { max: 2 }, priority: high', 'concurrency: { max: 9, queue: 8 }');
  assert.deepEqual(route.concurrency, { max: 2, queue: 64, queueTimeoutMs: 1000, adaptive: false });
  assert.equal(route.priority, 'high');
  assert.equal(routeOf('concurrency: false', 'concurrency: { max: 9 }').concurrency, undefined);
});

test('the demo’s services are asked for /health', () => {
  for (const { health } of planOf(EMBEDDED_CONFIG).services) {
    assert.equal(health?.probe.type === 'http' ? health.probe.path : undefined, '/health');
  }
});
