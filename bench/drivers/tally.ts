import type { LoadResult } from '../load.ts';

const SLOT_MS = 0.01;
const SLOTS = 100_000;

/** What a load program counts; printed as one line at its end. */
export class Tally {
  requests = 0;
  socketErrors = 0;
  /** Answers that were not what was asked for. */
  badStatuses = 0;
  /** By 10 µs, up to one second. */
  readonly #latencies = new Uint32Array(SLOTS);
  readonly #startedMs = performance.now();

  answered(latencyMs: number): void {
    this.requests += 1;
    const slot = Math.min(SLOTS - 1, Math.floor(latencyMs / SLOT_MS));
    this.#latencies[slot] = (this.#latencies[slot] ?? 0) + 1;
  }

  result(): LoadResult {
    const seconds = (performance.now() - this.#startedMs) / 1000;
    const { requests, socketErrors, badStatuses } = this;
    const requestsPerSecond = requests / seconds;
    const [p50Ms, p99Ms] = [this.#percentile(0.5), this.#percentile(0.99)];
    return { requests, seconds, requestsPerSecond, p50Ms, p99Ms, socketErrors, badStatuses };
  }

  /** 0 where nothing was timed. */
  #percentile(share: number): number {
    const total = this.#latencies.reduce((sum, each) => sum + each, 0);
    let left = total * share;
    const slot = this.#latencies.findIndex((each) => {
      left -= each;
      return left <= 0;
    });
    return total === 0 ? 0 : slot * SLOT_MS;
  }
}

/** `node DRIVER PORT CONNECTIONS SECONDS`. Throws on anything else. */
export function driverArguments(argv: readonly string[]): {
  readonly port: number;
  readonly connections: number;
  readonly seconds: number;
} {
  const [port, connections, seconds] = argv.slice(2).map(Number);
  if (port === undefined || connections === undefined || seconds === undefined)
    throw new Error('usage: PORT CONNECTIONS SECONDS');
  return { port, connections, seconds };
}

/** Prints what was counted once the time is over, and ends the process with all its sockets. */
export function printAfter(seconds: number, tally: Tally): void {
  setTimeout(() => {
    process.stdout.write(`${JSON.stringify(tally.result())}\n`, () => process.exit());
  }, seconds * 1000);
}
