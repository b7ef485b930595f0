/** Upper bounds of the latency buckets in ms; the last bucket has none. */
export const LATENCY_BUCKETS_MS: readonly number[] = [
  1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000,
];

/**
 * Requests by status and by latency, as plain numbers. Small, because there is one for each route: with 10 000 of them,
 * every cache line that a request touches here is a miss.
 */
export class StatusCounters {
  /** One count a bucket. An array of small integers lies beside its object, a typed one far from it. */
  readonly #latencies: number[] = new Array<number>(LATENCY_BUCKETS_MS.length + 1).fill(0);
  #latencySumMs = 0;
  /** The status seen last, and how often in a row; the rest is in the map. */
  #status = 0;
  #run = 0;
  readonly #byStatus = new Map<number, number>();

  add(status: number, latencyMs: number): void {
    if (status === this.#status) this.#run += 1;
    else {
      this.#settle();
      this.#status = status;
      this.#run = 1;
    }
    let bucket = 0;
    while (bucket < LATENCY_BUCKETS_MS.length && latencyMs > (LATENCY_BUCKETS_MS[bucket] ?? 0)) bucket += 1;
    const latencies = this.#latencies;
    latencies[bucket] = (latencies[bucket] ?? 0) + 1;
    this.#latencySumMs += latencyMs;
  }

  /** Requests by status. */
  get byStatus(): ReadonlyMap<number, number> {
    this.#settle();
    return this.#byStatus;
  }

  /** Requests in each bucket, not cumulated. */
  get byLatency(): readonly number[] {
    return [...this.#latencies];
  }

  get latencySumMs(): number {
    return this.#latencySumMs;
  }

  #settle(): void {
    if (this.#run > 0) this.#byStatus.set(this.#status, (this.#byStatus.get(this.#status) ?? 0) + this.#run);
    this.#run = 0;
  }
}

/** Retries of a service by what asked for them and what came of it. */
export class RetryCounters {
  /** By `REASON OUTCOME`, e.g. `reset retried`, `timeout budget`. */
  readonly byOutcome = new Map<string, number>();

  add(reason: string, outcome: string): void {
    const key = `${reason} ${outcome}`;
    this.byOutcome.set(key, (this.byOutcome.get(key) ?? 0) + 1);
  }
}

/** Requests that met no route or no backend, by failure code. */
export class FailureCounters {
  readonly byCode = new Map<string, number>();

  refused(code: string): void {
    this.byCode.set(code, (this.byCode.get(code) ?? 0) + 1);
  }
}
