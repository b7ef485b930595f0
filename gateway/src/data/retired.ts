import { Timer, type TimerWheel } from '../time.ts';
import type { Listener } from './listener.ts';

const LOOK_MS = 200;
/** A request between two attempts is under way, and counted nowhere. */
const QUIET_LOOKS = 2;

/** A backend, or a service with all of its backends. */
export interface Leaving {
  /** Whether a request is under way there. */
  readonly busy: boolean;
  /** Closes connections that nothing uses. */
  closeIdle(): void;
  destroy(): void;
}

/** What a reload took out of the plan, until its last request has ended. */
export class Retired {
  readonly #wheel: TimerWheel;
  readonly #timer: Timer;
  /** Each with how many looks in a row have found it quiet. */
  readonly #leaving = new Map<Leaving, number>();
  readonly listeners = new Set<Listener>();

  constructor(wheel: TimerWheel) {
    this.#wheel = wheel;
    this.#timer = new Timer({ onDeadline: () => this.#look() });
  }

  add(leaving: Leaving): void {
    leaving.closeIdle();
    this.#leaving.set(leaving, 0);
    this.#wheel.arm(this.#timer, LOOK_MS);
  }

  has(leaving: Leaving): boolean {
    return this.#leaving.has(leaving);
  }

  addListener(listener: Listener): void {
    this.listeners.add(listener);
    listener.drain().then(() => {
      listener.destroy();
      this.listeners.delete(listener);
    });
  }

  destroy(): void {
    this.#wheel.release(this.#timer);
    for (const leaving of this.#leaving.keys()) leaving.destroy();
    for (const listener of this.listeners) listener.destroy();
  }

  /** Looked at now and then, so that the request path need not ask at each end whether it was the last. */
  #look(): void {
    for (const [leaving, quietLooks] of this.#leaving) {
      leaving.closeIdle();
      if (leaving.busy) this.#leaving.set(leaving, 0);
      else if (quietLooks + 1 < QUIET_LOOKS) this.#leaving.set(leaving, quietLooks + 1);
      else {
        leaving.destroy();
        this.#leaving.delete(leaving);
      }
    }
    if (this.#leaving.size > 0) this.#wheel.arm(this.#timer, LOOK_MS);
  }
}
