import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { slowStartShare } from '../src/data/slow-start.ts';

test('the share grows evenly from a tenth to all of it', () => {
  const at = (elapsedMs: number): number => slowStartShare(5_000, 5_000 + elapsedMs, 10_000);
  assert.equal(at(0), 0.1);
  assert.equal(at(1_000), 0.1);
  assert.equal(at(2_500), 0.25);
  assert.equal(at(9_999), 0.9999);
  assert.equal(at(10_000), 1);
  assert.equal(at(1e9), 1);
});

test('without slow start, and for a backend that was always there, the share is whole', () => {
  assert.equal(slowStartShare(5_000, 5_000, 0), 1);
  assert.equal(slowStartShare(Number.NEGATIVE_INFINITY, 0, 10_000), 1);
});

test('the share is within its bounds and never falls', () => {
  const timeMs = fc.double({ min: 0, max: 1e6, noNaN: true });
  fc.assert(
    fc.property(timeMs, timeMs, timeMs, fc.nat(100_000), (sinceMs, firstMs, laterMs, slowStartMs) => {
      const first = slowStartShare(sinceMs, firstMs, slowStartMs);
      const later = slowStartShare(sinceMs, firstMs + laterMs, slowStartMs);
      assert.ok(first >= 0.1 && later <= 1 && first <= later, `${first} then ${later}`);
    }),
  );
});
