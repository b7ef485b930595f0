import type { BackendRef, DataEvent, Exclusion } from '../../data/port.ts';

/** One event as people read it. */
export interface EventRecord {
  /** Counts up from 1. */
  readonly seq: number;
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly severity: 'info' | 'warn' | 'error';
  readonly service: string;
  readonly backend: string | undefined;
  readonly text: string;
}

/** Since when a backend is in or out; `by` is undefined while it is in. */
export interface Flip {
  readonly by: Exclusion | undefined;
  readonly atMs: number;
}

const KEPT_EVENTS = 200;
/** A backend that is down may refuse many connections a second; one line of them in this time is enough. */
const CONNECT_FAILED_MS = 10_000;

/** The last events, and when each backend last came or went. */
export class EventHistory {
  readonly #wallNow: () => number;
  readonly #records: EventRecord[] = [];
  #seq = 0;
  readonly #flips = new Map<string, Flip>();
  readonly #none = new Map<string, number>();
  readonly #connectFailed = new Map<string, number>();
  /** Of the last event: what follows from it need not be said again. */
  #cause: { readonly key: string; readonly atMs: number } | undefined;

  constructor(wallNow: () => number) {
    this.#wallNow = wallNow;
  }

  /** False: it was no news. */
  add(event: DataEvent): boolean {
    const atMs = this.#wallNow();
    const isNews = this.#isNews(event, atMs);
    this.#remember(event, atMs);
    if (!isNews) return false;
    this.#seq += 1;
    this.#records.push({ seq: this.#seq, atMs, ...described(event) });
    if (this.#records.length > KEPT_EVENTS) this.#records.shift();
    return true;
  }

  /** Those after `seq` that are still kept, oldest first. */
  after(seq: number): readonly EventRecord[] {
    return this.#records.filter((record) => record.seq > seq);
  }

  get lastSeq(): number {
    return this.#seq;
  }

  /** Undefined: it has been as it is from the start. */
  lastFlip(ref: BackendRef): Flip | undefined {
    return this.#flips.get(keyOf(ref));
  }

  /** Since when a service has no eligible backend; undefined when no event has said so. */
  noneEligibleSinceMs(service: string): number | undefined {
    return this.#none.get(service);
  }

  /** Forgets backends and services that are gone. */
  keepOnly(refs: readonly BackendRef[]): void {
    const keys = new Set(refs.map(keyOf));
    for (const map of [this.#flips, this.#connectFailed]) {
      for (const key of map.keys()) if (!keys.has(key)) map.delete(key);
    }
    const services = new Set(refs.map(({ service }) => service));
    for (const service of this.#none.keys()) if (!services.has(service)) this.#none.delete(service);
  }

  #isNews(event: DataEvent, atMs: number): boolean {
    if (event.kind === 'none-eligible') return true;
    const key = keyOf(event);
    if (event.kind === 'connect-failed') {
      return atMs - (this.#connectFailed.get(key) ?? Number.NEGATIVE_INFINITY) >= CONNECT_FAILED_MS;
    }
    if (event.kind !== 'ineligible') return true;
    const cause = this.#cause;
    return !(cause !== undefined && cause.key === key && atMs - cause.atMs < 50);
  }

  #remember(event: DataEvent, atMs: number): void {
    if (event.kind === 'none-eligible') {
      if (event.active) this.#none.set(event.service, atMs);
      else this.#none.delete(event.service);
      return;
    }
    const key = keyOf(event);
    if (event.kind === 'eligible') this.#flips.set(key, { by: undefined, atMs });
    if (event.kind === 'ineligible') this.#flips.set(key, { by: event.by, atMs });
    if (event.kind === 'connect-failed' && this.#isNews(event, atMs)) this.#connectFailed.set(key, atMs);
    const opens = event.kind === 'breaker' && event.to === 'open';
    this.#cause = event.kind === 'ejected' || opens ? { key, atMs } : undefined;
  }
}

function keyOf({ service, backend }: BackendRef): string {
  return `${service}\n${backend}`;
}

function described(event: DataEvent): Omit<EventRecord, 'seq' | 'atMs'> {
  const { service } = event;
  if (event.kind === 'none-eligible') {
    const severity = event.active ? 'error' : 'info';
    return { severity, service, backend: undefined, text: noneText(event.active, event.failOpen) };
  }
  return { service, backend: event.backend, ...saidOf(event) };
}

function noneText(active: boolean, failOpen: boolean): string {
  if (!active) return 'a backend is eligible again';
  return failOpen
    ? 'no backend is eligible; all are tried (whenNoneEligible: all)'
    : 'no backend is eligible; requests are answered 503';
}

function saidOf(
  event: Exclude<DataEvent, { readonly kind: 'none-eligible' }>,
): Pick<EventRecord, 'severity' | 'text'> {
  switch (event.kind) {
    case 'eligible':
      return { severity: 'info', text: 'is in again' };
    case 'ineligible':
      return { severity: event.by === 'admin' ? 'info' : 'warn', text: `is out: ${event.reason}` };
    case 'ejected': {
      const seconds = Math.max(1, Math.round(event.forMs / 1000));
      return { severity: 'warn', text: `is ejected for ${seconds} s: ${event.reason}` };
    }
    case 'breaker': {
      const because = event.reason === '' ? '' : `: ${event.reason}`;
      return {
        severity: event.to === 'open' ? 'warn' : 'info',
        text: `breaker ${event.from} → ${event.to}${because}`,
      };
    }
    case 'connect-failed':
      return { severity: 'warn', text: 'could not be connected to' };
  }
}
