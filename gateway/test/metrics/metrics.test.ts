import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { METRICS } from '../../src/control/metrics/definitions.ts';
import type { ServicePlan } from '../../src/data/plan.ts';
import { createGateway, type Gateway } from '../../src/gateway.ts';
import { ADMIN_ONLY, BREAKER, EJECTION, type plan as makePlan, plan, servicePlan } from '../support/plans.ts';
import { RawBackend } from '../support/raw-backend.ts';
import { exchangeRaw } from '../support/raw-client.ts';
import { type ReadSample, readExposition, sampleValue } from './exposition-text.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** The names that DESIGN §5 promises. */
const PROMISED = [
  'requests_total{route,service,method,code}',
  'request_duration_seconds{route,service}',
  'upstream_requests_total{service,backend,code}',
  'upstream_duration_seconds{service,backend}',
  'pool_connections{service,backend,state}',
  'pool_pending_requests{service,backend}',
  'pool_connects_total{service,backend,result}',
  'pool_reuses_total{service,backend}',
  'pool_closed_total{service,backend,reason}',
  'backend_eligible{service,backend}',
  'backend_healthy{service,backend}',
  'breaker_state{service,backend}',
  'breaker_transitions_total{service,backend,to}',
  'ejections_total{service,backend}',
  'health_checks_total{service,backend,result}',
  'retries_total{service,reason,outcome}',
  'retry_budget_remaining{service}',
  'rejected_requests_total{route,reason}',
  'client_connections{listener}',
  'tunnels{route}',
  'redis_up',
  'config_reloads_total{result}',
];

interface Watched {
  readonly gateway: Gateway;
  readonly port: number;
  scrape(accept?: string): Promise<readonly ReadSample[]>;
}

async function watched(
  t: TestContext,
  ports: readonly number[],
  changes: Parameters<typeof makePlan>[1] = {},
): Promise<Watched> {
  const gateway = await createGateway(plan(ports, changes), { control: ADMIN_ONLY, version: '1.2.3' });
  t.after(() => gateway.stop(0));
  return {
    gateway,
    port: gateway.data.listeners[0]?.port ?? 0,
    async scrape(accept = 'text/plain') {
      const response = await fetch(`${gateway.adminUrl}/metrics`, { headers: { accept } });
      assert.equal(response.status, 200);
      assert.match(
        response.headers.get('content-type') ?? '',
        accept === 'text/plain' ? /^text\/plain; version=0\.0\.4/ : /^application\/openmetrics-text/,
      );
      return readExposition(await response.text());
    },
  };
}

async function okBackend(t: TestContext): Promise<RawBackend> {
  const backend = await RawBackend.answering(OK);
  t.after(() => backend.stop());
  return backend;
}

const get = (method = 'GET', path = '/') =>
  `${method} ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`;

test('the definitions are those the design promises, and a few more', () => {
  const defined = Object.values(METRICS).map(
    ({ name, labels }) => name.replace(/^portway_/, '') + (labels.length > 0 ? `{${labels.join(',')}}` : ''),
  );
  for (const promised of PROMISED) assert.ok(defined.includes(promised), promised);
});

test('every sample has a name and the labels that its definition says', async (t) => {
  const backend = await okBackend(t);
  const gateway = await watched(t, [backend.port]);
  await exchangeRaw(gateway.port, get());
  const known = new Map<string, readonly string[]>(
    Object.values(METRICS).map(({ name, labels }) => [name, labels]),
  );
  for (const { name, labels } of await gateway.scrape()) {
    if (!name.startsWith('portway_')) continue;
    const family = name.replace(/_(bucket|sum|count)$/, '');
    const expected = known.get(name) ?? known.get(family);
    assert.ok(expected !== undefined, name);
    assert.deepEqual(
      Object.keys(labels)
        .filter((label) => label !== 'le')
        .sort(),
      [...expected].sort(),
    );
  }
});

test('requests, attempts and connections are counted', async (t) => {
  const backend = await okBackend(t);
  const gateway = await watched(t, [backend.port]);
  for (const method of ['GET', 'GET', 'POST']) await exchangeRaw(gateway.port, get(method));
  const samples = await gateway.scrape();
  const route = { route: '/', service: 'web' };
  const at = { service: 'web', backend: `127.0.0.1:${backend.port}` };
  assert.equal(sampleValue(samples, 'portway_requests_total', { ...route, method: 'GET', code: '200' }), 2);
  assert.equal(sampleValue(samples, 'portway_requests_total', { ...route, method: 'POST', code: '200' }), 1);
  assert.equal(sampleValue(samples, 'portway_request_duration_seconds_count', route), 3);
  assert.equal(sampleValue(samples, 'portway_request_duration_seconds_bucket', { ...route, le: '+Inf' }), 3);
  assert.equal(sampleValue(samples, 'portway_upstream_requests_total', { ...at, code: '200' }), 3);
  assert.equal(sampleValue(samples, 'portway_upstream_duration_seconds_count', at), 3);
  assert.equal(sampleValue(samples, 'portway_pool_connects_total', { ...at, result: 'ok' }), 1);
  assert.equal(sampleValue(samples, 'portway_pool_reuses_total', at), 2);
  assert.equal(sampleValue(samples, 'portway_pool_connections', { ...at, state: 'idle' }), 1);
  assert.equal(sampleValue(samples, 'portway_backend_eligible', at), 1);
  assert.equal(sampleValue(samples, 'portway_build_info', { version: '1.2.3' }), 1);
  assert.equal(sampleValue(samples, 'portway_client_connections'), 0);
  assert.ok(samples.some(({ name }) => name === 'nodejs_eventloop_lag_seconds'));
  assert.ok(!samples.some(({ name }) => name === 'portway_redis_up'), 'there is no Redis to be up');
});

