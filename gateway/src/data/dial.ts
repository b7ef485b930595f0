import type { LookupAddress } from 'node:dns';
import type { Random } from '../time.ts';

/** A connection on its way to one of the addresses of a backend's name. */
export interface Dial {
  /** Addresses that failed before the one being tried. */
  readonly tried: readonly string[];
  readonly sinceMs: number;
}

/** The first address not yet tried; undefined: none is left. */
export function untried({ tried }: Dial, addresses: readonly LookupAddress[]): string | undefined {
  return addresses.find(({ address }) => !tried.includes(address))?.address;
}

/** How long a connection may serve: some tenth more or less, so that those opened together do not go together. */
export function lifeOf(maxAgeMs: number, random: Random): number {
  return maxAgeMs * (0.9 + 0.2 * random());
}
