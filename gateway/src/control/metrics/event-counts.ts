import type { BackendRef, BreakerState, DataEvent } from '../../data/port.ts';

/** Counts of what happened to backends, kept by hearing of it. */
export class EventCounts {
  readonly #ejections = new Map<string, { readonly ref: BackendRef; count: number }>();
  readonly #transitions = new Map<
    string,
    { readonly ref: BackendRef; readonly to: BreakerState; count: number }
  >();

  onEvent(event: DataEvent): void {
    if (event.kind === 'ejected') this.#ejected(event);
    else if (event.kind === 'breaker') this.#moved(event, event.to);
  }

  /** Forgets what the plan names no more, so that reloads do not make it grow. */
  keep(isKnown: (ref: BackendRef) => boolean): void {
    for (const map of [this.#ejections, this.#transitions]) {
      for (const [key, { ref }] of map) if (!isKnown(ref)) map.delete(key);
    }
  }

  /** Times a backend was ejected; 0 for one that never was. */
  ejections(ref: BackendRef): number {
    return this.#ejections.get(`${ref.service} ${ref.backend}`)?.count ?? 0;
  }

  /** Times its breaker went to that state. */
  transitions(ref: BackendRef, to: BreakerState): number {
    return this.#transitions.get(`${ref.service} ${ref.backend} ${to}`)?.count ?? 0;
  }

  #ejected({ service, backend }: BackendRef): void {
    const key = `${service} ${backend}`;
    const entry = this.#ejections.get(key) ?? { ref: { service, backend }, count: 0 };
    entry.count += 1;
    this.#ejections.set(key, entry);
  }

  #moved({ service, backend }: BackendRef, to: BreakerState): void {
    const key = `${service} ${backend} ${to}`;
    const entry = this.#transitions.get(key) ?? { ref: { service, backend }, to, count: 0 };
    entry.count += 1;
    this.#transitions.set(key, entry);
  }
}
