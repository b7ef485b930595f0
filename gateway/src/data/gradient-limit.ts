/** From Netflix's Gradient2: latency may be this many times the baseline before it counts as queueing. */
const TOLERANCE = 1.5;
/** And this much more, whatever the baseline: below a millisecond it is the gateway's own event loop that varies. */
const SLACK_MS = 1;
const SMOOTHING = 0.2;
const MIN_GRADIENT = 0.5;
const FIRST_LIMIT = 20;
/** Growth of a window until latency shows a queue for the first time: 20 to 400 in one second instead of fifteen. */
const START_GROWTH = 1.5;
const BACK_OFF = 0.9;
/** Share of a window's requests that makes it overloaded: a backend may answer one in a hundred with 503 all day. */
const OVERLOAD_SHARE = 0.1;
/** How far the baseline moves to what one window says. */
const LEARNING = 0.05;

const WINDOW_SAMPLES = 20;
const WINDOW_MS = 100;
/** Where few requests come, what came in this time is a window. */
const SLOW_WINDOW_MS = 1_000;

const PROBE_EVERY_MS = 30_000;
/** At a limit of four or more a probe is at capacity or below even when the limit has settled at its highest, see ADR 0012. */
const PROBE_SHARE = 0.25;
const PROBE_MIN_MS = 300;
/** Longest probe, in recent latencies. */
const PROBE_LATENCIES = 6;
const PROBE_MIN_SAMPLES = 3;
/** Probes take at most one part in this many of the time. */
const PROBE_REST = 20;
const PROBE_SURPRISE = 0.75;

/** A short time at a fraction of the limit, to see what latency is when nothing queues. */
interface Probe {
  readonly startedMs: number;
  readonly endsMs: number;
  /** How many more are to end before what ends was admitted by the probe; undefined until so few are under way. */
  toSkip: number | undefined;
  sumMs: number;
  samples: number;
}

/**
 * A concurrency limit that follows latency: it grows by the square root of itself while latency stays near its baseline,
 * and shrinks as latency leaves it. After Gradient2 of Netflix's concurrency-limits (Landau, Thurston and Bozarth,
 * "Performance Under Load", 2018). What differs is the baseline, which there follows every window and so takes a
 * queue that stays for the service itself: here only windows in which the limit was not needed raise it, and in
 * lasting saturation a probe measures it (as BBR's ProbeRTT and Envoy's minRTT windows do).
 */
export class GradientLimit {
  #max: number;
  #estimate: number;
  #limit: number;
  /** Latency when nothing queues; undefined until a window has told. */
  #baselineMs: number | undefined;
  #recentMs = 0;
  #starting = true;

  // the window that is being collected
  #startedMs: number;
  #sumMs = 0;
  #samples = 0;
  #ended = 0;
  #overloads = 0;
  #peak = 0;

  #probe: Probe | undefined;
  #probeAgainMs = Number.NEGATIVE_INFINITY;

  /** @param max 1 or more; `nowMs` of any monotonic clock, the same in every call */
  constructor(max: number, nowMs: number) {
    this.#max = max;
    this.#estimate = Math.min(FIRST_LIMIT, max);
    this.#limit = this.#estimate;
    this.#startedMs = nowMs;
  }

  /** A whole number from 1 to `max`. */
  get limit(): number {
    return this.#limit;
  }

  set max(max: number) {
    this.#max = max;
    this.#settle(this.#estimate);
  }

