// Spike: from nearly nothing to 600 requests per second within seconds and back; 2 min.
import { summaryOf } from '../report/handle-summary.ts';
import type { Seed } from '../traffic/calls.ts';
import { Mix } from '../traffic/mix.ts';
import { shapedOptions } from '../traffic/options.ts';

export { seed as setup } from '../traffic/seed.ts';

export const options = shapedOptions('spike', __ENV);
export const handleSummary = summaryOf('spike', __ENV);

const mix = new Mix();

export function traffic(seed: Seed): void {
  mix.next(seed);
}
