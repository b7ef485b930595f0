/** An observation counts half after this time, a quarter after twice the time, ... */
const HALVED_EVERY_MS = 10_000;
/** A percentile of fewer says little. */
const ENOUGH = 50;
/** A percentile is worked out again after this time, not for each request: the walk over all bins takes 1 µs. */
const KEPT_MS = 100;

const UNITS_PER_MS = 1024;
const MAX_UNITS = 2 ** 31 - 1;
/** log2 of the bins to a doubling: each bin is 3.1 to 6.3 % wide, its middle within 3.2 % of all in it. */
const FINENESS = 4;
const BINS = (31 - FINENESS + 1) << FINENESS;

/**
 * The bin of a latency in units: linear within a doubling, as HdrHistogram has it: 2 ns, where a logarithm takes 12.
 */
function binOf(units: number): number {
  const shift = Math.max(0, 31 - FINENESS - Math.clz32(units));
  return (shift << FINENESS) + (units >>> shift);
}

/** The middle of a bin in units. */
function middleOf(bin: number): number {
  const shift = Math.max(0, (bin >>> FINENESS) - 1);
  return (bin - (shift << FINENESS) + 0.5) * 2 ** shift;
}

/** Percentiles of the recent latencies of a service, within 3.2 % from 16 µs to 35 minutes. */
export class LatencyPercentile {
  readonly #nowMs: () => number;
  readonly #bins = new Float64Array(BINS);
  /** The sum of the bins. */
  #weight = 0;
  /** Observations since the last halving, and between that and the one before. */
  #recent = 0;
  #before = 0;
  #halvedAtMs: number;
  #percentile = 0;
  #valueMs = 0;
  #valueUntilMs = Number.NEGATIVE_INFINITY;

  /** @param nowMs may be coarse, must not go back */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
    this.#halvedAtMs = nowMs();
  }

  /** Negative and NaN latencies are ignored. Called for every request. */
  observe(latencyMs: number): void {
    if (!(latencyMs >= 0)) return;
    const nowMs = this.#nowMs();
    if (nowMs - this.#halvedAtMs >= HALVED_EVERY_MS) this.#halve(nowMs);
    const bin = binOf(Math.min(latencyMs * UNITS_PER_MS, MAX_UNITS) | 0);
    this.#bins[bin] = (this.#bins[bin] ?? 0) + 1;
    this.#weight += 1;
    this.#recent += 1;
  }

  /**
   * The latency in ms that `percentile` (0 to 100) of the recent requests did not exceed, up to 100 ms old; 0 with fewer
   * than 50 observations in the last 10 to 20 s.
   */
  read(percentile: number): number {
    const nowMs = this.#nowMs();
    if (nowMs < this.#valueUntilMs && percentile === this.#percentile) return this.#valueMs;
    if (nowMs - this.#halvedAtMs >= HALVED_EVERY_MS) this.#halve(nowMs);
    this.#percentile = percentile;
    this.#valueMs = this.#recent + this.#before < ENOUGH ? 0 : this.#walk(percentile);
    this.#valueUntilMs = nowMs + KEPT_MS;
    return this.#valueMs;
  }

  #walk(percentile: number): number {
    const bins = this.#bins;
    const wanted = (this.#weight * percentile) / 100;
    let seen = 0;
    let last = 0;
    for (let bin = 0; bin < BINS; bin += 1) {
      const weight = bins[bin] ?? 0;
      if (weight === 0) continue;
      seen += weight;
      last = bin;
      if (seen >= wanted) break;
    }
    return middleOf(last) / UNITS_PER_MS;
  }

  #halve(nowMs: number): void {
    const times = Math.floor((nowMs - this.#halvedAtMs) / HALVED_EVERY_MS);
    this.#before = times === 1 ? this.#recent : 0;
    this.#recent = 0;
    this.#halvedAtMs += times * HALVED_EVERY_MS;
    const kept = 2 ** -times;
    let weight = 0;
    for (let bin = 0; bin < BINS; bin += 1) {
      const left = (this.#bins[bin] ?? 0) * kept;
      this.#bins[bin] = left;
      weight += left;
    }
    this.#weight = weight;
  }
}
