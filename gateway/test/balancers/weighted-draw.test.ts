import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { WeightedDraw } from '../../src/data/balancers/weighted-draw.ts';
import { seeded, weighted, withinBinomial } from './fakes.ts';

const weights = fc.array(fc.double({ min: 0.1, max: 1000, noNaN: true }), { minLength: 2, maxLength: 8 });

test('the second draw is another one, in proportion to the weights of the others', () => {
  fc.assert(
    fc.property(weights, fc.nat(), (given, pointer) => {
      const draws = new WeightedDraw(weighted(given), seeded(1));
      const taken = pointer % given.length;
      const others = given.reduce((sum, weight, index) => (index === taken ? sum : sum + weight), 0);
      const counts = given.map(() => 0);
      for (let turn = 0; turn < 2000; turn++) {
        const index = draws.drawOther(taken);
        counts[index] = (counts[index] ?? 0) + 1;
      }
      counts.forEach((count, index) => {
        const share = index === taken ? 0 : (given[index] ?? 0) / others;
        if (index === taken) assert.equal(count, 0);
        else assert.ok(withinBinomial(count, 2000, share), `${count} of 2000 for ${share}`);
      });
    }),
    { seed: 7, numRuns: 60 },
  );
});

test('both draws are in range and distinct at the very ends of the generator, whatever rounding does', () => {
  const ends = fc.constantFrom(0, Number.MIN_VALUE, 0.5, 1 - 2 ** -53);
  fc.assert(
    fc.property(weights, ends, ends, (given, one, other) => {
      const values = [one, other];
      const draws = new WeightedDraw(weighted(given), () => values.shift() ?? 0);
      const first = draws.draw();
      const second = draws.drawOther(first);
      for (const index of [first, second]) assert.ok(index >= 0 && index < given.length);
      assert.notEqual(first, second);
    }),
    { numRuns: 2000 },
  );
});
