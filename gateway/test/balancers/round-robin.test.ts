import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RoundRobin } from '../../src/data/balancers/round-robin.ts';
import { candidate, countPicks, type FakeCandidate, idle, seeded, weighted } from './fakes.ts';

const weights = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 12 });
const seeds = fc.integer();

test('round-robin gives each backend exactly its weight in every cycle', () => {
  fc.assert(
    fc.property(weights, seeds, fc.nat(50), (given, seed, skipped) => {
      const candidates = weighted(given);
      const balancer = new RoundRobin<FakeCandidate>(seeded(seed));
      const cycle = given.reduce((sum, weight) => sum + weight, 0);
      for (let turn = 0; turn < skipped; turn++) balancer.pick(candidates);
      assert.deepEqual(
        countPicks(candidates, cycle, () => balancer.pick(candidates)),
        given,
      );
    }),
  );
});

test('round-robin spreads the picks of a heavy backend instead of bunching them', () => {
  const candidates = weighted([5, 1, 1]);
  const balancer = new RoundRobin<FakeCandidate>(() => 0);
  const order = Array.from({ length: 7 }, () => candidates.indexOf(balancer.pick(candidates)));
  assert.deepEqual(order, [0, 0, 1, 0, 2, 0, 0]);
});

test('round-robin never lets a backend fall behind its share by more than a few picks', () => {
  fc.assert(
    fc.property(weights, (given) => {
      const candidates = weighted(given);
      const balancer = new RoundRobin<FakeCandidate>(() => 0);
      const total = given.reduce((sum, weight) => sum + weight, 0);
      const counts = new Map(candidates.map((each) => [each, 0]));
      for (let turn = 1; turn <= 2 * total; turn++) {
        const picked = balancer.pick(candidates);
        counts.set(picked, (counts.get(picked) ?? 0) + 1);
        for (const [each, count] of counts) {
          const lag = (turn * each.weight) / total - count;
          assert.ok(
            Math.abs(lag) < Math.max(2, Math.log2(given.length) + 1),
            `lag of ${lag} after ${turn} turns`,
          );
        }
      }
    }),
  );
});

test('gateways that start together begin at different backends', () => {
  const candidates = idle(4);
  const starts = new Set(
    Array.from(
      { length: 64 },
      (_, seed) => new RoundRobin<FakeCandidate>(seeded(seed)).pick(candidates).name,
    ),
  );
  assert.equal(starts.size, 4);
});

test('a flip on every pick still lets everyone have its turn', () => {
  const candidates = weighted([20, 1]);
  const balancer = new RoundRobin<FakeCandidate>(() => 0);
  const counts = countPicks(candidates, 210, () => balancer.pick([...candidates]));
  assert.deepEqual(counts, [200, 10]);
});

test('a backend whose requests are retried on the others keeps its share, and they share the rest', () => {
  const candidates = idle(4);
  for (const failing of candidates) {
    const others = candidates.filter((other) => other !== failing);
    const balancer = new RoundRobin<FakeCandidate>(seeded(1));
    const retried = new Map<FakeCandidate, number>();
    const counts = countPicks(candidates, 400, () => {
      const picked = balancer.pick(candidates);
      if (picked !== failing) return picked;
      const next = balancer.pick([...others]);
      retried.set(next, (retried.get(next) ?? 0) + 1);
      return picked;
    });
    candidates.forEach((each, index) => {
      const total = (counts[index] ?? 0) + (retried.get(each) ?? 0);
      const share = each === failing ? 100 : 400 / 3;
      assert.ok(Math.abs(total - share) <= 3, `${each.name}: ${total}`);
    });
  }
});

test('when one leaves, the others go on from where they were', () => {
  const [a, b, c] = [candidate('a'), candidate('b'), candidate('c')];
  const balancer = new RoundRobin<FakeCandidate>(() => 0);
  const three = [a, b, c];
  assert.equal(balancer.pick(three), a);
  const two = [a, c];
  assert.equal(balancer.pick(two), c);
  assert.equal(balancer.pick(two), a);
});

test('a single candidate is picked at once', () => {
  const only = candidate('only');
  assert.equal(new RoundRobin<FakeCandidate>(() => 0).pick([only]), only);
});