test('what goes nowhere, what is refused and what a stranger makes up stays within bounds', async (t) => {
  const backend = await okBackend(t);
  const gateway = await watched(t, [backend.port], { route: { name: '/db', path: '/db', methods: [] } });
  for (let i = 0; i < 20; i++) {
    await exchangeRaw(gateway.port, get(`M${i}`, '/db'));
    await exchangeRaw(gateway.port, get('GET', `/nowhere%22%7B${i}`));
  }
  const samples = await gateway.scrape();
  const requests = samples.filter(({ name }) => name === 'portway_requests_total');
  assert.deepEqual(
    requests
      .filter(({ value }) => value > 0)
      .map(({ labels: { route, method, code }, value }) => [route, method, code, value]),
    [
      ['/db', 'other', '200', 20],
      ['none', 'other', '404', 20],
    ],
  );
  assert.equal(
    sampleValue(samples, 'portway_rejected_requests_total', { route: 'none', reason: 'no_route' }),
    20,
  );
});

test('failures: an attempt that came to no status has its code, ejections and retries are told', async (t) => {
  const steady = await okBackend(t);
  const service: Partial<ServicePlan> = {
    ejection: EJECTION,
    breaker: BREAKER,
    balance: { kind: 'round-robin' },
  };
  const gone = await RawBackend.start();
  const gonePort = gone.port;
  await gone.stop();
  const gateway = await watched(t, [gonePort, steady.port], { service });
  for (let i = 0; i < 4; i++) assert.match(await exchangeRaw(gateway.port, get()), / 200 /);
  const samples = await gateway.scrape();
  const at = { service: 'web', backend: `127.0.0.1:${gonePort}` };
  assert.equal(
    sampleValue(samples, 'portway_upstream_requests_total', { ...at, code: 'connect_refused' }),
    1,
  );
  assert.equal(sampleValue(samples, 'portway_ejections_total', at), 1);
  assert.equal(sampleValue(samples, 'portway_backend_eligible', at), 0);
  assert.equal(
    sampleValue(samples, 'portway_retries_total', {
      service: 'web',
      reason: 'connect_refused',
      outcome: 'retried',
    }),
    1,
  );
});

test('OpenMetrics for those who ask: exemplars with a trace id, and the end marked', async (t) => {
  const backend = await okBackend(t);
  const gateway = await watched(t, [backend.port]);
  const trace = '0af7651916cd43dd8448eb211c80319c';
  const traced = `GET / HTTP/1.1\r\nHost: a\r\ntraceparent: 00-${trace}-b7ad6b7169203331-01\r\nConnection: close\r\n\r\n`;
  await exchangeRaw(gateway.port, traced);
  const samples = await gateway.scrape('application/openmetrics-text; version=1.0.0');
  const exemplars = samples.flatMap(({ exemplar }) => (exemplar === undefined ? [] : [exemplar]));
  assert.equal(exemplars.length, 1);
  const [labels, value, time] = (exemplars[0] ?? '').split(' ');
  assert.equal(labels, `{trace_id="${trace}"}`);
  assert.ok(Number(value) > 0 && Math.abs(Number(time) - Date.now() / 1000) < 60);
});

test('many services and backends are written whole, each line once', async (t) => {
  const services = Array.from({ length: 10 }, (_, i) =>
    servicePlan(
      Array.from({ length: 20 }, (_, j) => 20_000 + i * 20 + j),
      { name: `s${i}` },
    ),
  );
  const gateway = await watched(t, [], { services, route: { service: 's0' } });
  const samples = await gateway.scrape();
  const keys = samples.map(({ name, labels }) => `${name} ${JSON.stringify(labels)}`);
  assert.equal(new Set(keys).size, keys.length);
  assert.equal(samples.filter(({ name }) => name === 'portway_backend_eligible').length, 200);
  assert.equal(
    samples.filter(({ name }) => name === 'portway_upstream_duration_seconds_bucket').length,
    200 * 14,
  );
});
