import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GradientLimit } from '../../src/data/gradient-limit.ts';

/** Windows of 25 requests in 100 ms each. */
function windows(
  limit: GradientLimit,
  fromMs: number,
  count: number,
  say: { readonly latencyMs?: number; readonly inFlight: number; readonly overloads?: number },
): number {
  let nowMs = fromMs;
  for (let window = 0; window < count; window++) {
    for (let i = 0; i < 25; i++) {
      nowMs += 4;
      limit.ended(say.latencyMs, i < (say.overloads ?? 0), say.inFlight, nowMs);
    }
  }
  return nowMs;
}

test('starts at 20, or at the most it may be', () => {
  assert.equal(new GradientLimit(1000, 0).limit, 20);
  assert.equal(new GradientLimit(3, 0).limit, 3);
});

test('does not grow while less than half of it is in use', () => {
  const limit = new GradientLimit(1000, 0);
  windows(limit, 0, 50, { latencyMs: 10, inFlight: 9 });
  assert.equal(limit.limit, 20);
});

test('grows to its most, and no further, while latency stays the same', () => {
  const limit = new GradientLimit(150, 0);
  for (let nowMs = 0, i = 0; i < 50; i++)
    nowMs = windows(limit, nowMs, 1, { latencyMs: 10, inFlight: limit.limit - 1 });
  assert.equal(limit.limit, 150);
});

test('shrinks when latency rises, and not because of a millisecond more', () => {
  const limit = new GradientLimit(100, 0);
  let nowMs = windows(limit, 0, 50, { latencyMs: 0.2, inFlight: 5 });
  nowMs = windows(limit, nowMs, 10, { latencyMs: 1.2, inFlight: 15 });
  assert.ok(limit.limit >= 20, `${limit.limit}`);
  const before = limit.limit;
  windows(limit, nowMs, 10, { latencyMs: 5, inFlight: before - 1 });
  assert.ok(limit.limit < before * 0.7, `${limit.limit} of ${before}`);
});

test('a window of timeouts makes it a tenth smaller, down to 1; a rare 503 does not', () => {
  const limit = new GradientLimit(100, 0);
  let nowMs = windows(limit, 0, 1, { inFlight: 5, overloads: 25 });
  assert.equal(limit.limit, 18);
  nowMs = windows(limit, nowMs, 100, { latencyMs: 10, inFlight: 5, overloads: 1 });
  assert.equal(limit.limit, 18);
  windows(limit, nowMs, 100, { inFlight: 5, overloads: 25 });
  assert.equal(limit.limit, 1);
});

test('grows again from 1', () => {
  const limit = new GradientLimit(100, 0);
  let nowMs = windows(limit, 0, 100, { latencyMs: 10, inFlight: 5, overloads: 25 });
  for (let i = 0; i < 200; i++)
    nowMs = windows(limit, nowMs, 1, { latencyMs: 10, inFlight: limit.limit - 1 || 1 });
  assert.ok(limit.limit > 50, `${limit.limit}`);
});

test('a probe that nothing ends in is over after its time', () => {
  const limit = new GradientLimit(100, 0);
  const nowMs = windows(limit, 0, 1, { latencyMs: 10, inFlight: 20 });
  assert.equal(limit.limit, 5);
  limit.look(nowMs + 250);
  assert.equal(limit.limit, 5);
  limit.look(nowMs + 350);
  assert.equal(limit.limit, 20);
});

test('latencies of nothing are no trouble', () => {
  const limit = new GradientLimit(100, 0);
  windows(limit, 0, 50, { latencyMs: 0, inFlight: 15 });
  assert.ok(limit.limit >= 20);
});
