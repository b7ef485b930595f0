import type { Random } from '../../time.ts';
import type { Balancer, Candidate } from './balancer.ts';
import { candidateAt } from './candidate-at.ts';
import { WeightedDraw } from './weighted-draw.ts';

/** Picks at random in proportion to weight. */
export class WeightedRandom<C extends Candidate> implements Balancer<C> {
  readonly #random: Random;
  #seen: readonly C[] = [];
  #draws: WeightedDraw;

  constructor(random: Random) {
    this.#random = random;
    this.#draws = new WeightedDraw([], random);
  }

  pick(candidates: readonly C[]): C {
    if (candidates.length === 1) return candidateAt(candidates, 0);
    if (candidates !== this.#seen) {
      this.#seen = candidates;
      this.#draws = new WeightedDraw(candidates, this.#random);
    }
    return candidateAt(candidates, this.#draws.draw());
  }
}
