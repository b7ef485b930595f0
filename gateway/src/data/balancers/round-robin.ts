import type { Random } from '../../time.ts';
import type { Balancer, Candidate } from './balancer.ts';
import { candidateAt } from './candidate-at.ts';
import { Rotation } from './rotation.ts';

/** Smooth weighted round-robin, as nginx's. */
export class RoundRobin<C extends Candidate> implements Balancer<C> {
  readonly #rotation: Rotation<C>;

  constructor(random: Random) {
    this.#rotation = new Rotation<C>(random);
  }

  pick(candidates: readonly C[]): C {
    if (candidates.length === 1) return candidateAt(candidates, 0);
    this.#rotation.follow(candidates);
    return candidateAt(candidates, this.#rotation.next());
  }
}
