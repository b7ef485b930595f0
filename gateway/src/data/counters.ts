/** Upper bounds of the latency buckets in ms; the last bucket has none. */
export const LATENCY_BUCKETS_MS: readonly number[] = [
  1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000,
];

/** Requests by status and by latency, as plain numbers: what a request adds costs a few writes to arrays. */
export class StatusCounters {
  /** Index: the status. */
  readonly byStatus = new Float64Array(600);
  readonly byLatency = new Float64Array(LATENCY_BUCKETS_MS.length + 1);
  latencySumMs = 0;

  add(status: number, latencyMs: number): void {
    this.byStatus[status] = (this.byStatus[status] ?? 0) + 1;
    let bucket = 0;
    while (bucket < LATENCY_BUCKETS_MS.length && latencyMs > (LATENCY_BUCKETS_MS[bucket] ?? 0)) bucket += 1;
    this.byLatency[bucket] = (this.byLatency[bucket] ?? 0) + 1;
    this.latencySumMs += latencyMs;
  }

  get total(): number {
    return this.byLatency.reduce((sum, count) => sum + count, 0);
  }
}

/** Requests that met no route or no backend, by failure code. */
export class FailureCounters {
  readonly byCode = new Map<string, number>();

  refused(code: string): void {
    this.byCode.set(code, (this.byCode.get(code) ?? 0) + 1);
  }
}
