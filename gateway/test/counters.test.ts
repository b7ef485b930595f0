import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LATENCY_BUCKETS_MS, StatusCounters } from '../src/data/counters.ts';

test('requests are counted by status, in whatever order they come', () => {
  const counters = new StatusCounters();
  for (const status of [200, 200, 502, 200, 404, 404, 200]) counters.add(status, 1);
  assert.deepEqual(Object.fromEntries(counters.byStatus), { 200: 4, 404: 2, 502: 1 });
  counters.add(502, 1);
  assert.equal(counters.byStatus.get(502), 2);
});

test('a latency falls into the first bucket whose bound it does not pass', () => {
  const counters = new StatusCounters();
  for (const latencyMs of [0.2, 1, 1.1, 10_000, 10_001]) counters.add(200, latencyMs);
  const { byLatency } = counters;
  assert.equal(byLatency.length, LATENCY_BUCKETS_MS.length + 1);
  assert.deepEqual([byLatency[0], byLatency[1], byLatency.at(-2), byLatency.at(-1)], [2, 1, 1, 1]);
  assert.equal(counters.latencySumMs, 0.2 + 1 + 1.1 + 10_000 + 10_001);
});
