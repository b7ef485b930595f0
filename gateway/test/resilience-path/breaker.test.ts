import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { eventually } from '../relay/gateway-in-test.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { BREAKER, retryPlan } from '../support/plans.ts';
import type { RawClient } from '../support/raw-client.ts';
import { backendAt, GET, type Path, type PathOptions, refTo, startPath } from './path-stage.ts';
import { answer, type Behaviour, failing, hang, ok, type ScriptedBackend } from './scripted-backend.ts';

interface Stand extends Path {
  readonly clock: ManualClock;
  readonly first: ScriptedBackend;
}

/** On virtual time: five seconds open (random is 0.5, so no jitter), four requests are enough. */
async function startBreaking(
  t: TestContext,
  behaviours: readonly Behaviour[],
  service: PathOptions['service'] = {},
): Promise<Stand> {
  const clock = new ManualClock();
  const breaker = { ...BREAKER, minRequests: 4 };
  const path = await startPath(t, behaviours, {
    clock,
    random: () => 0.5,
    service: { balance: { kind: 'round-robin' }, retry: undefined, breaker, ...service },
  });
  const [first] = path.servers;
  assert.ok(first !== undefined);
  return Object.assign(path, { clock, first });
}

async function askTimes(path: Path, times: number): Promise<readonly number[]> {
  const statuses: number[] = [];
  for (let i = 0; i < times; i++) statuses.push((await path.ask()).status);
  return statuses;
}

/** Clients that have all asked at once. */
async function crowd(path: Path, size: number): Promise<readonly RawClient[]> {
  const clients = await Promise.all(Array.from({ length: size }, () => path.client()));
  for (const client of clients) client.send(GET);
  return clients;
}

const flips = (path: Path): readonly string[] =>
  path.events.flatMap((event) =>
    event.kind === 'breaker' ? [`${event.from} → ${event.to}: ${event.reason}`] : [],
  );

/** Opens the breaker of the only backend, and waits until it is half-open. */
async function halfOpen(path: Stand): Promise<void> {
  path.first.behave = failing(500);
  await askTimes(path, 4);
  assert.equal(backendAt(path, 0).breaker, 'open');
  path.clock.advance(5_200);
  assert.equal(backendAt(path, 0).breaker, 'half-open');
}

test('it opens at the failure rate, lets nothing through, and after its time closes by one good answer', async (t) => {
  const path = await startBreaking(t, [failing(500)]);
  assert.deepEqual(await askTimes(path, 6), [500, 500, 500, 500, 503, 503]);
  assert.equal(path.counts[0], 4);
  path.first.behave = ok;
  path.clock.advance(5_200);
  assert.deepEqual(await askTimes(path, 3), [200, 200, 200]);
  assert.deepEqual(flips(path), [
    'closed → open: 100 % of 4 requests failed',
    'open → half-open: its open time is over',
    'half-open → closed: its trial succeeded',
  ]);
  assert.deepEqual(
    path.events.map(({ kind }) => kind).filter((kind) => kind !== 'breaker'),
    ['ineligible', 'none-eligible', 'eligible', 'none-eligible'],
    'the trial of the only backend is no end of having none',
  );
  await path.quiet();
});

test('half-open lets exactly one request through while many ask at once', async (t) => {
  const path = await startBreaking(t, [ok]);
  await halfOpen(path);
  path.first.behave = hang;
  const clients = await crowd(path, 40);
  const refused = clients.map((client) => client.end());
  await eventually(() => path.exchanges.length === 4 + 39);
  assert.equal(path.counts[0], 5, 'one trial');
  assert.match(backendAt(path, 0).reason ?? '', /^breaker half-open, its one trial is under way: 100 %/);
  const [trial] = path.first.asked.slice(4);
  assert.ok(trial !== undefined);
  answer(trial, 200, 'well again');
  const statuses = (await Promise.all(refused)).map((text) => text.slice(9, 12));
  assert.deepEqual(statuses.sort(), ['200', ...Array.from({ length: 39 }, () => '503')]);
  assert.equal(backendAt(path, 0).breaker, 'closed');
  await path.quiet();
});

test('with another backend at hand the crowd of a half-open one goes there', async (t) => {
  const path = await startBreaking(t, [failing(500), ok]);
  await askTimes(path, 8);
  path.clock.advance(5_200);
  path.first.behave = hang;
  const clients = await crowd(path, 30);
  await eventually(() => path.exchanges.length === 8 + 29);
  assert.deepEqual(path.counts, [5, 33]);
  for (const client of clients) client.socket.resetAndDestroy();
  await path.quiet();
});

test('a failed trial opens it again, for longer', async (t) => {
  const path = await startBreaking(t, [ok]);
  await halfOpen(path);
  assert.deepEqual(await askTimes(path, 2), [500, 503]);
  path.clock.advance(9_800);
  assert.equal(backendAt(path, 0).breaker, 'open');
  path.clock.advance(400);
  assert.equal(backendAt(path, 0).breaker, 'half-open');
  await path.quiet();
});

