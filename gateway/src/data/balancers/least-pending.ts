import type { Random } from '../../time.ts';
import type { Balancer, Candidate } from './balancer.ts';
import { candidateAt } from './candidate-at.ts';
import { Rotation } from './rotation.ts';

/**
 * Picks the fewest pending ÷ weight. Ties, which is to say every pick among idle backends, take turns by
 * weight, as in nginx's least_conn; scanning on from a rotating start would favour the neighbour of a busy one.
 */
export class LeastPending<C extends Candidate> implements Balancer<C> {
  readonly #rotation: Rotation<C>;
  #scores = new Float64Array(0);

  constructor(random: Random) {
    this.#rotation = new Rotation<C>(random);
  }

  pick(candidates: readonly C[]): C {
    const size = candidates.length;
    if (size === 1) return candidateAt(candidates, 0);
    if (this.#scores.length < size) this.#scores = new Float64Array(size);
    this.#rotation.follow(candidates);
    const scores = this.#scores;
    let least = Number.POSITIVE_INFINITY;
    let leastIndex = 0;
    let ties = 0;
    for (let index = 0; index < size; index++) {
      const candidate = candidateAt(candidates, index);
      const score = candidate.pending / candidate.weight;
      scores[index] = score;
      if (score < least) {
        least = score;
        leastIndex = index;
        ties = 1;
      } else if (score === least) ties++;
    }
    return candidateAt(candidates, ties === 1 ? leastIndex : this.#rotation.nextAmong(scores, least));
  }
}
