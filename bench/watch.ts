import { openDescriptors, rssBytes } from './cpu.ts';

/** What a process held at one moment. */
export interface Held {
  /** Since the watch began. */
  readonly seconds: number;
  readonly rssBytes: number;
  readonly descriptors: number;
}

/** Looks at a process tree at intervals until it is stopped. */
export class Watch {
  readonly #pid: number;
  readonly #began = performance.now();
  readonly #seen: Held[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(pid: number, everyMs: number) {
    this.#pid = pid;
    this.look();
    this.#timer = setInterval(() => this.look(), everyMs);
  }

  /** Looks now, besides the interval. */
  look(): Held {
    const seconds = (performance.now() - this.#began) / 1000;
    const held = { seconds, rssBytes: rssBytes(this.#pid), descriptors: openDescriptors(this.#pid) };
    this.#seen.push(held);
    return held;
  }

  /** Ends the watch and tells all it saw, oldest first. */
  stop(): readonly Held[] {
    clearInterval(this.#timer);
    return this.#seen;
  }
}
