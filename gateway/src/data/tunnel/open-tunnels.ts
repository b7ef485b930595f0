import type { Random } from '../../time.ts';
import { Timer, type TimerWheel } from '../../time.ts';
import type { Route } from '../route.ts';

/** A connection that lasts until somebody ends it. */
export interface OpenTunnel {
  readonly route: Route;
  /** Ends it in good order, as its protocol has it, or by force after `graceMs`. */
  leave(why: 'drain' | 'reload', graceMs: number): void;
}

/**
 * Every open tunnel of a gateway. Those that have to go (a shutdown, a route that is no more) are not all closed at once:
 * their clients come back, and would come all at once too (envoyproxy/envoy#34500; HAProxy's close-spread-time).
 */
export class OpenTunnels {
  readonly #wheel: TimerWheel;
  readonly #random: Random;
  readonly #open = new Set<OpenTunnel>();
  /** Those told to leave, until they have been. */
  readonly #leaving = new Map<OpenTunnel, Timer>();

  constructor(wheel: TimerWheel, random: Random) {
    this.#wheel = wheel;
    this.#random = random;
  }

  get size(): number {
    return this.#open.size;
  }

  add(tunnel: OpenTunnel): void {
    this.#open.add(tunnel);
  }

  delete(tunnel: OpenTunnel): void {
    this.#open.delete(tunnel);
    const timer = this.#leaving.get(tunnel);
    if (timer !== undefined) this.#wheel.release(timer);
    this.#leaving.delete(tunnel);
  }

  /** Closes those of `which`, spread over `windowMs`, and by its end all of them. */
  leave(why: 'drain' | 'reload', windowMs: number, which: (route: Route) => boolean): void {
    const spreadMs = windowMs * 0.8;
    for (const tunnel of this.#open) {
      if (!which(tunnel.route) || this.#leaving.has(tunnel)) continue;
      const afterMs = spreadMs * this.#random();
      const timer = new Timer({ onDeadline: () => tunnel.leave(why, windowMs - spreadMs) });
      this.#leaving.set(tunnel, timer);
      this.#wheel.arm(timer, afterMs);
    }
  }
}
