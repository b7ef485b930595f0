import type { Random } from '../../time.ts';

/** Draws an index with a chance in proportion to its weight, in O(1) and with one random number (Vose's alias method). */
export class AliasTable {
  readonly #random: Random;
  readonly #size: number;
  readonly #keep: Float64Array;
  readonly #alias: Uint32Array;

  /** `weights`: at least one, all above 0. Takes O(n). */
  constructor(weights: readonly number[], random: Random) {
    const size = weights.length;
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const scaled = Float64Array.from(weights, (weight) => (weight * size) / total);
    this.#random = random;
    this.#size = size;
    this.#keep = new Float64Array(size).fill(1);
    this.#alias = Uint32Array.from(weights, (_, index) => index);
    const small: number[] = [];
    const large: number[] = [];
    for (let index = 0; index < size; index++) ((scaled[index] ?? 0) < 1 ? small : large).push(index);
    this.#fill(scaled, small, large);
  }

  /** Every column holds 1/n of the chance: what a light index leaves of its column goes to a heavy one. */
  #fill(scaled: Float64Array, small: number[], large: number[]): void {
    for (;;) {
      const heavy = large.at(-1);
      const light = heavy === undefined ? undefined : small.pop();
      // What rounding leaves in either list keeps its own column whole.
      if (heavy === undefined || light === undefined) return;
      const share = scaled[light] ?? 0;
      this.#keep[light] = share;
      this.#alias[light] = heavy;
      const rest = (scaled[heavy] ?? 0) + share - 1;
      scaled[heavy] = rest;
      if (rest < 1) {
        large.pop();
        small.push(heavy);
      }
    }
  }

  draw(): number {
    const point = this.#random() * this.#size;
    const column = Math.floor(point);
    return point - column < (this.#keep[column] ?? 1) ? column : (this.#alias[column] ?? 0);
  }
}
