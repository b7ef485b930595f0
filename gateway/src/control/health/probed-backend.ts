import { isDeepStrictEqual } from 'node:util';
import type { HealthPlan } from '../../data/plan.ts';
import type { BackendRef, HealthVerdict } from '../../data/port.ts';
import { type Expirable, type Random, Timer, type TimerWheel } from '../../time.ts';
import type { ProbeContext, ProbeDone, ProbeOutcome, ProbeResult, ProbeTarget, StartProbe } from './probe.ts';
import type { ProbeQueue, QueuedProbe } from './probe-queue.ts';
import { graceMs, nextDelayMs, soonDelayMs, takeoverDelayMs } from './schedule.ts';
import { afterResult, isChanging, settled, type ThresholdState, UNDECIDED } from './thresholds.ts';

/** What every probed backend of a gateway shares. */
export interface ProbingContext {
  readonly wheel: TimerWheel;
  readonly random: Random;
  readonly queue: ProbeQueue;
  readonly probes: ProbeContext;
  readonly startProbe: StartProbe;
  readonly owns: (ref: BackendRef) => boolean;
  /** The verdict is told to the data plane: a flip, or the first one. */
  readonly onVerdict: (ref: BackendRef, verdict: HealthVerdict, before: HealthVerdict | undefined) => void;
  readonly onProbe: (
    ref: BackendRef,
    result: ProbeResult,
    verdict: HealthVerdict | undefined,
    flipped: boolean,
  ) => void;
  /** The gateway had no means to probe. */
  readonly onUnable: (ref: BackendRef, reason: string) => void;
}

export type Counts = Record<ProbeOutcome, number>;

type Phase =
  | { readonly kind: 'resting' }
  | { readonly kind: 'queued' }
  | { readonly kind: 'running'; readonly startedMs: number; abort: () => void; readonly release: () => void };

/** A backend that fell is asked every second for this long: most are only being restarted. */
const RECOVERY_MS = 30_000;
const NOT_PROBED = 'not probed while disabled';
const RESTING: Phase = { kind: 'resting' };

/** One backend: its verdict, when it is probed next, and its probe under way, of which there is at most one. */
export class ProbedBackend implements Expirable, QueuedProbe {
  readonly ref: BackendRef;
  readonly lane: string;
  readonly counts: Counts = { success: 0, failure: 0, timeout: 0 };
  readonly #context: ProbingContext;
  readonly #timer: Timer = new Timer(this);
  #target: ProbeTarget;
  #health: HealthPlan;
  #state: ThresholdState = UNDECIDED;
  #verdict: HealthVerdict | undefined;
  #phase: Phase = RESTING;
  #probed = true;
  #lastProbeMs = Number.NEGATIVE_INFINITY;
  #fellAtMs = Number.NEGATIVE_INFINITY;
  /** Live traffic was refused: the next failed probe decides alone. */
  #suspected = false;
  /** It came while a probe was under way, which may have started before: one more follows soon. */
  #onceMore = false;
  /** Not ours to probe, but refused our own traffic: ours until it is well or another replica has spoken. */
  #doubted = false;
  /** Whether the probe to come or under way counts. */
  #scheduled = false;
  #confirming: ((result: ProbeResult) => void)[] = [];

  constructor(context: ProbingContext, ref: BackendRef, target: ProbeTarget, health: HealthPlan) {
    this.#context = context;
    this.ref = ref;
    this.lane = ref.service;
    this.#target = target;
    this.#health = health;
  }

  /** What it is taken for; undefined before the first verdict. */
  get verdict(): HealthVerdict | undefined {
    return this.#verdict;
  }

  get intervalMs(): number {
    return this.#health.intervalMs;
  }

  /** Whether a first verdict is still to come. */
  get awaited(): boolean {
    return this.#probed && this.#verdict === undefined;
  }

  /** Whether its first probe has not started though it is ours. */
  get unbegun(): boolean {
    const waits = this.#probed && !this.#state.decided && this.#phase.kind === 'resting';
    return waits && this.#context.owns(this.ref);
  }

