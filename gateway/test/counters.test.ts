import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FailureCounters, foldMethod, LATENCY_BUCKETS_MS, TrafficCounters } from '../src/data/counters.ts';

test('requests are counted by status, in whatever order they come', () => {
  const counters = new TrafficCounters();
  for (const status of [200, 200, 502, 200, 404, 404, 200]) counters.add('GET', status, 1);
  assert.deepEqual(Object.fromEntries(counters.byStatus), { 200: 4, 404: 2, 502: 1 });
  counters.add('GET', 502, 1);
  assert.equal(counters.byStatus.get(502), 2);
});

test('a latency falls into the first bucket whose bound it does not pass', () => {
  const counters = new TrafficCounters();
  for (const latencyMs of [0.2, 1, 1.1, 10_000, 10_001]) counters.add('GET', 200, latencyMs);
  const { byLatency } = counters;
  assert.equal(byLatency.length, LATENCY_BUCKETS_MS.length + 1);
  assert.deepEqual([byLatency[0], byLatency[1], byLatency.at(-2), byLatency.at(-1)], [2, 1, 1, 1]);
  assert.equal(counters.latencySumMs, 0.2 + 1 + 1.1 + 10_000 + 10_001);
});

test('methods that a stranger makes up are one kind', () => {
  const counters = new TrafficCounters(foldMethod);
  for (let i = 0; i < 1_000; i++) counters.add(`M${i}`, 200, 1);
  counters.add('GET', 200, 1);
  counters.add('get', 200, 1);
  assert.deepEqual(Object.fromEntries(counters.byKind), { 'other 200': 1_001, 'GET 200': 1 });
});

test('one request in 64 is kept as the example of its bucket', () => {
  const counters = new TrafficCounters();
  for (let i = 0; i < 65; i++)
    counters.add('GET', 200, i === 64 ? 30 : 2, { traceId: `trace-${i}`, startedMs: i });
  const kept = counters.examples.filter((example) => example !== undefined);
  assert.deepEqual(kept, [
    { traceId: 'trace-0', latencyMs: 2, startedMs: 0 },
    { traceId: 'trace-64', latencyMs: 30, startedMs: 64 },
  ]);
  assert.deepEqual(new TrafficCounters().examples, []);
});

test('what the gateway answers itself is counted by code, and by route where there is one', () => {
  const counters = new FailureCounters();
  counters.refused('no_route');
  counters.refused('no_backend', '/db');
  counters.refused('no_backend', '/x y');
  assert.deepEqual(Object.fromEntries(counters.byCode), { no_route: 1, no_backend: 2 });
  assert.deepEqual([...counters.byRoute.keys()], ['no_route ', 'no_backend /db', 'no_backend /x y']);
});
