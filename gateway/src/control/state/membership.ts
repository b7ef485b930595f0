import type { BackendRef } from '../../data/port.ts';
import { backendKey } from './backend-key.ts';

export interface MembershipDeps {
  readonly replicaId: string;
  readonly ownerOf: (ref: BackendRef, replicaIds: readonly string[]) => string;
  /** Replicas came or went. */
  readonly onReplicas: () => void;
  /** What `owns` says may have changed. */
  readonly ownersChanged: () => void;
}

const NONE: ReadonlySet<string> = new Set();

/** Who lives, and so who probes what. */
export class Membership {
  readonly #deps: MembershipDeps;
  #replicas: readonly string[];
  #overdue = NONE;

  constructor(deps: MembershipDeps) {
    this.#deps = deps;
    this.#replicas = [deps.replicaId];
  }

  get replicas(): readonly string[] {
    return this.#replicas;
  }

  owns(ref: BackendRef): boolean {
    if (this.#replicas.length === 1 || this.#overdue.has(backendKey(ref))) return true;
    return this.#deps.ownerOf(ref, this.#replicas) === this.#deps.replicaId;
  }

  /** Every replica is on its own. */
  alone(): void {
    this.follow([this.#deps.replicaId], () => NONE);
  }

  /**
   * @param replicas ids of the live ones in order, ours among them
   * @param overdue keys of backends whose owner says nothing of them; asked for after `onReplicas`
   */
  follow(replicas: readonly string[], overdue: () => ReadonlySet<string>): void {
    const isSameFleet = sameItems(replicas, this.#replicas);
    this.#replicas = replicas;
    if (!isSameFleet) this.#deps.onReplicas();
    const silent = overdue();
    const isSame = silent.size === this.#overdue.size && silent.isSubsetOf(this.#overdue);
    this.#overdue = silent;
    if (!isSameFleet || !isSame) this.#deps.ownersChanged();
  }
}

function sameItems(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}
