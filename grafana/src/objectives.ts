/** What the gateway promises of a service, and how fast a promise may be broken before somebody is woken. */

/** Percent of requests that end without a 5xx. */
export const AVAILABILITY_PERCENT = 99.9;
/** Share of requests that may fail: 0.001. Requests whose client left (499) count neither way. */
export const ERROR_BUDGET = share(AVAILABILITY_PERCENT);

/** Percent of requests that are answered whole within `SLOW_SECONDS`. */
const LATENCY_PERCENT = 99;
export const LATENCY_BUDGET = share(LATENCY_PERCENT);
/** Must be the bound of a latency bucket: between bounds nothing can be counted. */
export const SLOW_SECONDS = 0.5;

export interface BurnRate {
  /** How many times faster than allowed the budget is spent. */
  readonly factor: number;
  /** Says that it matters. */
  readonly long: string;
  /** Says that it still goes on; a twelfth of the long one. */
  readonly short: string;
}

/** 2 % of a month's budget in an hour, and 5 % in six (Google's SRE Workbook, chapter 5). */
export const FAST_BURN: BurnRate = { factor: 14.4, long: '1h', short: '5m' };
export const SLOW_BURN: BurnRate = { factor: 6, long: '6h', short: '30m' };

/** The windows that shares of errors and of slow requests are recorded over. */
export const WINDOWS: readonly string[] = ['5m', '30m', '1h', '6h'];

function share(percent: number): number {
  // 1 - 0.999 is 0.0010000000000000009
  return Number((1 - percent / 100).toFixed(6));
}
