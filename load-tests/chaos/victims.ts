import type { Service } from '../traffic/routes.ts';
import type { Backend } from './backends.ts';

/** What the gateway does with a backend: sends it requests, would, or does not. */
export type Use = 'used' | 'idle' | 'out';

/**
 * Chooses whom each fault hits: one backend of every service, each in turn. One that gets no requests is passed over,
 * since nobody would notice. The only one that is left in the rotation is never chosen: with another one out already
 * that would be two failures at once.
 */
export class Victims {
  readonly #services: ReadonlyMap<Service, readonly Backend[]>;
  readonly #last = new Map<Service, Backend>();

  constructor(services: ReadonlyMap<Service, readonly Backend[]>) {
    this.#services = services;
  }

  /** One of each service. */
  next(useOf: (backend: Backend) => Use): Backend[] {
    return [...this.#services].flatMap(([service, backends]) => {
      const victim = choose(backends, this.#last.get(service), useOf);
      if (victim === undefined) return [];
      this.#last.set(service, victim);
      return [victim];
    });
  }
}

function choose(
  backends: readonly Backend[],
  last: Backend | undefined,
  useOf: (backend: Backend) => Use,
): Backend | undefined {
  const after = last === undefined ? 0 : backends.indexOf(last) + 1;
  const inTurn = [...backends.slice(after), ...backends.slice(0, after)];
  const inRotation = inTurn.filter((backend) => useOf(backend) !== 'out');
  if (inRotation.length > 1) return inRotation.find((backend) => useOf(backend) === 'used') ?? inRotation[0];
  return inTurn.find((backend) => useOf(backend) === 'out');
}
