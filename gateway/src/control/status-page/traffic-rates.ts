import type { Counts } from './status-page-deps.ts';

/** What happened between two looks at the counters. */
export interface Delta extends Counts {
  readonly forMs: number;
}

/** One second of a sparkline: requests per second, errors per second, p99 in ms (null without requests). */
export type Point = readonly [rate: number, errorRate: number, p99Ms: number | null];

/** What is shown of the last ten seconds; null where there were no requests. */
export interface Rates {
  /** Requests per second. */
  readonly rate: number;
  /** 0 to 1. */
  readonly errorShare: number | null;
  readonly errors: number;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  /** The last second. */
  readonly point: Point;
  /** Oldest first, the last second included; only to whoever has just come. */
  readonly history?: readonly Point[];
}

/** The difference of two readings of the same counters; the whole of the later one when they began anew in between. */
export function deltaOf(before: Counts | undefined, now: Counts, forMs: number): Delta {
  const began = before === undefined || now.requests < before.requests || now.errors < before.errors;
  if (began) return { ...now, forMs };
  return {
    requests: now.requests - before.requests,
    errors: now.errors - before.errors,
    latencyBuckets: now.latencyBuckets.map((count, index) => count - (before.latencyBuckets[index] ?? 0)),
    forMs,
  };
}

/** Both together, of the same time. */
export function added(one: Delta | undefined, other: Delta): Delta {
  if (one === undefined) return other;
  return {
    requests: one.requests + other.requests,
    errors: one.errors + other.errors,
    latencyBuckets: sums(one.latencyBuckets, other.latencyBuckets),
    forMs: other.forMs,
  };
}

/** One after the other. */
function joined(deltas: readonly Delta[]): Delta {
  let whole: Delta = { requests: 0, errors: 0, latencyBuckets: [], forMs: 0 };
  for (const delta of deltas) whole = { ...added(delta, whole), forMs: whole.forMs + delta.forMs };
  return whole;
}

function sums(one: readonly number[], other: readonly number[]): readonly number[] {
  const longer = one.length >= other.length ? one : other;
  const shorter = longer === one ? other : one;
  return longer.map((count, index) => count + (shorter[index] ?? 0));
}

/**
 * Linear within its bucket, as Prometheus does it; the last bound for what lies beyond it. Null without requests.
 * @param share 0 to 1
 */
export function quantileMs(
  share: number,
  buckets: readonly number[],
  boundsMs: readonly number[],
): number | null {
  const total = buckets.reduce((sum, count) => sum + count, 0);
  if (total <= 0) return null;
  const rank = share * total;
  let below = 0;
  for (const [index, upperMs] of boundsMs.entries()) {
    const count = buckets[index] ?? 0;
    if (count > 0 && below + count >= rank) {
      const lowerMs = boundsMs[index - 1] ?? 0;
      return rounded(lowerMs + ((upperMs - lowerMs) * (rank - below)) / count);
    }
    below += count;
  }
  return boundsMs.at(-1) ?? null;
}

export function pointOf(delta: Delta, boundsMs: readonly number[]): Point {
  const { requests, errors, latencyBuckets, forMs } = delta;
  return [perSecond(requests, forMs), perSecond(errors, forMs), quantileMs(0.99, latencyBuckets, boundsMs)];
}

export function ratesOf(
  deltas: readonly Delta[],
  point: Point,
  boundsMs: readonly number[],
): Omit<Rates, 'history'> {
  const { requests, errors, latencyBuckets, forMs } = joined(deltas);
  return {
    rate: perSecond(requests, forMs),
    errorShare: requests > 0 ? errors / requests : null,
    errors,
    p50Ms: quantileMs(0.5, latencyBuckets, boundsMs),
    p99Ms: quantileMs(0.99, latencyBuckets, boundsMs),
    point,
  };
}

function perSecond(count: number, forMs: number): number {
  return forMs > 0 ? rounded((count * 1000) / forMs) : 0;
}

/** Short in JSON. */
function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
