/** Random numbers from a seed: the same seed and index give the same case on every machine. */
export class Random {
  #a = 0;
  #b = 0;
  #c = 0;
  #counter = 0;

  constructor(seed = 1) {
    this.reseed(seed, 0);
  }

  /** Starts the stream of case `index` of `seed`, whatever was drawn before. */
  reseed(seed: number, index: number): void {
    this.#a = seed | 0;
    this.#b = index | 0;
    this.#c = 0x9e3779b9 | 0;
    this.#counter = 1;
    // sfc32 wants a dozen rounds before close seeds give unrelated streams
    for (let i = 0; i < 12; i++) this.next();
  }

  /** An unsigned 32-bit integer (sfc32). */
  next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** In [0, limit); 0 when there is nothing to choose from. */
  below(limit: number): number {
    return limit <= 1 ? 0 : this.next() % limit;
  }

  /** True once in `n` times. */
  oneIn(n: number): boolean {
    return this.next() % n === 0;
  }

  pick<T>(choices: readonly [T, ...T[]]): T {
    return choices[this.below(choices.length)] ?? choices[0];
  }
}

/** FNV-1a: where a property draws (cuts, variants) it draws from the input itself, so that a file alone reproduces it. */
export function hashOf(bytes: Uint8Array, end: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < end; i++) hash = Math.imul(hash ^ (bytes[i] ?? 0), 0x01000193);
  return hash >>> 0;
}
