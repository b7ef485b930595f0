import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { OutcomeWindow, RollingCount } from '../src/data/outcome-window.ts';

interface Outcome {
  readonly atMs: number;
  readonly ok: boolean;
}

/** What is still in the window at `nowMs`: the slot of that time and the nine before. */
function counted(outcomes: readonly Outcome[], windowMs: number, nowMs: number): readonly Outcome[] {
  const slotMs = Math.ceil(windowMs / 10);
  const first = Math.floor(nowMs / slotMs) - 9;
  return outcomes.filter(({ atMs }) => Math.floor(atMs / slotMs) >= first);
}

test('an outcome counts until its slot has left the window, then no more', () => {
  const window = new OutcomeWindow(10_000);
  window.succeeded(500);
  window.failed(1_999);
  assert.deepEqual([window.requests(2_000), window.failures(2_000)], [2, 1]);
  assert.deepEqual([window.requests(9_999), window.failures(9_999)], [2, 1]);
  assert.deepEqual([window.requests(10_000), window.failures(10_000)], [1, 1]);
  assert.deepEqual([window.requests(10_999), window.failures(10_999)], [1, 1]);
  assert.deepEqual([window.requests(11_000), window.failures(11_000)], [0, 0]);
});

test('a cleared window is empty and counts on', () => {
  const window = new OutcomeWindow(1_000);
  for (let atMs = 0; atMs < 1_000; atMs += 50) window.failed(atMs);
  window.clear();
  assert.deepEqual([window.requests(999), window.failures(999)], [0, 0]);
  window.succeeded(999);
  assert.deepEqual([window.requests(1_200), window.failures(1_200)], [1, 0]);
});

test('a window that begins late in the life of the clock is as good as any', () => {
  const window = new OutcomeWindow(10_000);
  window.failed(1e12 + 0.25);
  assert.deepEqual([window.requests(1e12 + 1), window.failures(1e12 + 8_999)], [1, 1]);
});

test('counts equal those of a naive reference, whatever the window and the pauses', () => {
  const pauseMs = fc.oneof(
    fc.nat(100),
    fc.nat(3_000),
    fc.nat(40_000),
    fc.double({ min: 0, max: 500, noNaN: true }),
  );
  const step = fc.record({ pauseMs, kind: fc.constantFrom('ok', 'failed', 'read', 'clear') });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 30_000 }),
      fc.nat(100_000),
      fc.array(step),
      (windowMs, startMs, steps) => {
        const window = new OutcomeWindow(windowMs);
        let outcomes: Outcome[] = [];
        let nowMs = startMs;
        for (const { pauseMs, kind } of steps) {
          nowMs += pauseMs;
          if (kind === 'ok') window.succeeded(nowMs);
          if (kind === 'failed') window.failed(nowMs);
          if (kind === 'clear') window.clear();
          if (kind === 'clear') outcomes = [];
          if (kind === 'ok' || kind === 'failed') outcomes.push({ atMs: nowMs, ok: kind === 'ok' });
          // not after each step: rotation must also cope with several slots at once
          if (kind !== 'read') continue;
          const expected = counted(outcomes, windowMs, nowMs);
          assert.equal(window.requests(nowMs), expected.length);
          assert.equal(window.failures(nowMs), expected.filter(({ ok }) => !ok).length);
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('a rolling count holds no more after a million than after one', () => {
  const count = new RollingCount(10_000);
  for (let index = 0; index < 1_000_000; index += 1) count.add(index / 10);
  // 90 000 ms to 99 999 ms, ten to a millisecond
  assert.equal(count.read(99_999), 100_000);
});
