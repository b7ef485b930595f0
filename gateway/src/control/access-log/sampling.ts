/**
 * Whether a trace belongs to a share of all, told by its id, so that every replica, every service and both log and traces
 * choose the same ones: OpenTelemetry's consistent probability sampling (the last 56 bits at or above a threshold), by the
 * first 32 of those bits.
 * @param ratio 0 to 1
 */
export function isSampled(traceId: string, ratio: number): boolean {
  if (ratio >= 1) return true;
  if (ratio <= 0) return false;
  return Number.parseInt(traceId.slice(18, 26), 16) >= (1 - ratio) * 2 ** 32;
}
