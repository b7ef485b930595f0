/** Upper bounds of the latency buckets in ms; the last bucket has none. */
export const LATENCY_BUCKETS_MS: readonly number[] = [
  1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000,
];

/** One in so many requests may become the example of its bucket. */
const EXAMPLE_EVERY = 64;

/** A request that shows what a latency bucket holds. */
export interface Example {
  readonly traceId: string;
  readonly latencyMs: number;
  /** When it began, by the monotonic clock. */
  readonly startedMs: number;
}

/** What an example is made of, if it is one. */
export interface ExampleSource {
  readonly traceId: string;
  readonly startedMs: number;
}

/**
 * Requests by kind and status and by latency, as plain numbers. Small, because there is one for each route: with 10 000 of
 * them, every cache line that a request touches here is a miss.
 */
export class TrafficCounters {
  /** One count a bucket. An array of small integers lies beside its object, a typed one far from it. */
  readonly #latencies: number[] = new Array<number>(LATENCY_BUCKETS_MS.length + 1).fill(0);
  #latencySumMs = 0;
  /** The kind and status seen last, and how often in a row; the rest is in the map. */
  #kind = '';
  #status = 0;
  #run = 0;
  readonly #byKind = new Map<string, number>();
  #total = 0;
  #examples: (Example | undefined)[] | undefined;
  readonly #fold: (kind: string) => string;

  /** @param fold what a kind that a stranger may choose is counted as, so that there are only so many */
  constructor(fold: (kind: string) => string = (kind) => kind) {
    this.#fold = fold;
  }

  /** @param kind a method, or the failure of an attempt that came to no status */
  add(kind: string, status: number, latencyMs: number, source?: ExampleSource): void {
    if (status === this.#status && kind === this.#kind) this.#run += 1;
    else {
      this.#settle();
      this.#kind = kind;
      this.#status = status;
      this.#run = 1;
    }
    let bucket = 0;
    while (bucket < LATENCY_BUCKETS_MS.length && latencyMs > (LATENCY_BUCKETS_MS[bucket] ?? 0)) bucket += 1;
    const latencies = this.#latencies;
    latencies[bucket] = (latencies[bucket] ?? 0) + 1;
    this.#latencySumMs += latencyMs;
    this.#total += 1;
    if (source !== undefined && this.#total % EXAMPLE_EVERY === 1)
      this.#keepExample(bucket, latencyMs, source);
  }

  /** Requests by `KIND STATUS`. */
  get byKind(): ReadonlyMap<string, number> {
    this.#settle();
    return this.#byKind;
  }

  /** Requests by status alone. */
  get byStatus(): ReadonlyMap<number, number> {
    const byStatus = new Map<number, number>();
    for (const [key, count] of this.byKind) {
      const status = Number(key.slice(key.lastIndexOf(' ') + 1));
      byStatus.set(status, (byStatus.get(status) ?? 0) + count);
    }
    return byStatus;
  }

  /** Requests in each bucket, not cumulated. */
  get byLatency(): readonly number[] {
    return [...this.#latencies];
  }

  get total(): number {
    return this.#total;
  }

  get latencySumMs(): number {
    return this.#latencySumMs;
  }

  /** By bucket; one of the requests of each, where one was kept. */
  get examples(): readonly (Example | undefined)[] {
    return this.#examples ?? [];
  }

  #settle(): void {
    if (this.#run === 0) return;
    const key = `${this.#fold(this.#kind)} ${this.#status}`;
    this.#byKind.set(key, (this.#byKind.get(key) ?? 0) + this.#run);
    this.#run = 0;
  }

  #keepExample(bucket: number, latencyMs: number, source: ExampleSource): void {
    // a copy: a part of a string keeps the whole alive, here the head of a request
    const traceId = Buffer.from(source.traceId, 'latin1').toString('latin1');
    this.#examples ??= new Array<Example | undefined>(LATENCY_BUCKETS_MS.length + 1).fill(undefined);
    this.#examples[bucket] = { traceId, latencyMs, startedMs: source.startedMs };
  }
}

const METHODS: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'CONNECT',
]);

/** Any token is a method (RFC 9110 §9.1), and a client may send a new one each time. */
export function foldMethod(method: string): string {
  return METHODS.has(method) ? method : 'other';
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

/** Requests that the gateway answered itself, by failure code and route. */
export class FailureCounters {
  /** By failure code, of all routes. */
  readonly byCode = new Map<string, number>();
  /** By `CODE ROUTE`; the route is empty for what met none. Codes have no space. */
  readonly byRoute = new Map<string, number>();

  refused(code: string, route = ''): void {
    this.byCode.set(code, (this.byCode.get(code) ?? 0) + 1);
    const key = `${code} ${route}`;
    this.byRoute.set(key, (this.byRoute.get(key) ?? 0) + 1);
  }
}
