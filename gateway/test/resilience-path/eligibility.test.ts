import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { DataEvent } from '../../src/data/port.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { BREAKER, EJECTION, TCP_HEALTH } from '../support/plans.ts';
import { backendAt, type Path, type PathOptions, refTo, startPath } from './path-stage.ts';
import { failing, ok } from './scripted-backend.ts';

const GOOD = { healthy: true, reason: 'connected' };
const BAD = { healthy: false, reason: 'connection refused' };
const EVERYTHING = {
  health: TCP_HEALTH,
  ejection: { ...EJECTION, consecutiveFailures: 2, maxPercent: 100 },
  breaker: { ...BREAKER, minRequests: 4, failurePercent: 100 },
  retry: undefined,
};

/** Backends that fail with 500 from the start, on virtual time: what keeps them out is for the test to say. */
async function startFailing(t: TestContext, count: number, service: PathOptions['service']): Promise<Path> {
  const clock = new ManualClock();
  return startPath(
    t,
    Array.from({ length: count }, () => failing(500)),
    { service: { balance: { kind: 'round-robin' }, ...service }, clock, random: () => 0.5 },
  );
}

async function askTimes(path: Path, times: number): Promise<void> {
  for (let i = 0; i < times; i++) await path.ask();
}

const kinds = (path: Path): readonly DataEvent['kind'][] => path.events.map(({ kind }) => kind);

function told(path: Path, index: number): readonly [by: string | undefined, reason: string | undefined] {
  const { eligible, excludedBy, reason } = backendAt(path, index);
  assert.equal(eligible, reason === undefined);
  return [excludedBy, reason];
}

test('each step of the pipeline excludes with its reason, and the first of them is told', async (t) => {
  const path = await startFailing(t, 2, EVERYTHING);
  const [ref, other] = [refTo(path, 0), refTo(path, 1)];
  assert.deepEqual(told(path, 0), ['health', 'not probed yet']);
  path.data.setHealth(ref, GOOD);
  path.data.setHealth(other, GOOD);
  path.data.setAdmin(other, 'draining');
  assert.deepEqual(told(path, 1), ['admin', 'draining by the operator']);

  // the only one left is never ejected, but its breaker opens
  await askTimes(path, 4);
  assert.deepEqual(told(path, 0), ['breaker', 'breaker open until 22:13:26 UTC: 100 % of 4 requests failed']);
  path.data.setHealth(ref, BAD);
  assert.deepEqual(told(path, 0), ['health', 'unhealthy: connection refused']);
  path.data.setAdmin(ref, 'disabled');
  assert.deepEqual(told(path, 0), ['admin', 'disabled by the operator']);

  path.data.setAdmin(ref, 'enabled');
  path.data.setHealth(ref, GOOD);
  assert.equal(told(path, 0)[0], 'breaker');
  await path.quiet();
});

test('an ejected backend whose breaker is open too is excluded by its ejection; the last one by its breaker', async (t) => {
  const path = await startFailing(t, 2, {
    ...EVERYTHING,
    health: undefined,
    breaker: { ...BREAKER, minRequests: 2 },
  });
  await askTimes(path, 4);
  assert.deepEqual([told(path, 0)[0], told(path, 1)[0]].sort(), ['breaker', 'ejection']);
  for (const index of [0, 1]) assert.equal(backendAt(path, index).breaker, 'open');
  assert.equal((await path.ask()).status, 503);
  assert.deepEqual(path.counts, [2, 2]);
  await path.quiet();
});

test('an ejection names its end and its cause', async (t) => {
  const path = await startFailing(t, 2, { ...EVERYTHING, breaker: undefined, health: undefined });
  await askTimes(path, 3);
  const reasons = [told(path, 0), told(path, 1)];
  assert.deepEqual(
    reasons.filter(([by]) => by !== undefined),
    [['ejection', 'ejected until 22:13:31 UTC: 2 failures in a row (status 500)']],
  );
  const { ejectedUntilMs } = backendAt(path, reasons[0]?.[0] === undefined ? 1 : 0);
  assert.equal(new Date(ejectedUntilMs ?? 0).toISOString(), '2023-11-14T22:13:31.000Z');
  await path.quiet();
});

test('what a quorum of replicas says comes last, and keeps a backend out all the same', async (t) => {
  const path = await startPath(t, [ok, ok], { clock: new ManualClock() });
  path.data.setFleetBreaker(refTo(path, 0), '2 of 3 replicas: 60 % of 40 requests failed');
  assert.deepEqual(told(path, 0), [
    'breaker',
    'breaker open in the fleet: 2 of 3 replicas: 60 % of 40 requests failed',
  ]);
  await askTimes(path, 4);
  assert.deepEqual(path.counts, [0, 4]);
  path.data.setFleetBreaker(refTo(path, 0), undefined);
  assert.deepEqual(told(path, 0), [undefined, undefined]);
  assert.deepEqual(kinds(path), ['ineligible', 'eligible']);
  await path.quiet();
});

