import type { BackendRef } from '../../data/port.ts';

/** Names of backends by their service, in the order they come. */
export function byService(refs: Iterable<BackendRef>): Map<string, string[]> {
  const services = new Map<string, string[]>();
  for (const { service, backend } of refs) {
    const backends = services.get(service);
    if (backends === undefined) services.set(service, [backend]);
    else backends.push(backend);
  }
  return services;
}
