// `node --test gateway/test/hostile/campaign.ts` is chaos.test.ts for longer: SEEDS and CLIENTS say how long.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chaos } from './chaos.ts';

const [from = 1, to = from] = (process.env['SEEDS'] ?? '1-5').split('-').map(Number);
const count = Number(process.env['CLIENTS'] ?? 5_000);
for (let seed = from; seed <= to; seed++) {
  test(`seed ${seed}`, async (t) => {
    const outcome = await chaos(t, seed, count, true);
    console.log(seed, JSON.stringify(outcome));
    assert.deepEqual(outcome.unreadable, []);
  });
}
