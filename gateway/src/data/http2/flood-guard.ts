/** So many at once, and so many more each second. */
interface Allowance {
  readonly burst: number;
  readonly perSecond: number;
}

/** Streams broken off before they were answered (CVE-2023-44487). Each that is answered pays for one: browsers break off many. */
const RESETS: Allowance = { burst: 500, perSecond: 20 };
/** And one for each KiB that goes or comes: gRPC measures its bandwidth with pings, one in each round trip. */
const PINGS: Allowance = { burst: 5_000, perSecond: 50 };
const BYTES_PER_PING = 1_024;
const SETTINGS: Allowance = { burst: 50, perSecond: 1 };
/** Bytes of frames that are neither requests nor bodies, beyond what those explain: CVE-2019-9513, -9516, -9518 and their like. */
const OVERHEAD: Allowance = { burst: 256 * 1024, perSecond: 32 * 1024 };

/** Frames that carry a body double it at the most: 9 bytes of frame with a few of payload. */
const OVERHEAD_PER_BYTE_USED = 2;
/** Two WINDOW_UPDATE, 13 bytes each, for one DATA with a single byte in it. */
const OVERHEAD_PER_BYTE_SENT = 3;

class Bucket {
  readonly #allowance: Allowance;
  #level: number;
  #sinceMs: number;

  constructor(allowance: Allowance, nowMs: number) {
    this.#allowance = allowance;
    this.#level = allowance.burst;
    this.#sinceMs = nowMs;
  }

  /** Returns whether it was there to take. */
  take(amount: number, nowMs: number): boolean {
    const { burst, perSecond } = this.#allowance;
    this.#level = Math.min(burst, this.#level + ((nowMs - this.#sinceMs) / 1_000) * perSecond) - amount;
    this.#sinceMs = nowMs;
    return this.#level >= 0;
  }

  giveBack(amount: number): void {
    this.#level = Math.min(this.#allowance.burst, this.#level + amount);
  }
}

/**
 * What one HTTP/2 connection may do that costs us and is no request. node:http2 tells of resets, PING and SETTINGS; all
 * other floods (WINDOW_UPDATE, PRIORITY, empty DATA, padding, unknown frames) are seen by the bytes that came and were of no
 * use. Each method returns false when it is too much.
 */
export class FloodGuard {
  readonly #resets: Bucket;
  readonly #pings: Bucket;
  readonly #settings: Bucket;
  readonly #overhead: Bucket;
  #used = 0;
  #receivedSeen = 0;
  #sentSeen = 0;

  constructor(nowMs: number) {
    this.#resets = new Bucket(RESETS, nowMs);
    this.#pings = new Bucket(PINGS, nowMs);
    this.#settings = new Bucket(SETTINGS, nowMs);
    this.#overhead = new Bucket(OVERHEAD, nowMs);
  }

  /** Bytes of requests and bodies came. */
  used(bytes: number): void {
    this.#used += bytes;
  }

  answered(): void {
    this.#resets.giveBack(1);
  }

  reset(nowMs: number): boolean {
    return this.#resets.take(1, nowMs);
  }

  ping(nowMs: number): boolean {
    return this.#pings.take(1, nowMs);
  }

  settings(nowMs: number): boolean {
    return this.#settings.take(1, nowMs);
  }

  /** @param received bytes since the connection began, and `sent` those sent on it */
  look(received: number, sent: number, nowMs: number): boolean {
    const came = received - this.#receivedSeen;
    const left = sent - this.#sentSeen;
    this.#receivedSeen = received;
    this.#sentSeen = sent;
    this.#pings.giveBack((this.#used + left) / BYTES_PER_PING);
    const explained = this.#used * (1 + OVERHEAD_PER_BYTE_USED) + left * OVERHEAD_PER_BYTE_SENT;
    this.#used = 0;
    return this.#overhead.take(Math.max(0, came - explained), nowMs);
  }
}
