import type { Random } from '../../time.ts';
import { AliasTable } from './alias-table.ts';
import type { Balancer, Candidate } from './balancer.ts';
import { candidateAt } from './candidate-at.ts';

/** Picks at random in proportion to weight, in O(1). */
export class WeightedRandom<C extends Candidate> implements Balancer<C> {
  readonly #random: Random;
  #seen: readonly C[] = [];
  /** undefined: all weights are equal. */
  #table: AliasTable | undefined;

  constructor(random: Random) {
    this.#random = random;
  }

  pick(candidates: readonly C[]): C {
    if (candidates.length === 1) return candidateAt(candidates, 0);
    if (candidates !== this.#seen) {
      this.#seen = candidates;
      this.#table = weightTable(candidates, this.#random);
    }
    const index = this.#table?.draw() ?? Math.floor(this.#random() * candidates.length);
    return candidateAt(candidates, index);
  }
}

/** The alias table over the candidates' weights, or undefined when these are all equal. */
export function weightTable(candidates: readonly Candidate[], random: Random): AliasTable | undefined {
  const first = candidates[0]?.weight;
  if (candidates.every((candidate) => candidate.weight === first)) return undefined;
  return new AliasTable(
    candidates.map((candidate) => candidate.weight),
    random,
  );
}
