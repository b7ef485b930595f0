/** Two idle closes this alike are the backend's timeout, not chance. */
const ALIKE = 0.1;
/** Closes sooner than this are restarts and crashes, not timeouts. */
const SHORTEST_MS = 500;
/** Closes nearer to each other than this may be one event, e.g. a restart. */
const APART_MS = 250;
/** What was observed is believed for so long; then the backend may show it again. */
const BELIEVED_MS = 10 * 60_000;
/** Retired so much before the backend would: the request on its way must arrive before the FIN leaves. */
const MARGIN_MS = 1_000;

/**
 * How long one backend leaves idle connections open, learned from its Keep-Alive header and from when it closes them, so
 * that ours retire first (the race behind nodejs/node#47130, caddyserver/caddy#6452).
 */
export class LearnedIdle {
  maxMs: number;
  #hintMs = Number.POSITIVE_INFINITY;
  #observedMs = Number.POSITIVE_INFINITY;
  #observedAtMs = 0;
  #lastMs = 0;
  #lastAtMs = Number.NEGATIVE_INFINITY;

  /** @param maxMs the configured idle timeout, never exceeded; may be set anew */
  constructor(maxMs: number) {
    this.maxMs = maxMs;
  }

  /** How long a connection may rest; 0 when the backend leaves none open long enough to be worth it. */
  timeoutMs(nowMs: number): number {
    if (nowMs - this.#observedAtMs > BELIEVED_MS) this.#observedMs = Number.POSITIVE_INFINITY;
    const theirs = Math.min(this.#hintMs, this.#observedMs);
    // half of a short timeout, all but a second of a long one
    return Math.min(this.maxMs, Math.max(theirs - MARGIN_MS, theirs / 2));
  }

  /** @param value of a Keep-Alive header: `timeout=5, max=100` */
  hint(value: string): void {
    const seconds = /(?:^|[\s,;])timeout=(\d{1,6})(?:$|[\s,;])/i.exec(value)?.[1];
    if (seconds !== undefined) this.#hintMs = Number(seconds) * 1000;
  }

  /** The backend closed a connection that had been idle for `idleMs`. */
  closedAfter(idleMs: number, nowMs: number): void {
    if (idleMs < SHORTEST_MS || nowMs - this.#lastAtMs < APART_MS) return;
    if (Math.abs(idleMs - this.#lastMs) <= idleMs * ALIKE) {
      this.#observedMs = Math.min(idleMs, this.#lastMs);
      this.#observedAtMs = nowMs;
    }
    this.#lastMs = idleMs;
    this.#lastAtMs = nowMs;
  }
}
