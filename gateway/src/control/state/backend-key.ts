import type { BackendRef } from '../../data/port.ts';

/** `service/backend`: one text for a ref. Names of services hold no slash. */
export function backendKey(ref: BackendRef): string {
  return `${ref.service}/${ref.backend}`;
}
