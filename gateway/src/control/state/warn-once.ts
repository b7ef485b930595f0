import type { Log } from '../log.ts';

const MAX_TOPICS = 1_000;

/** Says each thing once, however often it is met; after a thousand things, nothing more. */
export class WarnOnce {
  readonly #log: Log;
  readonly #topics = new Set<string>();

  constructor(log: Log) {
    this.#log = log;
  }

  warn(topic: string, message: string): void {
    if (this.#topics.has(topic) || this.#topics.size >= MAX_TOPICS) return;
    this.#topics.add(topic);
    this.#log('warn', message);
  }
}
