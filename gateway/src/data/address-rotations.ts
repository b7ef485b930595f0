import type { ResolvedAddress } from './resolver.ts';

/** More starts than this would spread no better and cost memory squared. */
const MAX_STARTS = 16;

/**
 * The ways to try a host's addresses, at least one: each starts with another address of the preferred family.
 * The other family comes after it, since the system sorts by what it can reach (RFC 6724) and `localhost` often
 * has an IPv6 address nobody listens on; those that did not answer of late come last.
 */
export function rotations(
  addresses: readonly ResolvedAddress[],
  demoted: ReadonlyMap<string, unknown>,
): readonly (readonly ResolvedAddress[])[] {
  const good = addresses.filter(({ address }) => !demoted.has(address));
  const bad = addresses.filter(({ address }) => demoted.has(address));
  const family = good[0]?.family;
  const preferred = good.filter((candidate) => candidate.family === family);
  const rest = [...good.filter((candidate) => candidate.family !== family), ...bad];
  if (preferred.length === 0) return [addresses];
  const starts = Math.min(preferred.length, MAX_STARTS);
  const stride = preferred.length / starts;
  return Array.from({ length: starts }, (_, turn) => {
    const start = Math.floor(turn * stride);
    return [...preferred.slice(start), ...preferred.slice(0, start), ...rest];
  });
}
