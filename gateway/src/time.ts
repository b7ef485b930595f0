/** Time and randomness, handed to everything that needs them, so that tests control both. */

export interface Clock {
  /** Monotonic milliseconds with a fraction; the origin means nothing. */
  now(): number;
  /** Milliseconds since 1970, for what people read. */
  wallNow(): number;
  /** Calls `tick` about every `intervalMs`; returns what stops it. */
  every(intervalMs: number, tick: () => void): () => void;
}

/** In [0, 1). */
export type Random = () => number;

// the global is a getter that looks itself up at each use
const { performance: monotonic } = globalThis;

export const systemClock: Clock = {
  now: () => monotonic.now(),
  wallNow: () => Date.now(),
  every(intervalMs, tick) {
    const timer = setInterval(tick, intervalMs);
    timer.unref();
    return () => clearInterval(timer);
  },
};

export interface Expirable {
  onDeadline(): void;
}

const TICK_MS = 50;
const SLOTS = 1024;

/**
 * A deadline that is moved far more often than it fires. Moving it later is two field writes: the timer stays in
 * its old slot and the wheel moves it on when that slot comes round.
 */
export class Timer {
  deadlineMs = Number.POSITIVE_INFINITY;
  /** The tick at which the wheel looks at this timer next; -1 when it is in no slot. */
  tick = -1;
  previous: Timer | undefined = undefined;
  next: Timer | undefined = undefined;
  readonly owner: Expirable;

  constructor(owner: Expirable) {
    this.owner = owner;
  }

  disarm(): void {
    this.deadlineMs = Number.POSITIVE_INFINITY;
  }
}

/**
 * A hashed timer wheel (Varghese and Lauck, 1987): arming and moving are O(1), and one interval serves every
 * connection. Deadlines fire up to two ticks (100 ms) late and never early.
 */
export class TimerWheel {
  readonly #clock: Clock;
  readonly #slots: (Timer | undefined)[] = new Array<Timer | undefined>(SLOTS).fill(undefined);
  readonly #startMs: number;
  #tick = 0;
  #stop: (() => void) | undefined;
  /** The time of the last tick: up to one tick old, and free to read. */
  nowMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startMs = clock.now();
    this.nowMs = this.#startMs;
    this.#stop = clock.every(TICK_MS, () => this.advance());
  }

  /** The time now. Deadlines armed after this count from it, even when the event loop had stalled since the last tick. */
  look(): number {
    this.nowMs = this.#clock.now();
    return this.nowMs;
  }

  arm(timer: Timer, delayMs: number): void {
    const deadlineMs = this.nowMs + delayMs + TICK_MS;
    timer.deadlineMs = deadlineMs;
    const tick = this.#tickAt(deadlineMs);
    if (timer.tick >= 0 && timer.tick <= tick) return;
    if (timer.tick >= 0) this.#unlink(timer);
    this.#link(timer, tick);
  }

  /** Takes the timer out for good, when its owner ends. */
  release(timer: Timer): void {
    timer.deadlineMs = Number.POSITIVE_INFINITY;
    if (timer.tick >= 0) this.#unlink(timer);
  }

  close(): void {
    this.#stop?.();
    this.#stop = undefined;
  }

  /** Fires what is due. Called by the clock's interval. */
  advance(): void {
    this.nowMs = this.#clock.now();
    const target = Math.floor((this.nowMs - this.#startMs) / TICK_MS);
    // after a long stall each slot needs only one visit
    if (target - this.#tick > SLOTS) this.#tick = target - SLOTS;
    while (this.#tick < target) {
      this.#tick += 1;
      this.#visit(this.#tick % SLOTS);
    }
  }

  #tickAt(timeMs: number): number {
    // the tick before, since ticks drift off the grid: the first that comes after the time may still count as that one
    const tick = Math.floor((timeMs - this.#startMs) / TICK_MS);
    return tick > this.#tick ? tick : this.#tick + 1;
  }

  #visit(slot: number): void {
    let timer = this.#slots[slot];
    while (timer !== undefined) {
      const next = timer.next;
      if (timer.tick <= this.#tick) {
        this.#unlink(timer);
        if (timer.deadlineMs <= this.nowMs) {
          timer.deadlineMs = Number.POSITIVE_INFINITY;
          timer.owner.onDeadline();
        } else if (timer.deadlineMs !== Number.POSITIVE_INFINITY) {
          this.#link(timer, this.#tickAt(timer.deadlineMs));
        }
      }
      // the owner may have released the neighbour, or moved it to another slot: then this one is read afresh
      timer = next !== undefined && (next.tick < 0 || next.tick % SLOTS !== slot) ? this.#slots[slot] : next;
    }
  }

  #link(timer: Timer, tick: number): void {
    const slot = tick % SLOTS;
    const head = this.#slots[slot];
    timer.tick = tick;
    timer.next = head;
    timer.previous = undefined;
    if (head !== undefined) head.previous = timer;
    this.#slots[slot] = timer;
  }

  #unlink(timer: Timer): void {
    if (timer.previous !== undefined) timer.previous.next = timer.next;
    else this.#slots[timer.tick % SLOTS] = timer.next;
    if (timer.next !== undefined) timer.next.previous = timer.previous;
    timer.previous = undefined;
    timer.next = undefined;
    timer.tick = -1;
  }
}
