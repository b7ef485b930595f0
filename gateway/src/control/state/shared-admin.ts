import type { ServicePlan } from '../../data/plan.ts';
import type { AdminState, BackendRef, BackendStatus, DataPort } from '../../data/port.ts';
import type { Clock } from '../../time.ts';
import { backendKey } from './backend-key.ts';
import { byService } from './by-service.ts';
import type { AdminRecord, Setting } from './records.ts';

/** A setting from further in the future than this is nobody's: it could never be changed again. */
const MAX_AHEAD_MS = 24 * 60 * 60 * 1_000;

export interface SharedAdminDeps {
  readonly clock: Clock;
  readonly replicaId: string;
  readonly port: Pick<DataPort, 'setAdmin' | 'setWeight'>;
  /** Whether a backend is probed: what is disabled is not. */
  readonly setProbed: (ref: BackendRef, probed: boolean) => void;
}

interface Entry {
  readonly ref: BackendRef;
  state: Setting<AdminState> | undefined;
  weight: Setting<number | null> | undefined;
}

/**
 * What operators want of backends. State and weight are each kept with the time they were set; the later one stands, on
 * every replica and in Redis, in whatever order they meet.
 */
export class SharedAdmin {
  readonly #deps: SharedAdminDeps;
  readonly #entries = new Map<string, Entry>();

  constructor(deps: SharedAdminDeps) {
    this.#deps = deps;
  }

  /** Backends that are gone are forgotten here, not in Redis: they may come back. */
  onPlan(services: readonly ServicePlan[]): void {
    const kept = new Set<string>();
    for (const { name: service, backends } of services) {
      for (const { name: backend } of backends) {
        const ref = { service, backend };
        const key = backendKey(ref);
        kept.add(key);
        const entry = this.#entries.get(key);
        if (entry === undefined) this.#entries.set(key, { ref, state: undefined, weight: undefined });
      }
    }
    for (const key of this.#entries.keys()) if (!kept.has(key)) this.#entries.delete(key);
  }

  /** An operator here. @returns the record to be written and told; undefined: there is no such backend */
  setState(ref: BackendRef, value: AdminState): AdminRecord | undefined {
    const entry = this.#entries.get(backendKey(ref));
    if (entry === undefined) return undefined;
    entry.state = this.#setting(value, entry.state);
    this.#applyState(entry);
    return recordOf(entry);
  }

  /** As `setState`; undefined is the plan's weight. */
  setWeight(ref: BackendRef, value: number | undefined): AdminRecord | undefined {
    const entry = this.#entries.get(backendKey(ref));
    if (entry === undefined) return undefined;
    entry.weight = this.#setting(value ?? null, entry.weight);
    this.#applyWeight(entry);
    return recordOf(entry);
  }

  /**
   * What another replica knows, or Redis (undefined: nothing).
   * @returns the record to be written, when we know something newer; undefined: it is all in there
   */
  merge(ref: BackendRef, record: AdminRecord | undefined): AdminRecord | undefined {
    const entry = this.#entries.get(backendKey(ref));
    if (entry === undefined) return undefined;
    if (this.#isLater(record?.state, entry.state)) {
      entry.state = record?.state;
      this.#applyState(entry);
    }
    if (this.#isLater(record?.weight, entry.weight)) {
      entry.weight = record?.weight;
      this.#applyWeight(entry);
    }
    const isKnown = sameSetting(entry.state, record?.state) && sameSetting(entry.weight, record?.weight);
    return isKnown ? undefined : recordOf(entry);
  }

  /** Whether a record is one that replicas with roughly right clocks can have written. */
  isPlausible({ state, weight }: AdminRecord): boolean {
    const latest = this.#deps.clock.wallNow() + MAX_AHEAD_MS;
    return (state?.when ?? 0) <= latest && (weight?.when ?? 0) <= latest;
  }

  /** Sets again what a backend lost when the data plane made it anew. */
  reapply(status: (ref: BackendRef) => BackendStatus | undefined): void {
    for (const entry of this.#entries.values()) {
      if (entry.state === undefined && entry.weight === undefined) continue;
      const here = status(entry.ref);
      if (here === undefined) continue;
      if (entry.state !== undefined && here.admin !== entry.state.value) this.#applyState(entry);
      const weight = entry.weight?.value ?? undefined;
      if (weight !== undefined && here.weight !== weight) this.#applyWeight(entry);
    }
  }

  /** All backends, by service. */
  byService(): Map<string, string[]> {
    return byService(this.#entries.values().map(({ ref }) => ref));
  }

  #setting<T>(value: T, before: Setting<T> | undefined): Setting<T> {
    // later than what it replaces, even if that was set by a clock ahead of ours
    const when = Math.max(Math.floor(this.#deps.clock.wallNow()), (before?.when ?? 0) + 1);
    return { value, when, by: this.#deps.replicaId };
  }

  #isLater<T>(theirs: Setting<T> | undefined, ours: Setting<T> | undefined): boolean {
    if (theirs === undefined) return false;
    if (ours === undefined || theirs.when !== ours.when) return theirs.when > (ours?.when ?? -1);
    // set in the same millisecond: any rule does that is the same everywhere
    return theirs.by > ours.by;
  }

  #applyState({ ref, state }: Entry): void {
    const value = state?.value ?? 'enabled';
    this.#deps.port.setAdmin(ref, value);
    this.#deps.setProbed(ref, value !== 'disabled');
  }

  #applyWeight({ ref, weight }: Entry): void {
    this.#deps.port.setWeight(ref, weight?.value ?? undefined);
  }
}

function recordOf({ state, weight }: Entry): AdminRecord {
  return { state, weight };
}

function sameSetting<T>(a: Setting<T> | undefined, b: Setting<T> | undefined): boolean {
  return a?.when === b?.when && a?.by === b?.by && a?.value === b?.value;
}
