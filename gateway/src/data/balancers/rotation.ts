import type { Random } from '../../time.ts';
import type { Candidate } from './balancer.ts';

/** Random steps before the first turn, in rounds of n: with whole rounds every start of equals is as likely. */
const PHASE_ROUNDS = 4;

/**
 * The credits of nginx's smooth weighted round-robin: at every turn each takes its weight as credit, the
 * richest is picked and pays what all took. Over a cycle everyone is picked as often as its weight says.
 */
export class Rotation<C extends Candidate> {
  readonly #random: Random;
  #candidates: readonly C[] = [];
  #credits = new Float64Array(0);
  #weights = new Float64Array(0);
  #totalWeight = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Follows the array of candidates; costs one comparison while it stays the same. */
  follow(candidates: readonly C[]): void {
    if (candidates !== this.#candidates) this.#rebuild(candidates);
  }

  /** The index whose turn it is among all. */
  next(): number {
    const credits = this.#credits;
    const weights = this.#weights;
    let richest = 0;
    let most = Number.NEGATIVE_INFINITY;
    for (let index = 0; index < credits.length; index++) {
      const credit = (credits[index] ?? 0) + (weights[index] ?? 0);
      credits[index] = credit;
      if (credit > most) {
        most = credit;
        richest = index;
      }
    }
    credits[richest] = most - this.#totalWeight;
    return richest;
  }

  /** The index whose turn it is among those with `scores[index] === score`; at least one must have it. */
  nextAmong(scores: Float64Array, score: number): number {
    const credits = this.#credits;
    let richest = 0;
    let most = Number.NEGATIVE_INFINITY;
    let taken = 0;
    for (let index = 0; index < credits.length; index++) {
      if (scores[index] !== score) continue;
      const weight = this.#weights[index] ?? 0;
      const credit = (credits[index] ?? 0) + weight;
      credits[index] = credit;
      taken += weight;
      if (credit > most) {
        most = credit;
        richest = index;
      }
    }
    credits[richest] = most - taken;
    return richest;
  }

  /**
   * Who stays keeps its credit. A restart would favour whoever stands first, and starve a light backend when
   * flips (or retries, whose candidates lack the backend that failed) come more often than its turn.
   */
  #rebuild(candidates: readonly C[]): void {
    const isFirst = this.#candidates.length === 0;
    const shares = new Map(
      this.#candidates.map(({ name }, index) => [name, (this.#credits[index] ?? 0) / this.#totalWeight]),
    );
    this.#candidates = candidates;
    this.#weights = Float64Array.from(candidates, ({ weight }) => weight);
    const totalWeight = this.#weights.reduce((sum, weight) => sum + weight, 0);
    this.#totalWeight = totalWeight;
    this.#credits = Float64Array.from(candidates, ({ name }) => (shares.get(name) ?? 0) * totalWeight);
    if (isFirst) this.#shuffle();
  }

  /** Replicas and workers that start together must not all turn to the same backend (lock-step). */
  #shuffle(): void {
    const steps = Math.floor(this.#random() * PHASE_ROUNDS * this.#candidates.length);
    for (let step = 0; step < steps; step++) this.next();
  }
}
