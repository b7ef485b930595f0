import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LeastPending } from '../../src/data/balancers/least-pending.ts';
import { candidate, countPicks, type FakeCandidate, idle, seeded, weighted } from './fakes.ts';

test('least-pending never picks a backend that is strictly busier for its weight than another', () => {
  const loads = fc.array(fc.record({ pending: fc.nat(50), weight: fc.integer({ min: 1, max: 20 }) }), {
    minLength: 1,
    maxLength: 12,
  });
  fc.assert(
    fc.property(loads, fc.integer(), (given, seed) => {
      const candidates = given.map((load, index) => candidate(`b${index}`, load));
      const picked = new LeastPending<FakeCandidate>(seeded(seed)).pick(candidates);
      const load = picked.pending / picked.weight;
      assert.ok(candidates.every((other) => load <= other.pending / other.weight));
    }),
  );
});

test('idle backends share evenly', () => {
  const candidates = idle(5);
  const balancer = new LeastPending<FakeCandidate>(seeded(1));
  assert.deepEqual(
    countPicks(candidates, 500, () => balancer.pick(candidates)),
    [100, 100, 100, 100, 100],
  );
});

test('idle backends share by weight', () => {
  const candidates = weighted([3, 1]);
  const balancer = new LeastPending<FakeCandidate>(() => 0);
  assert.deepEqual(
    countPicks(candidates, 400, () => balancer.pick(candidates)),
    [300, 100],
  );
});

test('the neighbour of a busy backend gets no more than the other idle ones', () => {
  const candidates = [candidate('busy', { pending: 9 }), ...idle(3)];
  const balancer = new LeastPending<FakeCandidate>(seeded(2));
  const [busy, ...others] = countPicks(candidates, 300, () => balancer.pick(candidates));
  assert.equal(busy, 0);
  for (const count of others) assert.ok(Math.abs(count - 100) <= 1, `${others}`);
});
