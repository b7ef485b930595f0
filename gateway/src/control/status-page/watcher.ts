import type { ServerResponse } from 'node:http';
import type { EventRecord } from './event-history.ts';

/** Ticks (seconds) that a reader may take to take in what it was sent. */
const PATIENCE_TICKS = 10;

/**
 * One reader of the stream. What it has not taken in yet is at most one snapshot and a few events: while it is behind,
 * snapshots are left out for it, events wait in the history.
 */
export class Watcher {
  readonly #response: ServerResponse;
  readonly #events: (afterSeq: number) => readonly EventRecord[];
  #seq: number;
  #behind = false;
  #behindTicks = 0;

  /**
   * @param response with its head written
   * @param seq of the last event that its first snapshot holds
   */
  constructor(response: ServerResponse, events: (afterSeq: number) => readonly EventRecord[], seq: number) {
    this.#response = response;
    this.#events = events;
    this.#seq = seq;
    response.on('drain', () => {
      this.#behind = false;
      this.#behindTicks = 0;
      this.sendEvents();
    });
  }

  get behind(): boolean {
    return this.#behind;
  }

  send(message: string): void {
    if (!this.#response.write(message)) this.#behind = true;
  }

  sendEvents(): void {
    if (this.#behind) return;
    const events = this.#events(this.#seq);
    if (events.length === 0) return;
    this.#seq = events.at(-1)?.seq ?? this.#seq;
    this.send(events.map((event) => messageOf('event', event, event.seq)).join(''));
  }

  /** A second has passed. False: it has been behind for too long, and is no more. */
  tick(): boolean {
    if (!this.#behind) return true;
    this.#behindTicks += 1;
    if (this.#behindTicks < PATIENCE_TICKS) return true;
    this.#response.destroy();
    return false;
  }

  end(): void {
    if (this.#behind) this.#response.destroy();
    else this.#response.end();
  }
}

/** One message of an event stream. JSON has no line breaks, so no value can begin another field. */
export function messageOf(type: string, data: unknown, id?: number): string {
  const idLine = id === undefined ? '' : `id: ${id}\n`;
  return `${idLine}event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
}
