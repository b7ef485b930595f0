import type { LookupFunction } from 'node:net';
import type { SecureContext } from 'node:tls';
import type { BackendPlan, ProbePlan, TlsPlan } from '../../data/plan.ts';
import { type Expirable, Timer, type TimerWheel } from '../../time.ts';

export type ProbeOutcome = 'success' | 'failure' | 'timeout';

/** What one probe found. */
export interface ProbeResult {
  readonly outcome: ProbeOutcome;
  /** For people, e.g. `connection refused`, `no answer within 2s`, `status 503`. */
  readonly reason: string;
  /** From its start to its end, without the time in the queue. */
  readonly tookMs: number;
}

/** Whom to ask, and how. */
export interface ProbeTarget {
  readonly backend: BackendPlan;
  readonly tls: TlsPlan;
  readonly probe: ProbePlan;
  /** For the whole probe, from the look-up of the name to the end of the answer. */
  readonly timeoutMs: number;
}

/** What all probes of a gateway share. */
export interface ProbeContext {
  readonly wheel: TimerWheel;
  readonly lookup: LookupFunction;
  /** Made once for each plan: parsing authorities costs more than a handshake. Throws when they cannot be parsed. */
  readonly secureContext: (tls: TlsPlan) => SecureContext;
}

/** `unable`: the gateway itself had no means (file descriptors, memory), which says nothing of the backend. */
export type ProbeDone = (outcome: ProbeOutcome | 'unable', reason: string) => void;

/** Starts a probe, calls `done` once (perhaps before it returns), and returns what ends it without a result. */
export type StartProbe = (context: ProbeContext, target: ProbeTarget, done: ProbeDone) => () => void;

/** What a probe does when its run ends or its time is over. */
export interface ProbeHooks {
  /** Lets go of the socket. */
  close(): void;
  /** The time is over: calls `end` with what that means. */
  timeUp(): void;
}

/** One probe under way: it ends once, by a result, by its deadline or by being aborted; what comes later is dropped. */
export class ProbeRun implements Expirable {
  readonly #wheel: TimerWheel;
  readonly #timer: Timer = new Timer(this);
  readonly #done: ProbeDone;
  readonly #hooks: ProbeHooks;
  #ended = false;

  constructor(wheel: TimerWheel, timeoutMs: number, done: ProbeDone, hooks: ProbeHooks) {
    this.#wheel = wheel;
    this.#done = done;
    this.#hooks = hooks;
    this.deadline(timeoutMs);
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Sets the deadline anew, from now. */
  deadline(afterMs: number): void {
    this.#wheel.look();
    this.#wheel.release(this.#timer);
    this.#wheel.arm(this.#timer, afterMs);
  }

  onDeadline(): void {
    if (!this.#ended) this.#hooks.timeUp();
  }

  end(outcome: ProbeOutcome | 'unable', reason: string): void {
    if (this.#ended) return;
    this.abort();
    this.#done(outcome, reason);
  }

  abort(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#wheel.release(this.#timer);
    this.#hooks.close();
  }
}
