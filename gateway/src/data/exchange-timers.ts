import { type Clock, Timer, type TimerWheel } from '../time.ts';

/** The deadlines of one exchange that most exchanges do not have. */
export class ExchangeTimers {
  readonly #clock: Clock;
  readonly #wheel: TimerWheel;
  #total: Timer | undefined;
  #attempt: Timer | undefined;
  #stopPause: (() => void) | undefined;
  #stopHedge: (() => void) | undefined;

  constructor(clock: Clock, wheel: TimerWheel) {
    this.#clock = clock;
    this.#wheel = wheel;
  }

  limitTotal(ms: number, onDeadline: () => void): void {
    this.#total = new Timer({ onDeadline });
    this.#wheel.arm(this.#total, ms);
  }

  /** In place of the limit there was. */
  limitAttempt(ms: number, onDeadline: () => void): void {
    this.attemptEnded();
    this.#attempt = new Timer({ onDeadline });
    this.#wheel.arm(this.#attempt, ms);
  }

  attemptEnded(): void {
    if (this.#attempt !== undefined) this.#wheel.release(this.#attempt);
    this.#attempt = undefined;
  }

  /** Before a retry. A timer of its own: those of the wheel are up to 100 ms late, longer than most pauses. */
  pause(ms: number, then: () => void): void {
    this.#stopPause = this.#once(ms, then);
  }

  /** A timer of its own, as for a pause. */
  hedge(ms: number, then: () => void): void {
    this.#stopHedge = this.#once(ms, then);
  }

  hedgeOver(): void {
    this.#stopHedge?.();
    this.#stopHedge = undefined;
  }

  close(): void {
    this.attemptEnded();
    this.hedgeOver();
    if (this.#total !== undefined) this.#wheel.release(this.#total);
    this.#stopPause?.();
    this.#stopPause = undefined;
  }

  #once(ms: number, then: () => void): () => void {
    const stop = this.#clock.every(Math.max(1, ms), () => {
      stop();
      then();
    });
    return stop;
  }
}
