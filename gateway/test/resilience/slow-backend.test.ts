import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChildGateway } from './child-gateway.ts';
import { Ledger } from './ledger.ts';
import { configOf, startBackends } from './scene.ts';
import { SteadyLoad } from './steady-load.ts';

const FAST_MS = 2;
const SLOW_MS = 20;
const WARM_UP = 400;
/** Requests of one measurement; its p99 is the eighth slowest. */
const SLICE = 700;
const MIN_SLICES = 3;
const MAX_SLICES = 9;

const p99 = (tookMs: readonly number[]): number =>
  [...tookMs].sort((a, b) => a - b)[Math.floor(tookMs.length * 0.99)] ?? 0;

/** The p99 of so many requests of a steady load. */
async function measure({ port }: ChildGateway, requests = SLICE): Promise<number> {
  const load = new SteadyLoad({ port, methods: ['GET'] });
  await load.more(requests);
  await load.stop();
  assert.deepEqual(load.failures, []);
  return p99(load.tookMs);
}

test('one backend ten times slower than the others does not double the p99 of its service', async (t) => {
  const ledger = new Ledger(t);
  const fast = await startBackends(t, ledger, 3, FAST_MS);
  const slow = await startBackends(t, ledger, 1, SLOW_MS);
  const without = await ChildGateway.start(t, configOf({ backends: fast }));
  const withSlow = await ChildGateway.start(t, configOf({ backends: [...fast, ...slow] }));
  for (const gateway of [without, withSlow]) await measure(gateway, WARM_UP);
  // what else the machine does only ever adds to a p99, and more than the gateway does: the best of several counts
  let [one, other] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let slice = 0; slice < MIN_SLICES || (slice < MAX_SLICES && other > 2 * one); slice++) {
    one = Math.min(one, await measure(without));
    other = Math.min(other, await measure(withSlow));
  }
  t.diagnostic(`p99 ${one.toFixed(1)} ms without, ${other.toFixed(1)} ms with the slow one`);
  assert.ok(other <= 2 * one, `p99 ${other} ms with the slow backend, ${one} ms without`);
});
