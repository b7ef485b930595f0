import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LatencyPercentile } from '../src/data/latency-percentile.ts';

class Stage {
  nowMs = 1_000;
  readonly latencies = new LatencyPercentile(() => this.nowMs);
}

function observe(latencies: LatencyPercentile, times: number, latencyMs: number): void {
  for (let seen = 0; seen < times; seen += 1) latencies.observe(latencyMs);
}

interface Observation {
  readonly latencyMs: number;
  readonly weight: number;
}

/** The least latency that so much of the weight does not exceed. */
function exact(observations: readonly Observation[], percentile: number): number {
  const sorted = observations.toSorted((a, b) => a.latencyMs - b.latencyMs);
  const wanted = (sorted.reduce((sum, { weight }) => sum + weight, 0) * percentile) / 100;
  let seen = 0;
  for (const { latencyMs, weight } of sorted) {
    seen += weight;
    if (weight > 0 && seen >= wanted) return latencyMs;
  }
  return sorted.at(-1)?.latencyMs ?? 0;
}

function assertNear(readMs: number, exactMs: number): void {
  assert.ok(Math.abs(readMs - exactMs) <= 0.05 * exactMs, `${readMs} is not within 5 % of ${exactMs}`);
}

test('49 observations say nothing, 50 do', () => {
  const { latencies } = new Stage();
  observe(latencies, 49, 20);
  assert.equal(latencies.read(95), 0);
  latencies.observe(20);
  assertNear(latencies.read(99), 20);
});

test('each percentile of a spread of latencies', () => {
  const { latencies } = new Stage();
  for (let latencyMs = 1; latencyMs <= 1_000; latencyMs += 1) latencies.observe(latencyMs);
  for (const percentile of [50, 75, 90, 95, 99, 99.9])
    assertNear(latencies.read(percentile), percentile * 10);
  assertNear(latencies.read(100), 1_000);
});

test('what is read is at most 100 ms old', () => {
  const running = new Stage();
  observe(running.latencies, 100, 10);
  assertNear(running.latencies.read(50), 10);
  observe(running.latencies, 1_000, 500);
  running.nowMs += 100;
  assertNear(running.latencies.read(50), 500);
});

test('a service that became slow shows it: the past counts half after ten seconds', () => {
  const running = new Stage();
  observe(running.latencies, 100, 10);
  running.nowMs += 10_000;
  observe(running.latencies, 40, 500);
  assertNear(running.latencies.read(50), 10);
  running.nowMs += 10_000;
  observe(running.latencies, 40, 500);
  assertNear(running.latencies.read(50), 500);
});

test('a service without recent traffic has no percentile, however much it had', () => {
  const running = new Stage();
  observe(running.latencies, 10_000, 10);
  running.nowMs += 19_999;
  assertNear(running.latencies.read(50), 10);
  running.nowMs += 101;
  assert.equal(running.latencies.read(50), 0);
  // also when nobody asks in between
  observe(running.latencies, 10_000, 10);
  running.nowMs += 25_000;
  assert.equal(running.latencies.read(50), 0);
  running.nowMs += 1e9;
  observe(running.latencies, 50, 70);
  assertNear(running.latencies.read(50), 70);
});

test('latencies that are none are ignored; beyond the scale they count at its ends', () => {
  const { latencies } = new Stage();
  for (const latencyMs of [Number.NaN, -1, Number.NEGATIVE_INFINITY]) observe(latencies, 100, latencyMs);
  assert.equal(latencies.read(50), 0);
  observe(latencies, 100, 0);
  assert.ok(latencies.read(50.5) < 0.001);
  observe(latencies, 100, Number.POSITIVE_INFINITY);
  assert.ok(latencies.read(99) > 30 * 60_000);
});

test('any single latency of the scale reads within 3.2 % of itself', () => {
  fc.assert(
    // evenly over the logarithm: 16 µs to 35 minutes
    fc.property(fc.double({ min: Math.log(0.016), max: Math.log(2_000_000), noNaN: true }), (logarithm) => {
      const { latencies } = new Stage();
      observe(latencies, 50, Math.exp(logarithm));
      assert.ok(Math.abs(latencies.read(50) / Math.exp(logarithm) - 1) <= 0.032);
    }),
    { numRuns: 1_000 },
  );
});

test('for any history each percentile is within 5 % of the exact one, the past weighted by halves', () => {
  const latencyMs = fc.oneof(
    fc.double({ min: 0.05, max: 5, noNaN: true }),
    fc.double({ min: 0.05, max: 60_000, noNaN: true }),
  );
  // periods from the clock's start at 1000 ms; times within each grow
  const period = fc.array(latencyMs, { minLength: 50, maxLength: 120 });
  fc.assert(
    fc.property(
      fc.array(period, { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 500, max: 999 }),
      (periods, permille) => {
        const running = new Stage();
        let observations: Observation[] = [];
        for (const [index, latencies] of periods.entries()) {
          if (index > 0) running.nowMs += 10_000;
          observations = observations.map((seen) => ({ ...seen, weight: seen.weight / 2 }));
          for (const latencyMs of latencies) running.latencies.observe(latencyMs);
          observations.push(...latencies.map((latencyMs) => ({ latencyMs, weight: 1 })));
          assertNear(running.latencies.read(permille / 10), exact(observations, permille / 10));
        }
      },
    ),
  );
});
