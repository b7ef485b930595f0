// Breakpoint: ever more requests, up to 3000 per second in 10 min, until a threshold breaks. Where is the end?
import { summaryOf } from '../report/handle-summary.ts';
import type { Seed } from '../traffic/calls.ts';
import { Mix } from '../traffic/mix.ts';
import { shapedOptions } from '../traffic/options.ts';

export { seed as setup } from '../traffic/seed.ts';

export const options = shapedOptions('breakpoint', __ENV);
export const handleSummary = summaryOf('breakpoint', __ENV);

const mix = new Mix();

export function traffic(seed: Seed): void {
  mix.next(seed);
}
