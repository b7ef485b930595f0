import type { Clock } from '../../src/time.ts';

/** Time that moves only when a test says so; the timer wheel ticks with it. */
export class ManualClock implements Clock {
  #nowMs = 1_000;
  readonly #ticks = new Set<() => void>();

  now(): number {
    return this.#nowMs;
  }

  wallNow(): number {
    return 1_700_000_000_000 + this.#nowMs;
  }

  every(_intervalMs: number, tick: () => void): () => void {
    this.#ticks.add(tick);
    return () => this.#ticks.delete(tick);
  }

  /** Moves time on in steps of a wheel tick (50 ms), so that deadlines fire in their order. */
  advance(byMs: number): void {
    const until = this.#nowMs + byMs;
    while (this.#nowMs < until) {
      this.#nowMs = Math.min(until, this.#nowMs + 50);
      for (const tick of this.#ticks) tick();
    }
  }
}
