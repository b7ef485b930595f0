import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { RetryBudgetPlan } from '../src/data/plan.ts';
import { RetryBudget } from '../src/data/retry-budget.ts';

class Stage {
  nowMs = 1_000;
  readonly budget: RetryBudget;

  constructor(plan: RetryBudgetPlan) {
    this.budget = new RetryBudget(plan, () => this.nowMs);
  }
}

function requests(budget: RetryBudget, count: number): void {
  for (let sent = 0; sent < count; sent += 1) budget.request();
}

/** Takes until it is refused, 1000 times at most; returns how many were allowed. */
function drain(budget: RetryBudget): number {
  let taken = 0;
  while (taken < 1_000 && budget.take()) taken += 1;
  return taken;
}

test('a service without traffic has its minimum', () => {
  const { budget } = new Stage({ percent: 20, minPerSecond: 3 });
  assert.equal(budget.remaining, 30);
  assert.equal(drain(budget), 30);
  assert.equal(budget.remaining, 0);
});

test('a busy service has its percentage, and not the minimum on top', () => {
  const { budget } = new Stage({ percent: 20, minPerSecond: 3 });
  requests(budget, 1_000);
  assert.equal(drain(budget), 200);
  requests(budget, 5);
  assert.equal(drain(budget), 1);
});

test('a budget of 100 % is every request once, and no more for being fractions', () => {
  for (const percent of [7, 29, 57, 58, 100]) {
    const { budget } = new Stage({ percent, minPerSecond: 0 });
    requests(budget, 100);
    assert.equal(drain(budget), percent);
  }
});

test('what was spent comes back ten seconds later', () => {
  const running = new Stage({ percent: 20, minPerSecond: 1 });
  assert.equal(drain(running.budget), 10);
  running.nowMs += 9_999;
  assert.equal(running.budget.remaining, 0);
  running.nowMs += 1;
  assert.equal(running.budget.remaining, 10);
});

test('a budget that comes from traffic goes with it, and is never negative', () => {
  const running = new Stage({ percent: 20, minPerSecond: 0 });
  requests(running.budget, 100);
  running.nowMs += 5_000;
  assert.equal(drain(running.budget), 20);
  running.nowMs += 5_000;
  assert.equal(running.budget.remaining, 0);
  assert.equal(running.budget.take(), false);
});

test('a budget of nothing allows nothing until there is traffic', () => {
  const { budget } = new Stage({ percent: 1, minPerSecond: 0 });
  assert.equal(budget.take(), false);
  budget.request();
  assert.equal(budget.remaining, 1);
  assert.equal(drain(budget), 1);
});

test('for any history: never negative, a retry exactly when one remains, never over the limit', () => {
  const plan = fc.record({ percent: fc.integer({ min: 1, max: 100 }), minPerSecond: fc.nat(3) });
  const step = fc.record({
    pauseMs: fc.oneof(fc.constant(0), fc.nat(2_000), fc.nat(15_000)),
    requests: fc.nat(40),
    retries: fc.nat(40),
  });
  fc.assert(
    fc.property(plan, fc.array(step, { maxLength: 30 }), (plan, steps) => {
      const running = new Stage(plan);
      const sentAtMs: number[] = [];
      const retriedAtMs: number[] = [];
      const within = (times: readonly number[]): number =>
        times.filter((atMs) => Math.floor(atMs / 1_000) > Math.floor(running.nowMs / 1_000) - 10).length;
      for (const { pauseMs, requests: sent, retries } of steps) {
        running.nowMs += pauseMs;
        requests(running.budget, sent);
        sentAtMs.push(...new Array<number>(sent).fill(running.nowMs));
        for (let tried = 0; tried < retries; tried += 1) {
          const { remaining } = running.budget;
          const limit = Math.max((plan.percent * within(sentAtMs)) / 100, plan.minPerSecond * 10);
          assert.equal(remaining, Math.max(0, Math.ceil(limit - within(retriedAtMs))));
          assert.equal(running.budget.take(), remaining > 0);
          if (remaining > 0) retriedAtMs.push(running.nowMs);
          assert.equal(running.budget.remaining, Math.max(0, remaining - 1));
        }
      }
    }),
  );
});
