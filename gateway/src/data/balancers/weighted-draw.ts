import type { Random } from '../../time.ts';
import type { Candidate } from './balancer.ts';

/**
 * Draws indexes of candidates with a chance in proportion to weight: all weights laid end to end on a line, and
 * a random point on it. One random number a draw; O(1) with equal weights, else O(log n).
 */
export class WeightedDraw {
  readonly #random: Random;
  readonly #size: number;
  /** Where each candidate's stretch of the line ends; undefined when all are alike. */
  readonly #ends: Float64Array | undefined;
  readonly #total: number;

  /** `candidates`: at least one, all weights above 0. */
  constructor(candidates: readonly Candidate[], random: Random) {
    const first = candidates[0]?.weight ?? 1;
    const alike = candidates.every(({ weight }) => weight === first);
    let end = 0;
    const ends = Float64Array.from(candidates, ({ weight }) => {
      end += weight;
      return end;
    });
    this.#random = random;
    this.#size = candidates.length;
    this.#ends = alike ? undefined : ends;
    this.#total = end;
  }

  draw(): number {
    if (this.#ends === undefined) return Math.floor(this.#random() * this.#size);
    return this.#at(this.#ends, this.#random() * this.#total);
  }

  /**
   * An index other than `taken`, of at least two: drawn as if its stretch were cut out of the line. Moving a
   * collision on to the next index would give the neighbour of a busy backend twice its share (traefik#13643).
   */
  drawOther(taken: number): number {
    const ends = this.#ends;
    if (ends === undefined) {
      const index = Math.floor(this.#random() * (this.#size - 1));
      return index >= taken ? index + 1 : index;
    }
    const start = taken === 0 ? 0 : (ends[taken - 1] ?? 0);
    const width = (ends[taken] ?? 0) - start;
    const point = this.#random() * (this.#total - width);
    const index = this.#at(ends, point >= start ? point + width : point);
    if (index !== taken) return index;
    // Rounding put the point on the wrong side of the cut.
    return taken + 1 < this.#size ? taken + 1 : taken - 1;
  }

  /** The first stretch that ends beyond `point`; the last one if rounding put it past the line. */
  #at(ends: Float64Array, point: number): number {
    let low = 0;
    let high = this.#size - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (point < (ends[middle] ?? 0)) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
