/** An estimate that nobody has confirmed for this many time constants is forgotten. */
const FORGET_AFTER_TAUS = 2;
/** A latency below the clock's resolution is still an observation, which 0 is not. */
const MIN_LATENCY_MS = 0.01;

/**
 * Latency estimate that rises at once and sinks slowly (Finagle's and linkerd's peak EWMA).
 *
 * Left unobserved it sinks, so that a backend which nobody picks any more is tried again; after two time
 * constants it reads 0, unknown. That bounds both mistakes: after a single spike, however high, a backend is
 * out of favour for 20 s and not until e^-t has eaten the spike (1000-fold: 69 s; cf. traefik#12306), and a
 * backend back from a long ejection does not read as 1000 times faster than its peers and get flooded.
 */
export class PeakEwma {
  readonly #tauMs: number;
  #valueMs = 0;
  #observedAtMs = Number.NEGATIVE_INFINITY;

  /** `tauMs`: time constant; what was observed that long ago counts 1/e. */
  constructor(tauMs = 10_000) {
    this.#tauMs = tauMs;
  }

  /** Takes in one latency; negative and NaN ones are ignored. */
  observe(latencyMs: number, nowMs: number): void {
    if (!(latencyMs >= 0)) return;
    const sample = Math.max(latencyMs, MIN_LATENCY_MS);
    const kept = this.#kept(nowMs);
    this.#valueMs = sample >= this.#valueMs ? sample : this.#valueMs * kept + sample * (1 - kept);
    this.#observedAtMs = nowMs;
  }

  /** The estimate in ms; 0 when nothing was observed for two time constants. Does not change the state. */
  read(nowMs: number): number {
    return this.#valueMs * this.#kept(nowMs);
  }

  /** The estimate is unknown again. */
  forget(): void {
    this.#valueMs = 0;
  }

  /** The share of the last estimate that still counts, 0 to 1. */
  #kept(nowMs: number): number {
    const taus = (nowMs - this.#observedAtMs) / this.#tauMs;
    if (taus >= FORGET_AFTER_TAUS) return 0;
    return taus > 0 ? Math.exp(-taus) : 1;
  }
}