test('answers to requests of before the trip change nothing after it', async (t) => {
  const path = await startBreaking(t, [hang]);
  const early = await crowd(path, 3);
  await path.first.askedTimes(3);
  path.first.behave = failing(500);
  await askTimes(path, 4);
  assert.equal(backendAt(path, 0).breaker, 'open');
  const [whileOpen, whileHalfOpen, afterwards] = path.first.asked;
  assert.ok(whileOpen !== undefined && whileHalfOpen !== undefined && afterwards !== undefined);
  answer(whileOpen, 200, 'late');
  await eventually(() => path.exchanges.length === 5);
  assert.equal(backendAt(path, 0).breaker, 'open');
  path.clock.advance(5_200);
  answer(whileHalfOpen, 200, 'later');
  await eventually(() => path.exchanges.length === 6);
  assert.equal(backendAt(path, 0).breaker, 'half-open');
  path.first.behave = ok;
  assert.deepEqual(await askTimes(path, 1), [200]);
  assert.equal(backendAt(path, 0).breaker, 'closed');
  answer(afterwards, 500, 'latest');
  await eventually(() => path.exchanges.length === 8);
  assert.equal(backendAt(path, 0).breaker, 'closed');
  await Promise.all(early.map((client) => client.end().catch(() => '')));
  await path.quiet();
});

test('a client that leaves during the trial gives it back', async (t) => {
  const path = await startBreaking(t, [ok]);
  await halfOpen(path);
  path.first.behave = hang;
  const [client] = await crowd(path, 1);
  await path.first.askedTimes(5);
  assert.deepEqual(await askTimes(path, 1), [503]);
  client?.socket.resetAndDestroy();
  await eventually(() => backendAt(path, 0).eligible);
  assert.equal(backendAt(path, 0).breaker, 'half-open');
  path.first.behave = ok;
  assert.deepEqual(await askTimes(path, 2), [200, 200]);
  assert.equal(backendAt(path, 0).breaker, 'closed');
  await path.quiet();
});

test('a hedge that was the trial and lost gives it back', async (t) => {
  const path = await startBreaking(t, [failing(500), ok], {
    retry: retryPlan({ attempts: 0, hedge: { kind: 'after', afterMs: 30 } }),
  });
  const [, other] = path.servers;
  assert.ok(other !== undefined);
  await askTimes(path, 8);
  path.clock.advance(5_200);
  for (const server of path.servers) server.behave = hang;
  path.data.setAdmin(refTo(path, 0), 'draining');
  const [client] = await crowd(path, 1);
  const asked = await other.askedTimes(5);
  path.data.setAdmin(refTo(path, 0), 'enabled');
  path.clock.advance(50);
  await path.first.askedTimes(5);
  assert.match(backendAt(path, 0).reason ?? '', /its one trial is under way/);
  answer(asked, 200, 'first');
  assert.match((await client?.end()) ?? '', /first$/);
  await eventually(() => backendAt(path, 0).eligible);
  assert.equal(backendAt(path, 0).breaker, 'half-open');
  await path.quiet();
});

test('a trial that is refused a connection has failed', async (t) => {
  const path = await startBreaking(t, [ok]);
  await halfOpen(path);
  await path.first.stop();
  assert.deepEqual(await askTimes(path, 2), [502, 503]);
  assert.equal(backendAt(path, 0).breaker, 'open');
  await path.quiet();
});

test('calls that are slow open it, and a slow trial does not close it', async (t) => {
  const breaker = { ...BREAKER, minRequests: 4, slowCallMs: 100, slowPercent: 50 };
  const path = await startBreaking(t, [ok], { breaker });
  const slow: Behaviour = (asked) => {
    path.clock.advance(150);
    ok(asked);
  };
  await askTimes(path, 2);
  path.first.behave = slow;
  assert.deepEqual(await askTimes(path, 3), [200, 200, 503]);
  assert.deepEqual(flips(path), ['closed → open: 50 % of 4 answers took longer than 100ms']);
  path.clock.advance(5_200);
  assert.deepEqual(await askTimes(path, 2), [200, 503]);
  assert.equal(flips(path).at(-1), 'half-open → open: its trial took longer than 100ms');
  await path.quiet();
});

test('afterwards its share grows slowly, and evenly', async (t) => {
  const path = await startBreaking(t, [failing(500), ok], { slowStartMs: 10_000 });
  await askTimes(path, 8);
  path.first.behave = ok;
  path.clock.advance(5_200);
  assert.equal(backendAt(path, 0).effectiveWeight, 1, 'no slow start for a trial');
  await askTimes(path, 3);
  assert.equal(backendAt(path, 0).breaker, 'closed');
  const weights: number[] = [];
  for (let second = 0; second <= 11; second++) {
    weights.push(Math.round(backendAt(path, 0).effectiveWeight * 10) / 10);
    path.clock.advance(1_000);
  }
  assert.deepEqual(weights, [0.1, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1]);
  assert.equal(backendAt(path, 1).effectiveWeight, 1);
  await path.quiet();
});

test('while it starts slowly it gets its share of requests and no more', async (t) => {
  const path = await startBreaking(t, [ok, ok], { slowStartMs: 10_000 });
  path.data.setAdmin(refTo(path, 0), 'draining');
  path.data.setAdmin(refTo(path, 0), 'enabled');
  await askTimes(path, 22);
  assert.deepEqual(path.counts, [2, 20]);
  path.clock.advance(10_500);
  await askTimes(path, 22);
  assert.deepEqual(path.counts, [13, 31]);
  await path.quiet();
});
