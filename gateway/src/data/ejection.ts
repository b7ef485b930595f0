import { type Expirable, type Random, Timer, type TimerWheel } from '../time.ts';
import { OutcomeWindow } from './outcome-window.ts';
import type { EjectionPlan } from './plan.ts';

/** The first ejection for a refused connection: a deploy is soon over, and such a failure costs a request nothing. */
const REFUSED_MS = 1_000;
/** Backends ejected by the same event do not come back in the same moment. */
const JITTER = 0.1;

/** What an ejection asks and tells; all of it is called synchronously and must not throw. */
export interface EjectionDeps {
  readonly wheel: TimerWheel;
  readonly random: Random;
  /** Whether the service can spare one more backend now. */
  readonly mayEject: () => boolean;
  readonly onEject: (reason: string, forMs: number) => void;
  readonly onReturn: () => void;
}

/**
 * Passive ejection of one backend by what its live traffic says (Envoy's outlier detection). Being ejected again and
 * again takes longer each time; time spent well is credited.
 */
export class Ejection implements Expirable {
  readonly #plan: EjectionPlan;
  readonly #deps: EjectionDeps;
  readonly #window: OutcomeWindow;
  readonly #timer = new Timer(this);
  #state: 'watching' | 'ejected' | 'closed' = 'watching';
  #inARow = 0;
  #untilMs = 0;
  #reason = '';
  /** Ejections that count for the length of the next one, before what the time since the last has forgiven. */
  #previous = 0;
  #lastMs = 0;
  #returnedAtMs = 0;

  constructor(plan: EjectionPlan, deps: EjectionDeps) {
    this.#plan = plan;
    this.#deps = deps;
    this.#window = new OutcomeWindow(plan.windowMs);
  }

  get active(): boolean {
    return this.#state === 'ejected';
  }

  /** When it ends, in the wheel's time; 0 when not ejected. */
  get untilMs(): number {
    return this.#untilMs;
  }

  /** For people, e.g. `5 failures in a row (connect_refused)`; empty when not ejected. */
  get reason(): string {
    return this.#reason;
  }

  /** Called for every request. What is counted while ejected is dropped on return. */
  succeeded(): void {
    this.#inARow = 0;
    this.#window.succeeded(this.#deps.wheel.nowMs);
  }

  /** @param what failure code, or `status 503` */
  failed(what: string): void {
    // sent before it was ejected, or because every backend is tried: not news
    if (this.#state !== 'watching') return;
    const nowMs = this.#count();
    const inARow = this.#inARow >= this.#plan.consecutiveFailures;
    if (!inARow && !this.#tooOften(nowMs)) return;
    if (!this.#deps.mayEject()) return;
    const reason = inARow ? `${this.#inARow} failures in a row (${what})` : this.#share(nowMs);
    this.#eject(reason, this.#plan.baseMs, this.#plan.maxMs);
  }

  /**
   * Nothing could be sent: refused or unreachable. Ejects at once, and briefly.
   * @param what e.g. `connection refused`
   */
  connectFailed(what: string): void {
    if (this.#state !== 'watching') return;
    this.#count();
    if (this.#deps.mayEject()) this.#eject(what, REFUSED_MS, this.#plan.baseMs);
  }

  /** A probe or the operator says that it is well again. */
  readmit(): void {
    if (this.#state === 'ejected') this.#return();
  }

  /** Lets go of the timer; nothing is told any more. */
  close(): void {
    this.#deps.wheel.release(this.#timer);
    this.#state = 'closed';
    this.#untilMs = 0;
    this.#reason = '';
  }

  onDeadline(): void {
    this.#return();
  }

  /** Counts one failure; returns the time it was counted at. */
  #count(): number {
    const nowMs = this.#deps.wheel.nowMs;
    this.#inARow += 1;
    this.#window.failed(nowMs);
    return nowMs;
  }

  #tooOften(nowMs: number): boolean {
    const { failurePercent, minRequests } = this.#plan;
    const requests = this.#window.requests(nowMs);
    return requests >= minRequests && this.#window.failures(nowMs) * 100 >= failurePercent * requests;
  }

  #share(nowMs: number): string {
    const requests = this.#window.requests(nowMs);
    return `${Math.round((this.#window.failures(nowMs) * 100) / requests)} % of ${requests} requests failed`;
  }

  #eject(reason: string, baseMs: number, maxMs: number): void {
    const { wheel, random, onEject } = this.#deps;
    // the wheel's own time may be old after a stall of the event loop, and the ejection over before it began
    const nowMs = wheel.look();
    const previous = Math.max(0, this.#previous - this.#forgiven(nowMs));
    const wholeMs = Math.min(maxMs, baseMs * 2 ** previous);
    // at its full length, one more would only take longer to be forgiven
    this.#previous = wholeMs < maxMs ? previous + 1 : previous;
    const forMs = wholeMs * (1 - JITTER + 2 * JITTER * random());
    this.#lastMs = forMs;
    this.#untilMs = nowMs + forMs;
    this.#reason = reason;
    this.#state = 'ejected';
    wheel.arm(this.#timer, forMs);
    onEject(reason, forMs);
  }

  /** One ejection for each time as long as the last one, or the base time, that went well since. */
  #forgiven(nowMs: number): number {
    return Math.floor((nowMs - this.#returnedAtMs) / Math.max(this.#plan.baseMs, this.#lastMs));
  }

  #return(): void {
    this.#timer.disarm();
    this.#state = 'watching';
    this.#untilMs = 0;
    this.#reason = '';
    this.#returnedAtMs = this.#deps.wheel.nowMs;
    this.#inARow = 0;
    this.#window.clear();
    this.#deps.onReturn();
  }
}

interface EjectionCounts {
  /** Backends of the service. */
  readonly total: number;
  /** Of these, ejected now. */
  readonly ejected: number;
  /** Of these, eligible now, the one in question included. */
  readonly eligible: number;
}

/**
 * Whether a service can spare one more backend: `maxPercent` of all, rounded down but at least one (as Envoy has it),
 * and never the last that is eligible.
 */
export function mayEject(plan: EjectionPlan, counts: EjectionCounts): boolean {
  const most = Math.max(1, Math.floor((counts.total * plan.maxPercent) / 100));
  return counts.eligible > 1 && counts.ejected < most;
}
