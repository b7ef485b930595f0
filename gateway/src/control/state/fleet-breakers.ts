import type { ServicePlan } from '../../data/plan.ts';
import type { BackendRef, BackendStatus, DataPort } from '../../data/port.ts';
import { backendKey } from './backend-key.ts';
import { type BreakerView, fleetBreaker, observe } from './breaker-quorum.ts';
import type { Heartbeat } from './records.ts';

/** Which breakers are open for the whole fleet, told to the data plane when it changes. */
export class FleetBreakers {
  readonly #port: Pick<DataPort, 'setFleetBreaker'>;
  /** The backends that have a breaker, by key. */
  #refs: ReadonlyMap<string, BackendRef> = new Map();
  readonly #open = new Map<string, string>();

  constructor(port: Pick<DataPort, 'setFleetBreaker'>) {
    this.#port = port;
  }

  onPlan(services: readonly ServicePlan[]): void {
    const refs = new Map<string, BackendRef>();
    for (const { name: service, backends, breaker } of services) {
      if (breaker === undefined) continue;
      for (const { name: backend } of backends)
        refs.set(backendKey({ service, backend }), { service, backend });
    }
    // a service whose breaker was switched off keeps its backends
    for (const key of this.#open.keys()) if (!refs.has(key)) this.#set(key, undefined);
    this.#refs = refs;
    // told again with the next heartbeat, as the data plane may have made the backend anew
    this.#open.clear();
  }

  /** What our heartbeat says. */
  observe(
    status: ReadonlyMap<string, BackendStatus>,
    others: readonly Heartbeat[],
  ): Pick<Heartbeat, 'open' | 'good'> {
    return observe(this.#views(status), others);
  }

  /** Acts on the heartbeats of the other live replicas; `live` counts us too. */
  follow(status: ReadonlyMap<string, BackendStatus>, others: readonly Heartbeat[], live: number): void {
    for (const view of this.#views(status)) {
      const reason = fleetBreaker(view, others, live);
      if (reason !== this.#open.get(view.key)) this.#set(view.key, reason);
    }
  }

  clear(): void {
    for (const key of [...this.#open.keys()]) this.#set(key, undefined);
  }

  #set(key: string, reason: string | undefined): void {
    const ref = this.#refs.get(key);
    if (reason === undefined) this.#open.delete(key);
    else this.#open.set(key, reason);
    if (ref !== undefined) this.#port.setFleetBreaker(ref, reason);
  }

  *#views(status: ReadonlyMap<string, BackendStatus>): Generator<BreakerView> {
    for (const key of this.#refs.keys()) {
      const here = status.get(key);
      if (here === undefined) continue;
      yield { key, open: here.breaker === 'open', lastSuccessAgoMs: here.lastSuccessAgoMs };
    }
  }
}
