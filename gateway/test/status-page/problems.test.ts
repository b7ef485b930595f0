import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventHistory } from '../../src/control/status-page/event-history.ts';
import { findProblems, type Observed } from '../../src/control/status-page/problems.ts';
import { Snapshots } from '../../src/control/status-page/snapshot.ts';
import { quantileMs, type Rates } from '../../src/control/status-page/traffic-rates.ts';
import { TrafficWindow } from '../../src/control/status-page/traffic-window.ts';
import { TunnelWindow } from '../../src/control/status-page/tunnel-window.ts';
import type { ServiceStatus } from '../../src/data/port.ts';
import { backendStatus } from '../admin/admin-stage.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { BOUNDS_MS, EJECTED, listener, route, Scene, serviceStatus } from './page-stage.ts';

const RATES: Rates = { rate: 10, errorShare: 0, errors: 0, p50Ms: 1, p99Ms: 2, point: [10, 0, 2] };

const NOW_MS = Date.parse('2026-01-01T00:00:00Z');

function said(
  services: readonly ServiceStatus[],
  changes: Partial<Observed> & { readonly draining?: boolean } = {},
): readonly string[] {
  const status = { listeners: [], routes: [route('/', 'db')], services, draining: changes.draining ?? false };
  const observed = {
    status,
    about: {},
    rates: () => RATES,
    hadRetries: new Set<string>(),
    nowMs: NOW_MS,
    ...changes,
  };
  return findProblems(observed).map(({ severity, subject, text }) => `${severity} ${subject}: ${text}`);
}

const well = backendStatus('a:1');

test('nothing is wrong with a gateway that is well', () => {
  const concurrency = { inFlight: 9, limit: 10, queued: 0 };
  assert.deepEqual(said([serviceStatus('db', [well], { concurrency })]), []);
  assert.deepEqual(said([], { about: { redis: undefined, reloads: { failed: 0 } } }), []);
  assert.deepEqual(said([], { about: { redis: { up: true } } }), []);
});

test('a certificate that ends within a week is told of, and one that has ended is the worst', () => {
  const DAY_MS = 86_400_000;
  const certificates = [7, 6.5, 1.5, 0.5, 0].map((days) => ({
    listener: '0.0.0.0:443',
    name: `a${days}.test`,
    expiresMs: NOW_MS + days * DAY_MS,
  }));
  assert.deepEqual(said([], { about: { certificates } }), [
    'error Certificate of a0.test: at 0.0.0.0:443 has expired: clients refuse it',
    'warn Certificate of a6.5.test: at 0.0.0.0:443 expires in 6 days',
    'warn Certificate of a1.5.test: at 0.0.0.0:443 expires in a day',
    'warn Certificate of a0.5.test: at 0.0.0.0:443 expires within a day',
  ]);
});

test('where a listener leads to a service, its clients get no status', () => {
  const out = backendStatus('a:1', EJECTED);
  const status = {
    listeners: [listener('0.0.0.0:6379', 0, { protocol: 'tcp', services: ['cache'] })],
    routes: [],
    services: [serviceStatus('cache', [out])],
    draining: false,
  };
  assert.equal(said([], { status })[0], 'error cache: no backend is eligible; clients are turned away');
});

test('the worst comes first, and what the operator wants last', () => {
  const drained = backendStatus('a:2', {
    eligible: false,
    excludedBy: 'admin',
    admin: 'draining',
    reason: 'draining by the operator',
  });
  const out = backendStatus('a:3', EJECTED);
  assert.deepEqual(said([serviceStatus('db', [drained, out]), serviceStatus('web', [well])]), [
    'error db: no backend is eligible; requests are answered 503',
    'warn a:3 of db: ejected until 12:00:41 UTC: 5 failures in a row (connect_refused)',
    'note a:2 of db: draining by the operator',
  ]);
});

test('a service that tries all backends says so, and one without any too', () => {
  const out = backendStatus('a:3', EJECTED);
  assert.match(
    said([serviceStatus('db', [out], { failOpen: true })])[0] ?? '',
    /^error db: .* all are tried/,
  );
  assert.deepEqual(said([serviceStatus('db', [])]), ['error db: has no backend']);
});

test('what waits is wrong: for connections of a backend, for the limit of a service', () => {
  const full = backendStatus('a:1', { pool: { active: 128, idle: 0, connecting: 0, queued: 3, max: 128 } });
  const concurrency = { inFlight: 20, limit: 20.4, queued: 2 };
  assert.deepEqual(said([serviceStatus('db', [full], { concurrency })]), [
    'warn db: its limit of 20 requests under way is reached, 2 wait',
    'warn a:1 of db: all 128 connections are in use, 3 requests wait',
  ]);
});

test('a half-open breaker is wrong though its backend may be picked', () => {
  const trial = backendStatus('a:1', { breaker: 'half-open' });
  assert.deepEqual(said([serviceStatus('db', [trial])]), [
    'warn a:1 of db: breaker half-open: a few requests are let through on trial',
  ]);
});

