import type { Heartbeat } from './records.ts';

/** A replica that was answered there this recently does not take others' word for it. */
const OWN_SUCCESS_MS = 10_000;

/** How a backend looks from here. */
export interface BreakerView {
  readonly key: string;
  readonly open: boolean;
  /** How long ago live traffic last went well; undefined: never. */
  readonly lastSuccessAgoMs: number | undefined;
}

/**
 * Why the breaker of a backend is open for the fleet, as this replica sees it; undefined: it is not. More than half of
 * the live replicas must have found it bad by themselves, and at least two, so that no replica with a bad network opens
 * it for all; and a replica with a success of its own stays out of it.
 * @param others the last heartbeats of the other live replicas
 * @param live how many replicas live, this one among them
 */
export function fleetBreaker(
  view: BreakerView,
  others: readonly Heartbeat[],
  live: number,
): string | undefined {
  const { key, open, lastSuccessAgoMs } = view;
  if (lastSuccessAgoMs !== undefined && lastSuccessAgoMs < OWN_SUCCESS_MS) return undefined;
  let reports = open ? 1 : 0;
  let successes = 0;
  for (const beat of others) {
    if (beat.open.includes(key)) reports += 1;
    else if (beat.good.includes(key)) successes += 1;
  }
  if (reports < 2 || reports * 2 <= live) return undefined;
  return `open at ${reports} of ${live} replicas${successes === 0 ? '' : `, answering at ${successes}`}`;
}

/** What this replica's heartbeat says: its own breakers only, so that no opening outlives those that caused it. */
export function observe(
  views: Iterable<BreakerView>,
  others: readonly Heartbeat[],
): Pick<Heartbeat, 'open' | 'good'> {
  const doubted = new Set(others.flatMap((beat) => beat.open));
  const open: string[] = [];
  const good: string[] = [];
  for (const view of views) {
    if (view.open) open.push(view.key);
    else if (doubted.has(view.key) && (view.lastSuccessAgoMs ?? Number.POSITIVE_INFINITY) < OWN_SUCCESS_MS) {
      good.push(view.key);
    }
  }
  return { open, good };
}
