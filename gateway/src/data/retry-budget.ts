import { RollingCount } from './outcome-window.ts';
import type { RetryBudgetPlan } from './plan.ts';

const WINDOW_MS = 10_000;

/**
 * How many retries a service may add to its load (Finagle's retry budget): a share of the requests of the last ten
 * seconds, to the second, or a minimum rate if that is more. So an outage is met with a fifth more load, not twice as much.
 */
export class RetryBudget {
  readonly #plan: RetryBudgetPlan;
  readonly #nowMs: () => number;
  readonly #requests = new RollingCount(WINDOW_MS);
  readonly #retries = new RollingCount(WINDOW_MS);

  /** @param nowMs may be coarse, must not go back */
  constructor(plan: RetryBudgetPlan, nowMs: () => number) {
    this.#plan = plan;
    this.#nowMs = nowMs;
  }

  /** A first attempt. Called for every request. */
  request(): void {
    this.#requests.add(this.#nowMs());
  }

  /** Whether a retry may be made now; if so it is counted. */
  take(): boolean {
    if (this.remaining === 0) return false;
    this.#retries.add(this.#nowMs());
    return true;
  }

  /** Whole retries allowed now, from 0. */
  get remaining(): number {
    const nowMs = this.#nowMs();
    const { percent, minPerSecond } = this.#plan;
    const share = (percent * this.#requests.read(nowMs)) / 100;
    const limit = Math.max(share, (minPerSecond * WINDOW_MS) / 1_000);
    return Math.max(0, Math.ceil(limit - this.#retries.read(nowMs)));
  }
}
