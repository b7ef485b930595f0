import { createHash } from 'node:crypto';
import type { BackendRef } from '../../data/port.ts';

/**
 * The replica that probes `ref`: the one with the highest random weight (Thaler and Ravishankar, 1998). It depends on
 * the set of ids only, not on their order; when a replica goes only its own backends move.
 * @throws RangeError without any replica
 */
export function ownerOf(ref: BackendRef, replicaIds: Iterable<string>): string {
  let owner: string | undefined;
  let highest = -1;
  for (const id of replicaIds) {
    const weight = weightOf(ref, id);
    if (weight < highest) continue;
    // equal weights are all but impossible; the id then decides, so that every replica says the same
    if (weight > highest || owner === undefined || id > owner) owner = id;
    highest = weight;
  }
  if (owner === undefined) throw new RangeError('there is no replica to own anything');
  return owner;
}

/** 48 bits of a hash that is the same on every machine and version; lengths keep the parts apart. */
function weightOf(ref: BackendRef, id: string): number {
  const text = `${ref.service.length}:${ref.service}${ref.backend.length}:${ref.backend}${id}`;
  return createHash('sha256').update(text).digest().readUIntBE(0, 6);
}
