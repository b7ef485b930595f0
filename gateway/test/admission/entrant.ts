import { ConcurrencyLimit, type Entrant } from '../../src/data/concurrency-limit.ts';
import type { ConcurrencyPlan, Priority } from '../../src/data/plan.ts';
import { TimerWheel } from '../../src/time.ts';
import { ManualClock } from '../support/manual-clock.ts';

/** Remembers what it heard, and can do something in turn. */
export class RecordingEntrant implements Entrant {
  readonly name: string;
  readonly priority: Priority;
  readonly heard: string[] = [];
  reaction: (() => void) | undefined;
  readonly #log: string[] | undefined;

  constructor(name: string, priority: Priority = 'normal', log?: string[]) {
    this.name = name;
    this.priority = priority;
    this.#log = log;
  }

  admitted(): void {
    this.#hear('admitted');
  }

  turnedAway(why: 'queue_timeout' | 'shed'): void {
    this.#hear(why);
  }

  #hear(what: string): void {
    this.heard.push(what);
    this.#log?.push(`${this.name} ${what}`);
    this.reaction?.();
  }
}

/** A limit on virtual time, of one under way and two who wait where nothing else is said. */
export function limited(plan: Partial<ConcurrencyPlan> = {}) {
  const clock = new ManualClock();
  const limit = new ConcurrencyLimit(
    { max: 1, queue: 2, queueTimeoutMs: 1_000, adaptive: false, ...plan },
    { wheel: new TimerWheel(clock) },
  );
  /** What was heard, in order. */
  const log: string[] = [];
  return {
    clock,
    limit,
    log,
    entrant: (name: string, priority?: Priority) => new RecordingEntrant(name, priority, log),
  };
}
