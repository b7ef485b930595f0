// Soak: 50 requests per second for an hour. Leaks and slow decay show.
import { summaryOf } from '../report/handle-summary.ts';
import type { Seed } from '../traffic/calls.ts';
import { Mix } from '../traffic/mix.ts';
import { shapedOptions } from '../traffic/options.ts';

export { seed as setup } from '../traffic/seed.ts';

export const options = shapedOptions('soak', __ENV);
export const handleSummary = summaryOf('soak', __ENV);

const mix = new Mix();

export function traffic(seed: Seed): void {
  mix.next(seed);
}
