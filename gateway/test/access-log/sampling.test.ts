import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSampled } from '../../src/control/access-log/sampling.ts';
import { RequestIds } from '../../src/data/request-id.ts';

test('all of the traces, none of them, or about the share that was asked for', () => {
  const ids = new RequestIds(Math.random);
  const traces = Array.from({ length: 20_000 }, () => ids.traceId(ids.next()));
  const share = (ratio: number): number => traces.filter((id) => isSampled(id, ratio)).length / traces.length;
  assert.equal(share(1), 1);
  assert.equal(share(0), 0);
  // six standard deviations
  assert.ok(Math.abs(share(0.1) - 0.1) < 0.013, String(share(0.1)));
});

test('a larger share holds all of a smaller one', () => {
  const ids = new RequestIds(Math.random);
  for (let i = 0; i < 1_000; i++) {
    const id = ids.traceId(ids.next());
    if (isSampled(id, 0.1)) assert.ok(isSampled(id, 0.5), id);
  }
});

test('the choice is that of OpenTelemetry: the last 56 bits, at or above the threshold', () => {
  const trace = (last56: string): string => `0af7651916cd43dd84${last56}`;
  assert.equal(isSampled(trace('80000000000000'), 0.5), true);
  assert.equal(isSampled(trace('7fffffffffffff'), 0.5), false);
  assert.equal(isSampled(trace('e6666700000000'), 0.1), true);
  assert.equal(isSampled(trace('e6666500000000'), 0.1), false);
});