test('before first probes nothing is told; then each flip once', async (t) => {
  const path = await startPath(t, [ok, ok, ok], { service: { health: TCP_HEALTH } });
  assert.deepEqual(path.events, []);
  assert.equal((await path.ask()).status, 503);
  path.data.setHealth(refTo(path, 0), BAD);
  assert.deepEqual(kinds(path), ['ineligible'], 'the others may still turn out to be well');
  path.data.setHealth(refTo(path, 1), GOOD);
  path.data.setHealth(refTo(path, 2), GOOD);
  assert.deepEqual(kinds(path), ['ineligible'], 'a first good verdict is what everybody expects');
  for (const verdict of [GOOD, { ...GOOD, reason: 'again' }, BAD, { ...BAD, reason: 'still' }, GOOD])
    path.data.setHealth(refTo(path, 1), verdict);
  assert.deepEqual(kinds(path), ['ineligible', 'ineligible', 'eligible']);
  assert.deepEqual(path.events[1], {
    kind: 'ineligible',
    by: 'health',
    reason: 'unhealthy: connection refused',
    ...refTo(path, 1),
  });
  assert.equal((await path.ask()).status, 200);
  await path.quiet();
});

test('when every first probe fails, that none is eligible is told once all are known', async (t) => {
  const path = await startPath(t, [ok, ok], { service: { health: TCP_HEALTH } });
  path.data.setHealth(refTo(path, 0), BAD);
  path.data.setHealth(refTo(path, 1), BAD);
  assert.deepEqual(kinds(path), ['ineligible', 'ineligible', 'none-eligible']);
  await path.quiet();
});

test('whom the operator takes out is not waited for', async (t) => {
  const path = await startPath(t, [ok, ok], { service: { health: TCP_HEALTH } });
  path.data.setAdmin(refTo(path, 0), 'disabled');
  path.data.setHealth(refTo(path, 1), BAD);
  assert.deepEqual(kinds(path), ['ineligible', 'ineligible', 'none-eligible']);
  await path.quiet();
});

test('none eligible, reject: 503 at once with no_backend, told once and its end once', async (t) => {
  const path = await startPath(t, [ok, ok]);
  for (const index of [0, 1]) path.data.setAdmin(refTo(path, index), 'draining');
  const reply = await path.ask();
  assert.equal(reply.status, 503);
  assert.match(reply.body, /"code":"no_backend"/);
  assert.match(reply.head, /\r\nRetry-After: 1/);
  await askTimes(path, 2);
  assert.deepEqual(path.counts, [0, 0]);
  path.data.setAdmin(refTo(path, 0), 'enabled');
  assert.equal((await path.ask()).status, 200);
  const none = path.events.filter(({ kind }) => kind === 'none-eligible');
  assert.deepEqual(none, [
    { kind: 'none-eligible', service: 'web', active: true, failOpen: false },
    { kind: 'none-eligible', service: 'web', active: false, failOpen: false },
  ]);
  await path.quiet();
});

test('none eligible, all: every backend is tried but those that the operator took out', async (t) => {
  const path = await startPath(t, [ok, ok, ok], {
    service: { whenNoneEligible: 'all', health: TCP_HEALTH, balance: { kind: 'round-robin' } },
  });
  path.data.setAdmin(refTo(path, 2), 'draining');
  for (const index of [0, 1]) path.data.setHealth(refTo(path, index), BAD);
  for (let i = 0; i < 4; i++) assert.equal((await path.ask()).status, 200);
  assert.deepEqual(path.counts, [2, 2, 0]);
  assert.equal(path.status().failOpen, true);
  assert.equal(path.status().eligible, 0);
  assert.equal(backendAt(path, 0).reason, 'unhealthy: connection refused', 'which stays to be read');

  path.data.setHealth(refTo(path, 1), GOOD);
  assert.equal(path.status().failOpen, false);
  await askTimes(path, 2);
  assert.deepEqual(path.counts, [2, 4, 0]);
  const none = path.events.filter(({ kind }) => kind === 'none-eligible');
  assert.deepEqual(none, [
    { kind: 'none-eligible', service: 'web', active: true, failOpen: true },
    { kind: 'none-eligible', service: 'web', active: false, failOpen: false },
  ]);
  await path.quiet();
});

test('none eligible, all: with every backend taken out by the operator it is 503 all the same', async (t) => {
  const path = await startPath(t, [ok], { service: { whenNoneEligible: 'all' } });
  path.data.setAdmin(refTo(path, 0), 'disabled');
  assert.equal((await path.ask()).status, 503);
  assert.equal(path.status().failOpen, false);
  await path.quiet();
});

test('none eligible, all: what goes to an open breaker is no trial of it', async (t) => {
  const clock = new ManualClock();
  const breaker = { ...BREAKER, minRequests: 2 };
  const path = await startPath(t, [failing(500)], {
    clock,
    service: { whenNoneEligible: 'all', breaker, retry: undefined },
  });
  const server = path.servers[0];
  assert.ok(server !== undefined);
  await askTimes(path, 2);
  assert.equal(backendAt(path, 0).breaker, 'open');
  server.behave = ok;
  assert.equal((await path.ask()).status, 200, 'it goes there, since there is no other');
  assert.equal(backendAt(path, 0).breaker, 'open', 'and does not close it');
  clock.advance(6_000);
  assert.equal(backendAt(path, 0).breaker, 'half-open');
  assert.equal((await path.ask()).status, 200);
  assert.equal(backendAt(path, 0).breaker, 'closed');
  await path.quiet();
});
