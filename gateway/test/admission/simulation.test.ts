import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConcurrencyPlan } from '../../src/data/plan.ts';
import { type Outcome, quantile, seeded, World } from './simulation.ts';

const ADAPTIVE: ConcurrencyPlan = { max: 1_000, queue: 20, queueTimeoutMs: 100, adaptive: true };
const UNLIMITED: ConcurrencyPlan = { max: 1e9, queue: 0, queueTimeoutMs: 0, adaptive: false };
/** Serves 1000 a second. */
const SERVER = { workers: 50, meanMs: 50 };
/** Of its service times. */
const SERVER_P99_MS = 140;

const p99 = ({ latenciesMs }: Outcome): number => quantile(latenciesMs, 0.99);

/** Nine tenths of the time the limit is between these; the rest is probes. */
function settledBetween({ limits }: Outcome, low: number, high: number): void {
  const [p5, p95] = [quantile(limits, 0.05), quantile(limits, 0.95)];
  assert.ok(p5 >= low && p95 <= high, `limit from ${p5} to ${p95}`);
}

for (const overload of [1.2, 2, 5]) {
  test(`at ${overload} times what a server can do, the limit settles near its capacity and stays there`, () => {
    const world = new World(ADAPTIVE, { ...SERVER }, seeded(1));
    world.run({ requestsPerSecond: 1_000 * overload, seconds: 10 });
    for (let minute = 0; minute < 3; minute++) {
      const outcome = world.run({ requestsPerSecond: 1_000 * overload, seconds: 60 });
      settledBetween(outcome, SERVER.workers, 2.4 * SERVER.workers);
      assert.ok(outcome.served > 0.95 * 60_000, `served ${outcome.served}`);
      // a place in the line may take 100 ms, and its deadline comes up to 100 ms late
      assert.ok(p99(outcome) < SERVER_P99_MS + 200, `p99 ${p99(outcome)}`);
    }
  });
}

test('without a limit the same load makes latency grow without end', () => {
  const world = new World(UNLIMITED, { ...SERVER }, seeded(1));
  const load = { requestsPerSecond: 1_200, seconds: 10 };
  const [first, second, third] = [world.run(load), world.run(load), world.run(load)].map(p99);
  assert.ok(first !== undefined && second !== undefined && third !== undefined);
  assert.ok(first > 1_000 && second > first + 1_000 && third > second + 1_000, `${first} ${second} ${third}`);
});

test('where requests time out, a limit saves what would be work for nobody', () => {
  const server = { ...SERVER, timeoutMs: 500 };
  const load = { requestsPerSecond: 2_000, seconds: 30 };
  const [limited, unlimited] = [ADAPTIVE, UNLIMITED].map((plan) =>
    new World(plan, { ...server }, seeded(2)).run(load),
  );
  assert.ok(limited !== undefined && unlimited !== undefined);
  assert.ok(unlimited.served < 3_000, `without: ${unlimited.served}`);
  assert.ok(limited.served > 27_000, `with: ${limited.served}`);
  assert.ok(limited.timedOut < 100, `timed out ${limited.timedOut}`);
});

test('a load that the server can carry is not touched', () => {
  const world = new World(ADAPTIVE, { ...SERVER }, seeded(3));
  world.run({ requestsPerSecond: 800, seconds: 10 });
  const outcome = world.run({ requestsPerSecond: 800, seconds: 120 });
  assert.equal(outcome.refused, 0);
  assert.ok(p99(outcome) < SERVER_P99_MS + 20, `p99 ${p99(outcome)}`);
});

test('a server that loses half of its workers is followed down, and up again when they are back', () => {
  const world = new World(ADAPTIVE, { ...SERVER }, seeded(4));
  const load = { requestsPerSecond: 2_000, seconds: 60 };
  world.run(load);
  world.server.workers = 25;
  world.run(load);
  settledBetween(world.run(load), 25, 2.4 * 25);
  world.server.workers = 50;
  world.run(load);
  const outcome = world.run(load);
  settledBetween(outcome, 50, 2.4 * 50);
  assert.ok(outcome.served > 0.95 * 60_000);
});

test('a service that gets slower for good, at the same capacity for requests at once, is not throttled for it', () => {
  const world = new World(ADAPTIVE, { ...SERVER }, seeded(5));
  const load = { requestsPerSecond: 2_000, seconds: 60 };
  world.run(load);
  world.server.meanMs = 200;
  world.run(load);
  const outcome = world.run(load);
  settledBetween(outcome, 50, 2.4 * 50);
  assert.ok(outcome.served > 0.93 * 15_000, `served ${outcome.served}`);
});

for (const [workers, meanMs] of [
  [1, 20],
  [5, 50],
  [200, 100],
  [20, 1_000],
] as const) {
  test(`it settles for ${workers} workers of ${meanMs} ms too`, () => {
    const capacity = (workers / meanMs) * 1_000;
    const world = new World(ADAPTIVE, { workers, meanMs }, seeded(6));
    world.run({ requestsPerSecond: 2 * capacity, seconds: 120 });
    const outcome = world.run({ requestsPerSecond: 2 * capacity, seconds: 60 });
    // the square root that it may queue is more than a server of one or two has
    assert.ok(quantile(outcome.limits, 0.5) >= workers);
    assert.ok(quantile(outcome.limits, 0.95) <= Math.max(2.4 * workers, 14), `${outcome.limits}`);
    assert.ok(outcome.served > 0.92 * 60 * capacity, `served ${outcome.served}`);
  });
}
