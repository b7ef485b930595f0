import { EventEmitter } from 'node:events';
import CircuitBreaker from 'opossum';
import { type Random, Timer, type TimerWheel } from '../time.ts';
import type { BreakerPlan } from './plan.ts';
import type { BreakerState } from './port.ts';

/** What a breaker needs, and whom it tells. Both are called once the change is complete, and may call the breaker. */
export interface BreakerDeps {
  readonly wheel: TimerWheel;
  /** Spreads the open times, so that replicas do not try a backend in step. */
  readonly random: Random;
  readonly onFlip: (from: BreakerState, to: BreakerState, reason: string) => void;
  /** `admits` is not what it was when this was last called; comes after `onFlip`. */
  readonly onAdmits: () => void;
}

const BUCKETS = 10;
/** Half-open, and the one trial is under way: a ticket that no outcome counts for. */
const NOT_COUNTED = 0;
const MAX_DOUBLINGS = 30;
const FIRST_TICKETS = 2 ** 29;

/** An outcome that is known already. Of what an action returns, opossum calls these two and nothing else. */
interface Known {
  then(good: () => void): Known;
  catch(bad: (error: Error) => void): Known;
}

const FAILURE = new Error('the attempt failed');
const GOOD: Known = {
  // biome-ignore lint/suspicious/noThenProperty: opossum asks for it; a promise would tell it a microtask later
  then(good) {
    good();
    return GOOD;
  },
  catch: () => GOOD,
};
const BAD: Known = {
  // biome-ignore lint/suspicious/noThenProperty: as above
  then: () => BAD,
  catch(bad) {
    bad(FAILURE);
    return BAD;
  },
};

/** What opossum keeps of latencies, one number a call, though percentiles are off: nothing. */
class NoTimes extends Array<number> {
  override push(): number {
    return 0;
  }
}
const NO_TIMES = new NoTimes();

/**
 * An opossum circuit that is told of outcomes and lives from one flip to the next. What it is kept from, by what:
 * - counting requests that are under way, and a timer for each: fired at the outcome, `timeout` off
 * - two intervals a circuit: its window turns when an outcome finds a bucket's time over, and no snapshots are taken
 * - half-opening by a timer of its own: shut down as soon as it opens
 * - a rejected promise for each failure: a fallback
 * - opening above a share rather than at it: a threshold slightly lower
 * A good outcome is counted in the bucket itself, since nothing else comes of it: `fire` makes two promises.
 */
class Circuit {
  readonly #opossum: CircuitBreaker<[Known], void>;
  readonly #rotation = new EventEmitter();
  readonly #bucketMs: number;
  readonly #bornMs: number;
  #bucket: CircuitBreaker.Bucket;
  #bucketIndex = 0;
  #bucketEndMs: number;

  constructor(state: 'closed' | 'half-open', percent: number, plan: BreakerPlan, nowMs: number) {
    this.#bucketMs = plan.windowMs / BUCKETS;
    this.#bornMs = nowMs;
    this.#bucketEndMs = nowMs + this.#bucketMs;
    // not shared: opossum writes its defaults into it
    const options = {
      timeout: false as const,
      // percents are whole, so a share that is lower is lower by at least 1 / requests
      errorThresholdPercentage: percent - 1e-9,
      volumeThreshold: plan.minRequests,
      rollingCountTimeout: plan.windowMs,
      rollingCountBuckets: BUCKETS,
      rollingPercentilesEnabled: false,
      enableSnapshots: false,
      rotateBucketController: this.#rotation,
      state: { closed: state === 'closed', halfOpen: state === 'half-open' },
    };
    this.#opossum = new CircuitBreaker(reportOutcome, options);
    this.#opossum.fallback(ignoreFailure);
    this.#bucket = this.#currentBucket();
  }

  get opened(): boolean {
    return this.#opossum.opened;
  }

  /** The share of bad outcomes, e.g. `62 % of 40`. */
  get share(): string {
    const { failures, fires } = this.#opossum.stats;
    return `${Math.floor((failures * 100) / fires)} % of ${fires}`;
  }

