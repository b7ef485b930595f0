/** Since when something holds. */
export interface Since {
  /** Milliseconds since 1970. */
  readonly ms: number;
  /** It held already when somebody first looked: it may be older. */
  readonly atLeast: boolean;
}

/** Remembers since when each of the things seen at the last look has been there. */
export class SinceBook {
  #since = new Map<string, Since>();
  #isFirstLook = true;

  /** Nobody looks for a while. */
  clear(): void {
    this.#since = new Map();
    this.#isFirstLook = true;
  }

  /** @param keys all that holds now, each with when it is known to have begun, if it is */
  look(keys: ReadonlyMap<string, number | undefined>, nowMs: number): void {
    const since = new Map<string, Since>();
    for (const [key, knownMs] of keys) {
      const seen = this.#since.get(key) ?? { ms: nowMs, atLeast: this.#isFirstLook };
      since.set(key, knownMs === undefined ? seen : { ms: knownMs, atLeast: false });
    }
    this.#since = since;
    this.#isFirstLook = false;
  }

  of(key: string): Since | undefined {
    return this.#since.get(key);
  }
}
