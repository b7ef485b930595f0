import type { HashKeyPlan } from '../plan.ts';
import type { Balancer, Candidate, PickRequest } from './balancer.ts';
import { candidateAt } from './candidate-at.ts';
import { avalanche, hashText } from './hash32.ts';

/** Nobody is overloaded below this: a browser's six connections with one key must not scatter. */
const FREE_PENDING = 8;
const TWO_POW_32 = 2 ** 32;

/**
 * Rendezvous hashing (highest random weight, by the logarithm method: score = weight ÷ -ln u) with bounded
 * load (Mirrokni et al., "Consistent Hashing with Bounded Loads"): a key goes to its highest-scoring backend
 * that is not overloaded (HAProxy's hash-balance-factor). When a backend leaves only its keys move; when one comes only the keys it wins do.
 *
 * A request without the key (no such header or cookie, or an empty one) is picked by `keyless`.
 */
export class Hash<C extends Candidate> implements Balancer<C> {
  readonly #key: HashKeyPlan;
  readonly #balanceFactor: number;
  readonly #keyless: Balancer<C>;
  #seen: readonly C[] = [];
  #nameHashes = new Int32Array(0);
  #totalWeight = 0;

  /** @param balanceFactor how much more than its share of what is pending a backend may hold; undefined is any amount */
  constructor(key: HashKeyPlan, balanceFactor: number | undefined, keyless: Balancer<C>) {
    this.#key = key;
    this.#balanceFactor = balanceFactor ?? Number.POSITIVE_INFINITY;
    this.#keyless = keyless;
  }

  pick(candidates: readonly C[], request: PickRequest): C {
    if (candidates.length === 1) return candidateAt(candidates, 0);
    const key = keyOf(this.#key, request);
    if (key === undefined || key === '') return this.#keyless.pick(candidates, request);
    if (candidates !== this.#seen) this.#rebuild(candidates);
    return this.#highest(
      candidates,
      hashText(key),
      this.#balanceFactor * loadPerWeight(candidates, this.#totalWeight),
    );
  }

  #rebuild(candidates: readonly C[]): void {
    this.#seen = candidates;
    this.#nameHashes = Int32Array.from(candidates, ({ name }) => hashText(name));
    this.#totalWeight = candidates.reduce((sum, { weight }) => sum + weight, 0);
  }

  #highest(candidates: readonly C[], keyHash: number, perWeight: number): C {
    let highest = -1;
    let chosen: C | undefined;
    for (let index = 0; index < candidates.length; index++) {
      const candidate = candidateAt(candidates, index);
      const { pending, weight } = candidate;
      if (pending >= FREE_PENDING && pending + 1 > Math.ceil(perWeight * weight)) continue;
      const bits = avalanche(keyHash ^ (this.#nameHashes[index] ?? 0)) >>> 0;
      const score = weight / -Math.log((bits + 0.5) / TWO_POW_32);
      if (score > highest) {
        highest = score;
        chosen = candidate;
      }
    }
    // The limits add up to more than is pending, so somebody is below his; rounding must not make it a crash.
    return chosen ?? candidateAt(candidates, 0);
  }
}

/** What is pending per unit of weight, counting the request to come. */
function loadPerWeight(candidates: readonly Candidate[], totalWeight: number): number {
  let pending = 1;
  for (let index = 0; index < candidates.length; index++) pending += candidateAt(candidates, index).pending;
  return pending / totalWeight;
}

function keyOf(key: HashKeyPlan, request: PickRequest): string | undefined {
  switch (key.from) {
    case 'header':
      return request.header(key.name);
    case 'cookie':
      return request.cookie(key.name);
    case 'clientIp':
      return request.clientIp;
    case 'path':
      return request.path;
  }
}
