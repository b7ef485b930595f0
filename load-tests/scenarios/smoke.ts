// Smoke: a few requests of every kind for 10 s. Does it work at all?
import { summaryOf } from '../report/handle-summary.ts';
import type { Seed } from '../traffic/calls.ts';
import { Mix } from '../traffic/mix.ts';
import { shapedOptions } from '../traffic/options.ts';

export { seed as setup } from '../traffic/seed.ts';

export const options = shapedOptions('smoke', __ENV);
export const handleSummary = summaryOf('smoke', __ENV);

const mix = new Mix();

export function traffic(seed: Seed): void {
  mix.next(seed);
}
