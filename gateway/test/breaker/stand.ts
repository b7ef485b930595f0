import { Breaker } from '../../src/data/breaker.ts';
import type { BreakerPlan } from '../../src/data/plan.ts';
import type { BreakerState } from '../../src/data/port.ts';
import { type Random, TimerWheel } from '../../src/time.ts';
import { ManualClock } from '../support/manual-clock.ts';

export interface Flip {
  readonly atMs: number;
  readonly from: BreakerState;
  readonly to: BreakerState;
  readonly reason: string;
}

/** DESIGN's defaults, with fewer requests. */
const PLAN: BreakerPlan = {
  failurePercent: 50,
  minRequests: 4,
  windowMs: 10_000,
  openMs: 5_000,
  maxOpenMs: 60_000,
  slowCallMs: 0,
  slowPercent: 80,
};

/** One breaker on virtual time, and all that it told. */
export class Stand {
  readonly clock = new ManualClock();
  readonly wheel = new TimerWheel(this.clock);
  readonly plan: BreakerPlan;
  readonly breaker: Breaker;
  readonly flips: Flip[] = [];
  /** What `admits` was each time it was told to have changed. */
  readonly admits: boolean[] = [];

  constructor(changes: Partial<BreakerPlan> = {}, random: Random = () => 0.5) {
    this.plan = { ...PLAN, ...changes };
    this.breaker = new Breaker(this.plan, {
      wheel: this.wheel,
      random,
      onFlip: (from, to, reason) => this.flips.push({ atMs: this.clock.now(), from, to, reason }),
      onAdmits: () => this.admits.push(this.breaker.admits),
    });
  }

  succeed(count: number, latencyMs = 1): void {
    for (let turn = 0; turn < count; turn++) this.breaker.succeeded(this.breaker.admit(), latencyMs);
  }

  fail(count: number): void {
    for (let turn = 0; turn < count; turn++) this.breaker.failed(this.breaker.admit());
  }

  /** Lets the open time pass. */
  halfOpen(): void {
    this.clock.advance(this.breaker.untilMs - this.clock.now() + 100);
  }

  /** State, whether it admits, and why it is not closed. */
  get shown(): string {
    const { state, admits, reason } = this.breaker;
    return `${state}${admits ? ', admits' : ''}${reason === '' ? '' : `: ${reason}`}`;
  }
}
