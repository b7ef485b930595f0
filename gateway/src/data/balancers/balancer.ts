import type { Clock, Random } from '../../time.ts';
import type { BalancePlan } from '../plan.ts';
import { Hash } from './hash.ts';
import { LeastPending } from './least-pending.ts';
import { P2c } from './p2c.ts';
import { RoundRobin } from './round-robin.ts';
import { WeightedRandom } from './weighted-random.ts';

/** What a balancer may know of a backend. */
export interface Candidate {
  readonly name: string;
  /** Above 0, not necessarily whole. A change of weight is a new array of candidates. */
  readonly weight: number;
  /** Requests sent to it, or waiting for one of its connections, and not yet answered. */
  readonly pending: number;
  /** Peak-EWMA latency in ms at `nowMs`; 0 when nothing (recent) is known. */
  latencyMs(nowMs: number): number;
}

/** What a balancer may know of a request. */
export interface PickRequest {
  /** `name` in lower case. */
  header(name: string): string | undefined;
  cookie(name: string): string | undefined;
  readonly clientIp: string;
  /** Without the query. */
  readonly path: string;
}

/** Chooses a backend. It never asks about health: every candidate is eligible. */
export interface Balancer<C extends Candidate> {
  /**
   * `candidates` is never empty and never mutated: what is derived from names and weights is kept until
   * another array comes. Only `pending` and `latencyMs` are read afresh at every pick.
   */
  pick(candidates: readonly C[], request: PickRequest): C;
}

/** Where a balancer's time and chance come from. */
export interface BalancerDeps {
  readonly clock: Pick<Clock, 'now'>;
  readonly random: Random;
}

/** The balancer of one service. */
export function createBalancer<C extends Candidate>(plan: BalancePlan, deps: BalancerDeps): Balancer<C> {
  switch (plan.kind) {
    case 'round-robin':
      return new RoundRobin<C>(deps.random);
    case 'least-pending':
      return new LeastPending<C>(deps.random);
    case 'p2c':
      return new P2c<C>(deps.clock, deps.random);
    case 'random':
      return new WeightedRandom<C>(deps.random);
    case 'hash':
      return new Hash<C>(plan.key, plan.balanceFactor, new P2c<C>(deps.clock, deps.random));
  }
}
