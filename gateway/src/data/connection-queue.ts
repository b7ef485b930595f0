import { Timer, type TimerWheel } from '../time.ts';
import type { Exchange } from './exchange.ts';

/** Exchanges that wait for a connection to one backend, in the order they came. */
export class ConnectionQueue {
  readonly #wheel: TimerWheel;
  /** Those that take any connection, and those that take only a new one. */
  readonly #any = new Map<Exchange, Timer>();
  readonly #fresh = new Map<Exchange, Timer>();

  constructor(wheel: TimerWheel) {
    this.#wheel = wheel;
  }

  get size(): number {
    return this.#any.size + this.#fresh.size;
  }

  /** @param giveUp called after `limitMs`, with the exchange still waiting */
  add(exchange: Exchange, fresh: boolean, limitMs: number, giveUp: () => void): void {
    const timer = new Timer({ onDeadline: giveUp });
    (fresh ? this.#fresh : this.#any).set(exchange, timer);
    this.#wheel.arm(timer, limitMs);
  }

  remove(exchange: Exchange): void {
    const timer = this.#any.get(exchange) ?? this.#fresh.get(exchange);
    if (timer === undefined) return;
    this.#wheel.release(timer);
    this.#any.delete(exchange);
    this.#fresh.delete(exchange);
  }

  /** Who has waited longest, of those that take a connection which is new, or not. */
  next(isNew: boolean): Exchange | undefined {
    const first = isNew ? this.#fresh.keys().next().value : undefined;
    return first ?? this.#any.keys().next().value;
  }
}