test('a retry budget of nothing is wrong only where it was more', () => {
  const service = serviceStatus('db', [well], { retryBudgetRemaining: 0 });
  assert.deepEqual(said([service]), []);
  assert.equal(said([service], { hadRetries: new Set(['db']) }).length, 1);
});

test('a route is wrong from five errors and one percent on', () => {
  const of = (errors: number, errorShare: number): readonly string[] =>
    said([serviceStatus('db', [well])], { rates: () => ({ ...RATES, errors, errorShare }) });
  assert.deepEqual(of(4, 1), []);
  assert.deepEqual(of(50, 0.009), []);
  assert.deepEqual(of(5, 0.012), ['error Route /: 1.2 % of its requests are answered 5xx']);
});

test('Redis away, a refused reload and a gateway that ends are told', () => {
  const about = { redis: { up: false, reason: 'timeout' }, reloads: { lastProblems: ['a.yaml:1:2: no'] } };
  assert.deepEqual(said([], { about, draining: true }), [
    'warn Gateway: is shutting down',
    'warn Redis: is away (timeout); what was last known stands',
    'warn Config: the last reload was refused, the config before it is in force: a.yaml:1:2: no',
  ]);
});

test('since when something is wrong comes from its event, or from when it was first seen', () => {
  const clock = new ManualClock();
  const scene = new Scene(clock);
  const history = new EventHistory(() => clock.wallNow());
  const deps = {
    status: () => scene.status(),
    about: () => scene.about,
    traffic: () => scene.traffic(),
    latencyBoundsMs: BOUNDS_MS,
    clock,
    log: () => {},
  };
  const snapshots = new Snapshots(deps, new TrafficWindow(BOUNDS_MS), new TunnelWindow(), history);
  const sinces = () => snapshots.take(false).problems.map(({ since }) => since);
  const ref = { service: 'db', backend: '127.0.0.1:3001' };
  const startMs = clock.wallNow();
  history.add({ kind: 'ineligible', by: 'ejection', reason: '', ...ref });
  scene.change(ref, EJECTED);
  clock.advance(5_000);
  scene.change({ service: 'db', backend: '127.0.0.1:3011' }, EJECTED);
  // of the second nobody was told: it may have been so before
  const seen = { ms: startMs + 5_000, atLeast: true };
  assert.deepEqual(sinces(), [seen, { ms: startMs, atLeast: false }, seen]);
  clock.advance(5_000);
  scene.change({ service: 'web', backend: '127.0.0.1:3000' }, { breaker: 'half-open' });
  assert.deepEqual(sinces()[1], { ms: startMs + 10_000, atLeast: false });
  // another reason to be out is another thing that is wrong
  scene.change(ref, { excludedBy: 'health', reason: 'unhealthy' });
  clock.advance(1_000);
  assert.deepEqual(sinces()[2], { ms: startMs + 11_000, atLeast: false });
});

test('of an ejection and what follows from it, one line is kept', () => {
  let nowMs = 0;
  const history = new EventHistory(() => nowMs);
  const ref = { service: 'db', backend: 'a:1' };
  assert.ok(history.add({ kind: 'ejected', reason: 'refused', forMs: 9_700, ...ref }));
  assert.ok(!history.add({ kind: 'ineligible', by: 'ejection', reason: 'ejected until …', ...ref }));
  assert.deepEqual(history.lastFlip(ref), { by: 'ejection', atMs: 0 });
  nowMs = 10_000;
  assert.ok(history.add({ kind: 'eligible', ...ref }));
  assert.ok(history.add({ kind: 'ineligible', by: 'health', reason: 'unhealthy', ...ref }));
  assert.deepEqual(
    history.after(0).map(({ text }) => text),
    ['is ejected for 10 s: refused', 'is in again', 'is out: unhealthy'],
  );
});

test('connections refused again and again are one line in ten seconds', () => {
  let nowMs = 0;
  const history = new EventHistory(() => nowMs);
  for (; nowMs < 30_000; nowMs += 10) history.add({ kind: 'connect-failed', service: 'db', backend: 'a:1' });
  assert.equal(history.lastSeq, 3);
});

test('backends that are gone are forgotten', () => {
  const history = new EventHistory(() => 0);
  const ref = { service: 'db', backend: 'a:1' };
  history.add({ kind: 'eligible', ...ref });
  history.keepOnly([ref]);
  assert.ok(history.lastFlip(ref));
  history.keepOnly([]);
  assert.equal(history.lastFlip(ref), undefined);
});

test('a quantile lies within its bucket, and at the last bound beyond it', () => {
  assert.equal(quantileMs(0.5, [0, 0, 0], [1, 2]), null);
  assert.equal(quantileMs(0.5, [10, 0, 0], [1, 2]), 0.5);
  assert.equal(quantileMs(1, [0, 4, 0], [1, 2]), 2);
  assert.equal(quantileMs(0.99, [1, 0, 99], [1, 2]), 2);
});
