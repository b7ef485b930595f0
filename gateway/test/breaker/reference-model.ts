import type { BreakerPlan } from '../../src/data/plan.ts';
import type { BreakerState } from '../../src/data/port.ts';

/** Outcomes since it began, each for ever: the window is looked for among all of them at every question. */
class Outcomes {
  readonly #plan: BreakerPlan;
  readonly #percent: number;
  readonly #bornMs: number;
  readonly #all: { readonly bucket: number; readonly bad: boolean }[] = [];

  constructor(plan: BreakerPlan, percent: number, bornMs: number) {
    this.#plan = plan;
    this.#percent = percent;
    this.#bornMs = bornMs;
  }

  /** Whether that makes it open. */
  add(bad: boolean, nowMs: number): boolean {
    const now = Math.floor((nowMs - this.#bornMs) / (this.#plan.windowMs / 10));
    this.#all.push({ bucket: now, bad });
    const window = this.#all.filter(({ bucket }) => bucket > now - 10);
    const failures = window.filter((outcome) => outcome.bad).length;
    const isEnough = window.length >= this.#plan.minRequests;
    return bad && isEnough && failures * 100 >= this.#percent * window.length;
  }
}

export interface ModelTicket {
  readonly era: number;
  readonly isTrial: boolean;
}

/** What the breaker is meant to do, written to be read: no opossum, no timers, nothing forgotten. */
export class ReferenceModel {
  readonly #plan: BreakerPlan;
  state: BreakerState = 'closed';
  trialUnderWay = false;
  /** Of the last trip, without jitter. */
  openForMs = 0;
  /** Grows with each flip. */
  era = 0;
  #failures: Outcomes;
  #slow: Outcomes;
  #trips = 0;
  #closedSinceMs: number;

  constructor(plan: BreakerPlan, nowMs: number) {
    this.#plan = plan;
    this.#closedSinceMs = nowMs;
    this.#failures = new Outcomes(plan, plan.failurePercent, nowMs);
    this.#slow = new Outcomes(plan, plan.slowPercent, nowMs);
  }

  get admits(): boolean {
    return this.state === 'closed' || (this.state === 'half-open' && !this.trialUnderWay);
  }

  admit(): ModelTicket {
    const isTrial = this.state === 'half-open' && this.admits;
    if (isTrial) this.trialUnderWay = true;
    return { era: this.era, isTrial };
  }

  settle({ era, isTrial }: ModelTicket, outcome: 'failed' | 'dropped' | number, nowMs: number): void {
    if (era !== this.era) return;
    const isSlow =
      this.#plan.slowCallMs > 0 && typeof outcome === 'number' && outcome > this.#plan.slowCallMs;
    if (isTrial) {
      this.trialUnderWay = false;
      if (outcome === 'failed' || isSlow) this.#trip(nowMs);
      else if (outcome !== 'dropped') this.#close(nowMs);
    } else if (this.state === 'closed' && outcome !== 'dropped') {
      const failing = this.#failures.add(outcome === 'failed', nowMs);
      const slowing = outcome !== 'failed' && this.#slow.add(isSlow, nowMs);
      if (failing || slowing) this.#trip(nowMs);
    }
  }

  halfOpen(nowMs: number): void {
    this.state = 'half-open';
    this.era += 1;
    this.#failures = new Outcomes(this.#plan, this.#plan.failurePercent, nowMs);
  }

  #trip(nowMs: number): void {
    const { openMs, maxOpenMs } = this.#plan;
    if (this.state === 'closed' && nowMs - this.#closedSinceMs >= maxOpenMs) this.#trips = 0;
    this.openForMs = Math.min(openMs * 2 ** this.#trips, maxOpenMs);
    this.#trips += 1;
    this.state = 'open';
    this.era += 1;
  }

  #close(nowMs: number): void {
    this.state = 'closed';
    this.era += 1;
    this.#closedSinceMs = nowMs;
    // the trial that closed it is the first of the new window
    this.#failures.add(false, nowMs);
    this.#slow = new Outcomes(this.#plan, this.#plan.slowPercent, nowMs);
  }
}