  /** Good, in the closed state. */
  countGood(nowMs: number): void {
    if (nowMs >= this.#bucketEndMs) this.#rotate(nowMs);
    this.#bucket.fires += 1;
    this.#bucket.successes += 1;
  }

  /** Opossum decides whether that closes or opens it, before this returns. */
  fire(outcome: Known, nowMs: number): void {
    if (nowMs >= this.#bucketEndMs) this.#rotate(nowMs);
    void this.#opossum.fire(outcome);
  }

  shutdown(): void {
    this.#opossum.shutdown();
  }

  #rotate(nowMs: number): void {
    const index = Math.floor((nowMs - this.#bornMs) / this.#bucketMs);
    const turns = Math.min(index - this.#bucketIndex, BUCKETS);
    for (let turn = 0; turn < turns; turn++) this.#rotation.emit('rotate');
    this.#bucketIndex = index;
    this.#bucketEndMs = this.#bornMs + (index + 1) * this.#bucketMs;
    this.#bucket = this.#currentBucket();
  }

  #currentBucket(): CircuitBreaker.Bucket {
    const bucket = this.#opossum.status.window[0];
    if (bucket === undefined) throw new Error('opossum has a window without buckets');
    bucket.latencyTimes = NO_TIMES;
    return bucket;
  }
}

function reportOutcome(outcome: Known): Promise<void> {
  return outcome as unknown as Promise<void>;
}

function ignoreFailure(): void {}

type Phase =
  | { readonly kind: 'closed'; readonly failures: Circuit; readonly slow: Circuit | undefined }
  | { readonly kind: 'open'; readonly untilMs: number }
  | { readonly kind: 'half-open'; readonly circuit: Circuit; trial: 'free' | 'under way' }
  | { readonly kind: 'released' };

/**
 * The circuit breaker of one backend. It opens when `failurePercent` of at least `minRequests` in the window failed or,
 * with `slowCallMs`, when `slowPercent` of at least `minRequests` good answers were slow; asked at each bad outcome.
 * After a time that doubles with every trip in a row it lets one trial through, which closes it or opens it again.
 *
 * A ticket names the stretch between two flips in which a request was admitted: what is known only after the next flip
 * changes nothing any more. Each ticket is to be handed back once, by `succeeded`, `failed` or `dropped`.
 */
export class Breaker {
  readonly #plan: BreakerPlan;
  readonly #deps: BreakerDeps;
  readonly #wheel: TimerWheel;
  readonly #timer = new Timer({ onDeadline: () => this.#halfOpen() });
  #phase: Phase;
  #generation: number;
  #reason = '';
  #toldAdmits = true;
  #tripsInARow = 0;
  #closedSinceMs: number;

  constructor(plan: BreakerPlan, deps: BreakerDeps) {
    this.#plan = plan;
    this.#deps = deps;
    this.#wheel = deps.wheel;
    this.#closedSinceMs = deps.wheel.nowMs;
    // a reload may replace a breaker under way: tickets of the old one must not pass for tickets of the new
    this.#generation = 1 + Math.floor(deps.random() * FIRST_TICKETS);
    const failures = new Circuit('closed', plan.failurePercent, plan, deps.wheel.nowMs);
    this.#phase = { kind: 'closed', failures, slow: this.#slowCircuit() };
  }

  get state(): BreakerState {
    return this.#phase.kind === 'released' ? 'closed' : this.#phase.kind;
  }

  /** Closed, or half-open with its one trial free. */
  get admits(): boolean {
    const phase = this.#phase;
    return phase.kind === 'half-open' ? phase.trial === 'free' : phase.kind !== 'open';
  }

  /** Why it opened, while it is not closed; empty otherwise. */
  get reason(): string {
    return this.#reason;
  }

  /** The wheel's time at which it half-opens, or up to two ticks later; 0 when it is not open. */
  get untilMs(): number {
    return this.#phase.kind === 'open' ? this.#phase.untilMs : 0;
  }

  /** A request goes there, whether or not it admits any: its ticket. Half-open it takes the trial; beside that it is 0. */
  admit(): number {
    const phase = this.#phase;
    if (phase.kind !== 'half-open') return this.#generation;
    if (phase.trial !== 'free') return NOT_COUNTED;
    phase.trial = 'under way';
    const ticket = this.#generation;
    this.#tellAdmits();
    return ticket;
  }

  /** A good answer, whose head came after `latencyMs`. */
  succeeded(ticket: number, latencyMs: number): void {
    if (ticket !== this.#generation) return;
    const phase = this.#phase;
    const { slowCallMs } = this.#plan;
    const isSlow = slowCallMs > 0 && latencyMs > slowCallMs;
    if (phase.kind === 'closed') {
      phase.failures.countGood(this.#wheel.nowMs);
      if (isSlow) this.#slow(phase.slow);
      else phase.slow?.countGood(this.#wheel.nowMs);
    } else if (phase.kind === 'half-open') {
      if (isSlow) this.#endTrial(phase.circuit, BAD, `its trial took longer than ${slowCallMs}ms`);
      else this.#endTrial(phase.circuit, GOOD, 'its trial succeeded');
    }
  }

  /** No answer, or one that says that the backend fails. */
  failed(ticket: number): void {
    if (ticket !== this.#generation) return;
    const phase = this.#phase;
    if (phase.kind === 'closed') {
      phase.failures.fire(BAD, this.#wheel.nowMs);
      if (phase.failures.opened) this.#trip(`${phase.failures.share} requests failed`);
    } else if (phase.kind === 'half-open') {
      this.#endTrial(phase.circuit, BAD, 'its trial failed');
    }
  }

  /** It ended without saying anything of the backend: a trial is free again. */
  dropped(ticket: number): void {
    const phase = this.#phase;
    if (ticket !== this.#generation || phase.kind !== 'half-open') return;
    phase.trial = 'free';
    this.#tellAdmits();
  }

  /** Lets go of the timer and of opossum. From then on it counts as closed, and nothing it is told matters. */
  close(): void {
    this.#wheel.release(this.#timer);
    this.#shutdownCircuits();
    this.#reason = '';
    this.#toldAdmits = true;
    this.#phase = { kind: 'released' };
  }

  #slowCircuit(): Circuit | undefined {
    if (this.#plan.slowCallMs <= 0) return undefined;
    return new Circuit('closed', this.#plan.slowPercent, this.#plan, this.#wheel.nowMs);
  }

  #slow(circuit: Circuit | undefined): void {
    circuit?.fire(BAD, this.#wheel.nowMs);
    if (circuit?.opened === true)
      this.#trip(`${circuit.share} answers took longer than ${this.#plan.slowCallMs}ms`);
  }

  #endTrial(circuit: Circuit, outcome: Known, reason: string): void {
    circuit.fire(outcome, this.#wheel.nowMs);
    if (circuit.opened) this.#trip(reason);
    else this.#close(circuit, reason);
  }

  #close(failures: Circuit, reason: string): void {
    this.#closedSinceMs = this.#wheel.look();
    this.#flip({ kind: 'closed', failures, slow: this.#slowCircuit() }, '', reason);
  }

  #trip(reason: string): void {
    const { openMs, maxOpenMs } = this.#plan;
    const nowMs = this.#wheel.look();
    if (this.#phase.kind === 'closed' && nowMs - this.#closedSinceMs >= maxOpenMs) this.#tripsInARow = 0;
    const doublings = Math.min(this.#tripsInARow, MAX_DOUBLINGS);
    const forMs = Math.min(openMs * 2 ** doublings, maxOpenMs) * (0.9 + 0.2 * this.#deps.random());
    this.#tripsInARow += 1;
    this.#shutdownCircuits();
    this.#wheel.arm(this.#timer, forMs);
    this.#flip({ kind: 'open', untilMs: nowMs + forMs }, reason, reason);
  }

  #halfOpen(): void {
    const circuit = new Circuit('half-open', this.#plan.failurePercent, this.#plan, this.#wheel.nowMs);
    this.#flip({ kind: 'half-open', circuit, trial: 'free' }, this.#reason, 'its open time is over');
  }

  #flip(phase: Phase, reason: string, told: string): void {
    const from = this.state;
    this.#phase = phase;
    this.#reason = reason;
    this.#generation += 1;
    this.#deps.onFlip(from, this.state, told);
    this.#tellAdmits();
  }

  #tellAdmits(): void {
    if (this.admits === this.#toldAdmits) return;
    this.#toldAdmits = this.admits;
    this.#deps.onAdmits();
  }

  #shutdownCircuits(): void {
    const phase = this.#phase;
    if (phase.kind === 'half-open') phase.circuit.shutdown();
    if (phase.kind !== 'closed') return;
    phase.failures.shutdown();
    phase.slow?.shutdown();
  }
}
