import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { median, ratio, rotate, slope, spread } from '../statistics.ts';

const figures = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 30 });

describe('the median', () => {
  it('is the middle one, or the mean of the middle two, by value and not by spelling', () => {
    assert.equal(median([10, 9, 100]), 10);
    assert.equal(median([1, 2, 10, 4]), 3);
  });

  it('has as many figures below as above', () => {
    fc.assert(
      fc.property(figures, (values) => {
        const middle = median(values);
        const below = values.filter((each) => each < middle).length;
        const above = values.filter((each) => each > middle).length;
        assert.ok(below <= values.length / 2 && above <= values.length / 2);
      }),
    );
  });

  it('of nothing is an error', () => {
    assert.throws(() => median([]), RangeError);
  });
});

describe('a ratio', () => {
  it('is taken within each round, so a slow round cancels out', () => {
    const nginx = [16, 160, 17].map((value, round) => ({ round, value }));
    const portway = [8, 80, 8.5].map((value, round) => ({ round, value }));
    assert.deepEqual(ratio(nginx, portway), { median: 2, least: 2, greatest: 2 });
  });

  it('leaves out rounds that only one side finished', () => {
    const over = [
      { round: 0, value: 10 },
      { round: 2, value: 30 },
    ];
    const under = [
      { round: 1, value: 1 },
      { round: 2, value: 10 },
    ];
    assert.deepEqual(ratio(over, under), spread([3]));
    assert.equal(ratio(over, []), undefined);
  });
});

describe('a slope', () => {
  it('is found under noise that cancels out', () => {
    const points = Array.from({ length: 100 }, (_, x) => ({ x, y: 5 + 0.25 * x + (x % 2 === 0 ? 1 : -1) }));
    assert.ok(Math.abs(slope(points) - 0.25) < 0.01);
  });

  it('of too few points is level', () => {
    assert.equal(slope([]), 0);
    assert.equal(slope([{ x: 1, y: 5 }]), 0);
  });
});

describe('the order of peers', () => {
  it('starts one further each round and keeps everybody', () => {
    assert.deepEqual(rotate(['a', 'b', 'c'], 4), ['b', 'c', 'a']);
    assert.deepEqual(rotate([], 3), []);
  });
});
