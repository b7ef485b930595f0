// Load: the usual day. Up to 100 requests per second, steady, down again; 2 min.
import { summaryOf } from '../report/handle-summary.ts';
import type { Seed } from '../traffic/calls.ts';
import { Mix } from '../traffic/mix.ts';
import { shapedOptions } from '../traffic/options.ts';

export { seed as setup } from '../traffic/seed.ts';

export const options = shapedOptions('load', __ENV);
export const handleSummary = summaryOf('load', __ENV);

const mix = new Mix();

export function traffic(seed: Seed): void {
  mix.next(seed);
}
