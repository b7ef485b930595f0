import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { WeightedRandom } from '../../src/data/balancers/weighted-random.ts';
import { candidate, countPicks, type FakeCandidate, seeded, weighted, withinBinomial } from './fakes.ts';

test('random picks in proportion to weight', () => {
  const weights = fc.array(fc.double({ min: 0.1, max: 1000, noNaN: true }), { minLength: 2, maxLength: 10 });
  fc.assert(
    fc.property(weights, (given) => {
      const candidates = weighted(given);
      const balancer = new WeightedRandom<FakeCandidate>(seeded(1));
      const total = given.reduce((sum, weight) => sum + weight, 0);
      const counts = countPicks(candidates, 2000, () => balancer.pick(candidates));
      counts.forEach((count, index) => {
        const share = (given[index] ?? 0) / total;
        assert.ok(withinBinomial(count, 2000, share), `${count} of 2000 for a share of ${share}`);
      });
    }),
    { seed: 7, numRuns: 60 },
  );
});

test('random reaches the ends of the range of its generator', () => {
  const candidates = weighted([1, 1, 2]);
  for (const value of [0, 1 - 2 ** -53]) {
    assert.ok(candidates.includes(new WeightedRandom<FakeCandidate>(() => value).pick(candidates)));
  }
});

test('random follows a new array of candidates', () => {
  const balancer = new WeightedRandom<FakeCandidate>(seeded(1));
  balancer.pick(weighted([1, 2, 3]));
  const others = [candidate('x'), candidate('y', { weight: 3 })];
  const [x = 0] = countPicks(others, 4000, () => balancer.pick(others));
  assert.ok(withinBinomial(x, 4000, 0.25), `${x} of 4000`);
});
