import type { Clock, Random } from '../../time.ts';
import type { AliasTable } from './alias-table.ts';
import type { Balancer, Candidate } from './balancer.ts';
import { candidateAt } from './candidate-at.ts';
import { weightTable } from './weighted-random.ts';

/**
 * Power of two choices: draws two distinct candidates by weight and takes the one whose answer is to be expected
 * sooner. With equal weights that is the lower latency × (pending + 1), and the first draw on a tie.
 *
 * With unequal weights the second draw must be better twice: by latency × (pending + 1) ÷ weight, and by
 * latency × (pending ÷ relative weight + 1), in which idle backends of any weight are alike. By the first alone
 * a backend of weight 1 beside one of 99 got 0 of 12 000 requests of a simulation at 200/s, by the second alone a third of
 * them; by both 1 %, as its weight says, at 10/s, 200/s and 2000/s.
 *
 * A candidate of unknown latency (new, or not picked for long) is taken to be as fast as the other one: load
 * alone decides, so that it never holds more than its peers until its first answer comes.
 */
export class P2c<C extends Candidate> implements Balancer<C> {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #random: Random;
  #seen: readonly C[] = [];
  /** undefined: all weights are equal. */
  #table: AliasTable | undefined;
  #meanWeight = 1;

  constructor(clock: Pick<Clock, 'now'>, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  pick(candidates: readonly C[]): C {
    const size = candidates.length;
    if (size === 1) return candidateAt(candidates, 0);
    if (candidates !== this.#seen) this.#rebuild(candidates);
    const firstIndex = this.#table?.draw() ?? Math.floor(this.#random() * size);
    const first = candidateAt(candidates, firstIndex);
    const second = candidateAt(candidates, this.#drawOther(size, firstIndex));
    return this.#better(first, second);
  }

  #rebuild(candidates: readonly C[]): void {
    this.#seen = candidates;
    this.#table = weightTable(candidates, this.#random);
    this.#meanWeight = candidates.reduce((sum, { weight }) => sum + weight, 0) / candidates.length;
  }

  #drawOther(size: number, taken: number): number {
    const drawn = this.#table?.draw() ?? taken;
    if (drawn !== taken) return drawn;
    // One draw from the others as if `taken` were cut out. Moving a collision on to the next index instead
    // would give the neighbour of a busy backend twice its share (traefik#13643).
    const hole = Math.floor(this.#random() * (size - 1));
    return hole >= taken ? hole + 1 : hole;
  }

  #better(first: C, second: C): C {
    const nowMs = this.#clock.now();
    let firstMs = first.latencyMs(nowMs);
    let secondMs = second.latencyMs(nowMs);
    if (!(firstMs > 0 && secondMs > 0)) {
      firstMs = 1;
      secondMs = 1;
    }
    const firstWeight = first.weight / this.#meanWeight;
    const secondWeight = second.weight / this.#meanWeight;
    const soonerByWeight =
      (secondMs * (second.pending + 1)) / secondWeight < (firstMs * (first.pending + 1)) / firstWeight;
    const soonerByLoad =
      secondMs * (second.pending / secondWeight + 1) < firstMs * (first.pending / firstWeight + 1);
    return soonerByWeight && soonerByLoad ? second : first;
  }
}
