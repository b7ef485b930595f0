import { setTimeout as delay } from 'node:timers/promises';

/** What an app takes from the outside world, so that tests can hold time still and choose the dice. */
export interface Surroundings {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** At least 0, below 1. */
  readonly random: () => number;
  /** Resolves after `ms` milliseconds; rejects as soon as `signal` aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Ends the process; undefined where the app must not (tests, several apps in one process). */
  readonly exit: ((code: number) => void) | undefined;
}

/** The real clock and dice, and no way to end the process. */
export function realSurroundings(): Surroundings {
  return {
    now: Date.now,
    random: Math.random,
    sleep: (ms, signal) => delay(ms, undefined, { signal }),
    exit: undefined,
  };
}
