import type { Candidate, PickRequest } from '../../src/data/balancers/balancer.ts';
import type { Random } from '../../src/time.ts';

/** A candidate whose load and latency a test sets. */
export interface FakeCandidate extends Candidate {
  pending: number;
  latency: number;
}

export function candidate(
  name: string,
  given: Partial<Omit<FakeCandidate, 'name' | 'latencyMs'>> = {},
): FakeCandidate {
  return {
    name,
    weight: given.weight ?? 1,
    pending: given.pending ?? 0,
    latency: given.latency ?? 10,
    latencyMs() {
      return this.latency;
    },
  };
}

/** `count` candidates of weight 1, idle and equally fast. */
export function idle(count: number): readonly FakeCandidate[] {
  return Array.from({ length: count }, (_, index) => candidate(`backend-${index}:80`));
}

export function weighted(weights: readonly number[]): readonly FakeCandidate[] {
  return weights.map((weight, index) => candidate(`backend-${index}:80`, { weight }));
}

/** A small seeded generator (mulberry32), so that statistical tests give the same result every time. */
export function seeded(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function request(given: Partial<PickRequest> = {}): PickRequest {
  return { header: () => undefined, cookie: () => undefined, clientIp: '192.0.2.1', path: '/', ...given };
}

/** How often each of `candidates` is picked. */
export function countPicks(
  candidates: readonly FakeCandidate[],
  times: number,
  pick: () => FakeCandidate,
): readonly number[] {
  const counts = new Map<FakeCandidate, number>();
  for (let turn = 0; turn < times; turn++) {
    const picked = pick();
    counts.set(picked, (counts.get(picked) ?? 0) + 1);
  }
  return candidates.map((each) => counts.get(each) ?? 0);
}

/** Whether `count` of `times` is within five standard deviations of a chance of `share` (one miss in 2 million). */
export function withinBinomial(count: number, times: number, share: number): boolean {
  return Math.abs(count - times * share) <= 5 * Math.sqrt(times * share * (1 - share)) + 1;
}
