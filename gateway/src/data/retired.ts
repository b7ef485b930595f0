import { Timer, type TimerWheel } from '../time.ts';
import type { Backend } from './backend.ts';
import type { Listener } from './listener.ts';

const LOOK_MS = 200;

/** What a reload took out of the plan, until its last request has ended. */
export class Retired {
  readonly #wheel: TimerWheel;
  readonly #timer: Timer;
  readonly #backends = new Set<Backend>();
  readonly listeners = new Set<Listener>();

  constructor(wheel: TimerWheel) {
    this.#wheel = wheel;
    this.#timer = new Timer({ onDeadline: () => this.#look() });
  }

  addBackend(backend: Backend): void {
    this.#backends.add(backend);
    this.#wheel.arm(this.#timer, LOOK_MS);
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
    for (const backend of this.#backends) backend.destroy();
    for (const listener of this.listeners) listener.destroy();
  }

  /** Looked at now and then, so that the request path need not ask at each end whether it was the last. */
  #look(): void {
    for (const backend of this.#backends) {
      if (backend.pending > 0) continue;
      backend.destroy();
      this.#backends.delete(backend);
    }
    if (this.#backends.size > 0) this.#wheel.arm(this.#timer, LOOK_MS);
  }
}