  /**
   * One request has ended.
   * @param latencyMs to the head of its answer; undefined when that says nothing
   * @param inFlight requests under way, this one included
   */
  ended(latencyMs: number | undefined, overloaded: boolean, inFlight: number, nowMs: number): void {
    if (this.#probe !== undefined) {
      this.#endedInProbe(this.#probe, latencyMs, inFlight, nowMs);
      return;
    }
    if (inFlight > this.#peak) this.#peak = inFlight;
    if (overloaded) this.#overloads += 1;
    if (latencyMs !== undefined) {
      this.#sumMs += latencyMs;
      this.#samples += 1;
    }
    this.#ended += 1;
    const elapsedMs = nowMs - this.#startedMs;
    // at least a round trip long: a shorter window does not yet show what the last change did
    if (elapsedMs < WINDOW_MS || elapsedMs < this.#recentMs) return;
    if (this.#ended >= WINDOW_SAMPLES || elapsedMs >= SLOW_WINDOW_MS) this.#endWindow(nowMs);
  }

  /** To be called when a request finds no room: a probe must not outlast its time because nothing ends. */
  look(nowMs: number): void {
    if (this.#probe !== undefined && nowMs >= this.#probe.endsMs) this.#endProbe(this.#probe, nowMs);
  }

  #endWindow(nowMs: number): void {
    const overloaded = this.#overloads > 0 && this.#overloads >= this.#ended * OVERLOAD_SHARE;
    const saturated = this.#peak >= this.#limit;
    const busy = this.#peak * 2 >= this.#limit;
    if (this.#samples > 0) {
      this.#recentMs = this.#sumMs / this.#samples;
      this.#learn(this.#recentMs, busy);
    }
    if (overloaded) this.#backOff();
    else if (saturated && nowMs >= this.#probeAgainMs) this.#startProbe(nowMs);
    else if (busy && this.#samples > 0) this.#follow();
    this.#restart(nowMs);
  }

  /** A busy window's latency may hold a queue, so it can only lower the baseline. */
  #learn(recentMs: number, busy: boolean): void {
    const baselineMs = this.#baselineMs;
    if (baselineMs === undefined) this.#baselineMs = recentMs;
    else if (!busy || recentMs < baselineMs)
      this.#baselineMs = baselineMs + (recentMs - baselineMs) * LEARNING;
  }

  #backOff(): void {
    this.#starting = false;
    this.#settle(this.#estimate * BACK_OFF);
  }

  #follow(): void {
    const ratio = (TOLERANCE * (this.#baselineMs ?? this.#recentMs) + SLACK_MS) / this.#recentMs;
    if (ratio < 1) this.#starting = false;
    if (this.#starting) {
      this.#settle(this.#estimate * START_GROWTH);
      return;
    }
    const gradient = Math.max(MIN_GRADIENT, Math.min(1, ratio));
    const aim = this.#estimate * gradient + Math.sqrt(this.#estimate);
    this.#settle(this.#estimate + (aim - this.#estimate) * SMOOTHING);
  }

  #settle(estimate: number): void {
    this.#estimate = Math.max(1, Math.min(this.#max, estimate));
    const limit = this.#probe === undefined ? this.#estimate : this.#estimate * PROBE_SHARE;
    this.#limit = Math.max(1, Math.floor(limit));
  }

  #restart(nowMs: number): void {
    this.#startedMs = nowMs;
    this.#sumMs = 0;
    this.#samples = 0;
    this.#ended = 0;
    this.#overloads = 0;
    this.#peak = 0;
  }

  #startProbe(nowMs: number): void {
    const lengthMs = Math.max(PROBE_MIN_MS, this.#recentMs * PROBE_LATENCIES);
    this.#probe = { startedMs: nowMs, endsMs: nowMs + lengthMs, toSkip: undefined, sumMs: 0, samples: 0 };
    this.#settle(this.#estimate);
  }

  #endedInProbe(probe: Probe, latencyMs: number | undefined, inFlight: number, nowMs: number): void {
    if (probe.toSkip === undefined) {
      // what is under way now may have queued behind what was there before; the slowest of it ends after quicker newcomers
      if (inFlight - 1 <= this.#limit) probe.toSkip = 2 * (inFlight - 1);
    } else if (probe.toSkip > 0) probe.toSkip -= 1;
    else if (latencyMs !== undefined) {
      probe.sumMs += latencyMs;
      probe.samples += 1;
    }
    if (probe.samples >= Math.max(WINDOW_SAMPLES, this.#limit) || nowMs >= probe.endsMs)
      this.#endProbe(probe, nowMs);
  }

  #endProbe(probe: Probe, nowMs: number): void {
    const before = this.#baselineMs ?? Number.POSITIVE_INFINITY;
    if (probe.samples >= PROBE_MIN_SAMPLES) this.#baselineMs = probe.sumMs / probe.samples;
    // much lower than was believed: the limit was too far off for one probe to find all of it
    const soon = (this.#baselineMs ?? before) < before * PROBE_SURPRISE;
    const restMs = (nowMs - probe.startedMs) * PROBE_REST;
    this.#probeAgainMs = nowMs + (soon ? restMs : Math.max(PROBE_EVERY_MS, restMs));
    this.#probe = undefined;
    this.#settle(this.#estimate);
    this.#restart(nowMs);
  }
}
