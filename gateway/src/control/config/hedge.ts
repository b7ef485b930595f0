import type { HedgePlan } from '../../data/plan.ts';
import type { Parsed } from './parsed.ts';
import { bad, good, show } from './parsed.ts';
import { DURATION_PATTERN, formatDuration, LONGEST_MS, parseDuration } from './quantities.ts';

const PERCENTILE = 'p[5-9][0-9](\\.[0-9])?';

/** Of `retry.hedge`, for the JSON Schema. */
export const HEDGE_PATTERN = `^${PERCENTILE}$|${DURATION_PATTERN}`;

/** `50ms`, or `p50` to `p99.9`. */
export function parseHedge(text: string): Parsed<HedgePlan> {
  if (new RegExp(`^${PERCENTILE}$`).test(text)) {
    return good({ kind: 'percentile', percentile: Number(text.slice(1)) });
  }
  const after = parseDuration(text);
  if (after.ok) {
    if (after.value === 0) return bad(`${show(text)} would send everything twice`, 'false');
    if (after.value > LONGEST_MS)
      return bad(`${show(text)} is too long; at most ${formatDuration(LONGEST_MS)}`);
    return good({ kind: 'after', afterMs: after.value });
  }
  return bad(
    `${show(text)} is neither a duration such as 50ms nor a percentile from p50 to p99.9`,
    guess(text),
  );
}

function guess(text: string): string | undefined {
  if (/^(0|off|no|none)$/i.test(text)) return 'false';
  const digits = /^p?([5-9][0-9](?:\.[0-9])?)(?:%|th)?$/i.exec(text.replace(/\s/g, ''))?.[1];
  return digits === undefined ? undefined : `p${digits}`;
}
