import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PeakEwma } from '../../src/data/peak-ewma.ts';

test('a new estimate is unknown', () => {
  assert.equal(new PeakEwma().read(123), 0);
});

test('a slower answer is believed at once, a faster one only with time', () => {
  const ewma = new PeakEwma(1000);
  ewma.observe(10, 0);
  ewma.observe(500, 1);
  assert.equal(ewma.read(1), 500);
  ewma.observe(10, 2);
  assert.ok(ewma.read(2) > 490);
});

test('the estimate sinks by 1/e in one time constant and is forgotten after two', () => {
  const ewma = new PeakEwma(1000);
  ewma.observe(100, 0);
  assert.ok(Math.abs(ewma.read(1000) - 100 / Math.E) < 1e-9);
  assert.ok(ewma.read(1999) > 0);
  assert.equal(ewma.read(2000), 0);
});

test('steady answers pull the estimate to their latency', () => {
  const ewma = new PeakEwma(1000);
  ewma.observe(5000, 0);
  for (let atMs = 1; atMs <= 10_000; atMs++) ewma.observe(10, atMs);
  assert.ok(Math.abs(ewma.read(10_000) - 10) < 1);
});

test('reading changes nothing', () => {
  const [read, unread] = [new PeakEwma(1000), new PeakEwma(1000)];
  for (const ewma of [read, unread]) ewma.observe(100, 0);
  for (let atMs = 0; atMs < 900; atMs++) read.read(atMs);
  for (const ewma of [read, unread]) ewma.observe(10, 900);
  assert.equal(read.read(900), unread.read(900));
});

test('the estimate stays between 0 and the highest latency seen', () => {
  const steps = fc.array(fc.tuple(fc.double({ min: 0, max: 1e6, noNaN: true }), fc.nat(30_000)));
  fc.assert(
    fc.property(steps, (given) => {
      const ewma = new PeakEwma();
      let nowMs = 0;
      let highest = 0.01;
      for (const [latencyMs, pauseMs] of given) {
        nowMs += pauseMs;
        highest = Math.max(highest, latencyMs);
        ewma.observe(latencyMs, nowMs);
        const estimate = ewma.read(nowMs);
        assert.ok(estimate >= latencyMs * (1 - 1e-9) && estimate > 0 && estimate <= highest);
      }
    }),
  );
});

test('nonsense is ignored', () => {
  const ewma = new PeakEwma();
  ewma.observe(Number.NaN, 0);
  ewma.observe(-1, 0);
  assert.equal(ewma.read(0), 0);
});
