import type { ConcurrencyLimit, Entrant } from './concurrency-limit.ts';
import type { Priority } from './plan.ts';

/** What becomes of an exchange that had to wait. */
export interface AdmissionOutcome {
  admitted(): void;
  turnedAway(why: 'queue_timeout' | 'shed'): void;
}

/** One exchange on its way through the concurrency limits of its route and of its service, one after the other. */
export class Admission implements Entrant {
  readonly priority: Priority;
  readonly #limits: readonly ConcurrencyLimit[];
  readonly #outcome: AdmissionOutcome;
  #passed = 0;
  #waiting = false;
  /** Time to the head of a good answer, for limits that follow latency. */
  latencyMs: number | undefined;

  constructor(limits: readonly ConcurrencyLimit[], priority: Priority, outcome: AdmissionOutcome) {
    this.#limits = limits;
    this.priority = priority;
    this.#outcome = outcome;
  }

  /** `waiting`: the outcome is told later. */
  enter(): 'in' | 'waiting' | 'shed' {
    for (;;) {
      const limit = this.#limits[this.#passed];
      if (limit === undefined) return 'in';
      const entered = limit.enter(this);
      this.#waiting = entered === 'waiting';
      if (entered !== 'in') return entered;
      this.#passed += 1;
    }
  }

  admitted(): void {
    this.#waiting = false;
    this.#passed += 1;
    const entered = this.enter();
    if (entered === 'in') this.#outcome.admitted();
    else if (entered === 'shed') this.#outcome.turnedAway('shed');
  }

  turnedAway(why: 'queue_timeout' | 'shed'): void {
    this.#waiting = false;
    this.#outcome.turnedAway(why);
  }

  /** The exchange has ended, wherever it was. */
  leave(overloaded: boolean): void {
    if (this.#waiting) this.#limits[this.#passed]?.cancel(this);
    this.#waiting = false;
    const passed = this.#limits.slice(0, this.#passed);
    this.#passed = 0;
    for (const limit of passed) limit.leave(this.latencyMs, overloaded);
  }
}
