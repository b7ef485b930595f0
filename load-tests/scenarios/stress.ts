// Stress: up by steps to 600 requests per second, more than expected, then down; 5 min. Does it bend, and recover?
import { summaryOf } from '../report/handle-summary.ts';
import type { Seed } from '../traffic/calls.ts';
import { Mix } from '../traffic/mix.ts';
import { shapedOptions } from '../traffic/options.ts';

export { seed as setup } from '../traffic/seed.ts';

export const options = shapedOptions('stress', __ENV);
export const handleSummary = summaryOf('stress', __ENV);

const mix = new Mix();

export function traffic(seed: Seed): void {
  mix.next(seed);
}
