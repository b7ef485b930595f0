import type { Heartbeat } from './records.ts';

/** A replica whose number has stood still for this long, by our own clock, is dead. */
export const DEAD_AFTER_MS = 1_500;
/** And its record is deleted, by whoever notices, after this. */
export const FORGOTTEN_AFTER_MS = 60_000;
/** More than any fleet has; beyond them replicas are not looked at. */
export const MAX_REPLICAS = 500;

interface Seen {
  seq: number;
  /** When it was first met, or its number last changed. */
  changedMs: number;
  left: boolean;
  beat: Heartbeat | undefined;
}

/**
 * Which replicas live, from the numbers in their heartbeats. No clock of another machine is looked at: only whether a
 * number moved while our own clock did. A replica met for the first time is given the benefit of the doubt.
 */
export class Replicas {
  readonly #self: string;
  readonly #seen = new Map<string, Seen>();

  constructor(self: string) {
    this.#self = self;
  }

  /** The number of replica `id` is `seq`; `beat`, where the whole of its heartbeat was read. */
  heard(id: string, seq: number, nowMs: number, beat?: Heartbeat): void {
    if (id === this.#self) return;
    const seen = this.#seen.get(id);
    if (seen === undefined) {
      if (this.#seen.size < MAX_REPLICAS) this.#seen.set(id, { seq, changedMs: nowMs, left: false, beat });
      return;
    }
    if (beat !== undefined) seen.beat = beat;
    // numbers only grow: a smaller one was read before what was heard since
    if (seq <= seen.seq) return;
    seen.seq = seq;
    seen.changedMs = nowMs;
    seen.left = false;
  }

  /** Replica `id` says that it goes, with its last number. */
  left(id: string, seq: number): void {
    const seen = this.#seen.get(id);
    if (seen === undefined || seq < seen.seq) return;
    seen.seq = seq;
    seen.left = true;
  }

  /** The ids of live replicas in order, ours among them. */
  live(nowMs: number): string[] {
    const ids = [this.#self];
    for (const [id, seen] of this.#seen) if (isLive(seen, nowMs)) ids.push(id);
    return ids.sort();
  }

  /** The last heartbeats of the other live replicas, as far as they were read. */
  beats(nowMs: number): Heartbeat[] {
    const beats: Heartbeat[] = [];
    for (const seen of this.#seen.values()) {
      if (isLive(seen, nowMs) && seen.beat !== undefined) beats.push(seen.beat);
    }
    return beats;
  }

  /** Replicas dead for a minute; forgotten here, and their records are to be deleted. */
  forget(nowMs: number): string[] {
    const gone: string[] = [];
    for (const [id, seen] of this.#seen) {
      if (nowMs - seen.changedMs < FORGOTTEN_AFTER_MS) continue;
      gone.push(id);
      this.#seen.delete(id);
    }
    return gone;
  }

  /** Nothing could be heard for a while: what stood still meanwhile proves nothing. */
  renew(nowMs: number): void {
    for (const seen of this.#seen.values()) seen.changedMs = nowMs;
  }
}

function isLive(seen: Seen, nowMs: number): boolean {
  return !seen.left && nowMs - seen.changedMs < DEAD_AFTER_MS;
}