  /** The first probe, for those that are ours; the others are given time to be told of. */
  begin(delayMs: number): void {
    const graceful = this.#context.owns(this.ref) ? 0 : graceMs(this.intervalMs);
    this.#wakeIn(delayMs + graceful, 'sooner');
  }

  /** @returns whether the next result is a first one: it is asked something else, or elsewhere */
  replan(target: ProbeTarget, health: HealthPlan): boolean {
    const same = isDeepStrictEqual(target, this.#target);
    const sameTimes = health.intervalMs === this.#health.intervalMs;
    this.#health = health;
    // an equal plan keeps the old object, by which its TLS context is known
    if (same && sameTimes) return false;
    if (same) {
      if (this.#phase.kind === 'resting') this.#rest();
      return false;
    }
    this.#target = target;
    this.#state = UNDECIDED;
    this.#stopProbe('probed in another way now');
    return true;
  }

  probeSoon(): void {
    // that an unhealthy one refuses is no news
    if (!this.#probed || this.#verdict?.healthy === false) return;
    this.#suspected = true;
    if (!this.#context.owns(this.ref)) this.#doubted = true;
    if (this.#phase.kind === 'resting') this.#wakeIn(soonDelayMs(this.#context.random), 'sooner');
    else this.#onceMore = true;
  }

  adopt(verdict: HealthVerdict): void {
    const before = this.#verdict;
    const flipped = verdict.healthy !== before?.healthy;
    if (flipped && !verdict.healthy) this.#fellAtMs = this.#context.wheel.look();
    this.#state = settled(verdict.healthy);
    this.#verdict = verdict;
    // what our own traffic met is not outweighed by what another replica saw: that probe still comes
    if (!this.#suspected || !verdict.healthy) {
      this.#suspected = false;
      this.#doubted = false;
      if (this.#phase.kind === 'resting') this.#rest();
    }
    if (flipped) this.#context.onVerdict(this.ref, verdict, before);
  }

  confirm(): Promise<ProbeResult> {
    return new Promise((resolve) => {
      if (!this.#probed) return resolve({ outcome: 'failure', reason: NOT_PROBED, tookMs: 0 });
      this.#confirming.push(resolve);
      // one that is under way has not been answered yet: its answer is as new as any
      if (this.#phase.kind !== 'running') this.#enqueue(true);
    });
  }

  setProbed(probed: boolean): void {
    if (probed === this.#probed) return;
    this.#probed = probed;
    if (!probed) {
      this.#suspected = false;
      this.#doubted = false;
      this.#stopProbe(NOT_PROBED);
      return;
    }
    // much may have happened meanwhile: one result decides
    this.#state = UNDECIDED;
    this.begin(0);
  }

  ownersChanged(): void {
    if (!this.#probed || this.#phase.kind !== 'resting' || !this.#state.decided) return;
    if (!this.#mine) {
      this.#context.wheel.release(this.#timer);
      return;
    }
    if (this.#timer.deadlineMs !== Number.POSITIVE_INFINITY) return;
    const ageMs = this.#context.wheel.look() - this.#lastProbeMs;
    if (ageMs >= this.intervalMs) this.#wakeIn(takeoverDelayMs(this.#context.random));
    else this.#rest();
  }

  /** It is no longer probed here: nothing of it is left. */
  forget(): void {
    this.#probed = false;
    this.#stopProbe('no longer probed');
  }

  // --- told by the timer and by the queue ---

  onDeadline(): void {
    if (!this.#probed || !this.#mine) return;
    // a probe that `confirm` asked for may be under way: then that one counts
    this.#scheduled = true;
    if (this.#phase.kind === 'resting') this.#enqueue(false);
  }

  start(release: () => void): void {
    const startedMs = this.#context.wheel.look();
    this.#lastProbeMs = startedMs;
    const phase: Phase = { kind: 'running', startedMs, release, abort: () => {} };
    this.#phase = phase;
    const done: ProbeDone = (outcome, reason) => {
      if (this.#phase !== phase) return;
      this.#phase = RESTING;
      this.#ended(outcome, reason, startedMs);
      release();
    };
    const abort = this.#context.startProbe(this.#context.probes, this.#target, done);
    if (this.#phase === phase) phase.abort = abort;
  }

  // --- the course of a probe ---

  /** Whether this replica probes it now. Undecided, everyone does: it takes no traffic before. */
  get #mine(): boolean {
    return !this.#state.decided || this.#doubted || this.#context.owns(this.ref);
  }

  #enqueue(urgent: boolean): void {
    this.#phase = { kind: 'queued' };
    this.#context.queue.add(this, urgent);
  }

  #ended(outcome: ProbeOutcome | 'unable', reason: string, startedMs: number): void {
    const result: ProbeResult = {
      outcome: outcome === 'unable' ? 'failure' : outcome,
      reason,
      tookMs: this.#context.wheel.look() - startedMs,
    };
    const counts = this.#scheduled;
    this.#scheduled = false;
    if (outcome === 'unable') this.#context.onUnable(this.ref, reason);
    else this.counts[outcome] += 1;
    const before = this.#verdict;
    const flipped = counts && outcome !== 'unable' && this.#count(result);
    const verdict = this.#verdict;
    // one that only confirmed leaves the schedule as it is
    if (counts || this.#onceMore) this.#rest();
    this.#answerConfirming(result);
    if (flipped && verdict !== undefined) this.#context.onVerdict(this.ref, verdict, before);
    if (counts && outcome !== 'unable') this.#context.onProbe(this.ref, result, verdict, flipped);
  }

  /** Takes a result into account; returns whether the verdict flipped or is the first. */
  #count({ outcome, reason }: ProbeResult): boolean {
    const good = outcome === 'success';
    const first = !this.#state.decided;
    this.#state = afterResult(this.#state, good, this.#health, this.#suspected);
    if (!this.#onceMore) this.#suspected = false;
    const healthy = this.#state.decided && this.#state.healthy;
    const flipped = first || healthy !== this.#verdict?.healthy;
    if (flipped && !healthy) this.#fellAtMs = this.#context.wheel.nowMs;
    // the standing verdict's reason follows what bears it out
    if (healthy === good) this.#verdict = { healthy, reason };
    if (healthy && good && !this.#onceMore) this.#doubted = false;
    return flipped;
  }

  /** Sets the timer for the next probe; without one for what others probe. */
  #rest(): void {
    if (!this.#probed) return;
    if (this.#onceMore) {
      this.#onceMore = false;
      this.#wakeIn(soonDelayMs(this.#context.random));
      return;
    }
    const { wheel, random } = this.#context;
    if (!this.#mine) {
      wheel.release(this.#timer);
      return;
    }
    const nowMs = wheel.look();
    const recovering = this.#verdict?.healthy === false && nowMs - this.#fellAtMs < RECOVERY_MS;
    const hurried = recovering || isChanging(this.#state) || !this.#state.decided;
    const delayMs = nextDelayMs(this.intervalMs, hurried, random);
    const passedMs = Number.isFinite(this.#lastProbeMs) ? nowMs - this.#lastProbeMs : 0;
    this.#wakeIn(Math.max(1, delayMs - passedMs));
  }

  #wakeIn(delayMs: number, how: 'anew' | 'sooner' = 'anew'): void {
    const { wheel } = this.#context;
    if (how === 'sooner' && this.#timer.deadlineMs <= wheel.look() + delayMs) return;
    if (delayMs <= 0) {
      this.onDeadline();
      return;
    }
    wheel.look();
    wheel.release(this.#timer);
    wheel.arm(this.#timer, delayMs);
  }

  #stopProbe(reason: string): void {
    this.#context.wheel.release(this.#timer);
    this.#context.queue.remove(this);
    const phase = this.#phase;
    this.#phase = RESTING;
    this.#scheduled = false;
    this.#onceMore = false;
    if (phase.kind === 'running') {
      phase.abort();
      phase.release();
    }
    this.#answerConfirming({ outcome: 'failure', reason, tookMs: 0 });
  }

  #answerConfirming(result: ProbeResult): void {
    const confirming = this.#confirming;
    this.#confirming = [];
    for (const answer of confirming) answer(result);
  }
}
