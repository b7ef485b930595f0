import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  afterResult,
  isChanging,
  settled,
  type ThresholdState,
  UNDECIDED,
} from '../../src/control/health/thresholds.ts';

const healthyAfter = (results: readonly boolean[], rise: number, fall: number, from: ThresholdState) =>
  results.reduce((state, good) => afterResult(state, good, { rise, fall }), from);

test('the first result decides alone', () => {
  assert.deepEqual(afterResult(UNDECIDED, true, { rise: 5, fall: 5 }), settled(true));
  assert.deepEqual(afterResult(UNDECIDED, false, { rise: 5, fall: 5 }), settled(false));
});

test('a suspected backend falls by one failure, but does not rise sooner', () => {
  const thresholds = { rise: 2, fall: 3 };
  assert.deepEqual(afterResult(settled(true), false, thresholds, true), settled(false));
  assert.equal(isChanging(afterResult(settled(false), true, thresholds, true)), true);
});

const count = fc.integer({ min: 1, max: 5 });

test('a verdict flips exactly when rise or fall results in a row contradict it', () => {
  fc.assert(
    fc.property(
      fc.array(fc.boolean(), { maxLength: 60 }),
      count,
      count,
      fc.boolean(),
      (all, rise, fall, first) => {
        let verdict = first;
        let state: ThresholdState = settled(first);
        let row = 0;
        for (const good of all) {
          state = afterResult(state, good, { rise, fall });
          row = good === verdict ? 0 : row + 1;
          if (row === (verdict ? fall : rise)) {
            verdict = !verdict;
            row = 0;
          }
          assert.ok(state.decided);
          assert.equal(state.healthy, verdict);
          assert.equal(isChanging(state), row > 0);
        }
      },
    ),
  );
});

test('as many good results as rise make any backend healthy, as many bad ones as fall unhealthy', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean()), count, count, (before, rise, fall) => {
      const from = healthyAfter(before, rise, fall, UNDECIDED);
      assert.deepEqual(healthyAfter(new Array(rise).fill(true), rise, fall, from), settled(true));
      assert.deepEqual(healthyAfter(new Array(fall).fill(false), rise, fall, from), settled(false));
    }),
  );
});
