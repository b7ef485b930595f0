const LEAST = 0.1;

/**
 * The share of its weight that a backend gets which came back at `sinceMs`: growing evenly to 1 within `slowStartMs`, and
 * never below a tenth, so that it warms up at all (Envoy's slow start, aggression 1). 0 `slowStartMs` is at once.
 */
export function slowStartShare(sinceMs: number, nowMs: number, slowStartMs: number): number {
  const elapsedMs = nowMs - sinceMs;
  if (elapsedMs >= slowStartMs) return 1;
  return Math.max(LEAST, elapsedMs / slowStartMs);
}
