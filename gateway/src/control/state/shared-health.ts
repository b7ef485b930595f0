import type { HealthPlan, ServicePlan } from '../../data/plan.ts';
import type { BackendRef, BackendStatus, HealthVerdict } from '../../data/port.ts';
import type { Clock } from '../../time.ts';
import { backendKey } from './backend-key.ts';
import { byService } from './by-service.ts';
import type { HealthRecord } from './records.ts';

/** A success of live traffic this recent outweighs what another replica's probe says. */
const FRESH_SUCCESS_MS = 1_000;
/** When a confirming probe contradicted another replica, how long until the next one. */
const CONFIRM_AGAIN_MS = 5_000;
/** A verdict of an unknown age counts when its time is this near to ours. */
const STALE_MS = 60_000;
/** How often at most a verdict that stands is written again. */
const REFRESH_MS = 5_000;

/** The health checker, as far as it follows others. */
export interface HealthFollower {
  adopt(ref: BackendRef, verdict: HealthVerdict): void;
  confirm(ref: BackendRef): Promise<HealthVerdict>;
}

export interface SharedHealthDeps {
  readonly clock: Clock;
  readonly replicaId: string;
  readonly health: HealthFollower;
}

/** A verdict of ours that is to be written; `isNews`: another than before, of which the others should be told. */
export interface DueRecord {
  readonly ref: BackendRef;
  readonly record: HealthRecord;
  readonly isNews: boolean;
}

interface Entry {
  readonly ref: BackendRef;
  plan: HealthPlan;
  /** Since when news of others is awaited. */
  sinceMs: number;
  /** What our own probe said last. */
  own: { readonly verdict: HealthVerdict; readonly atMs: number; readonly when: number } | undefined;
  /** To be written: a flip whoever probes, the rest only by whose duty it is. */
  unsent: 'flip' | 'refresh' | undefined;
  /** What another replica said last, and when that was by our clock, as far as can be told. */
  theirs: { readonly record: HealthRecord; readonly atMs: number } | undefined;
  /** When a record of another last was a new one. */
  newsMs: number | undefined;
  /** Which record stood in Redis when we last looked; undefined: we have not looked since we connected. */
  looked: string | undefined;
  /** Whether `theirs` has been taken over. */
  settled: boolean;
  /** Whose word the verdict here rests on. */
  source: 'own' | 'others' | undefined;
  confirming: boolean;
  confirmFromMs: number;
}

/**
 * What probes of other replicas mean here. A verdict of another is evidence, not an order: bad news needs a probe of
 * our own that fails too, and none of our own traffic having gone well this second.
 */
export class SharedHealth {
  readonly #deps: SharedHealthDeps;
  readonly #entries = new Map<string, Entry>();
  #seq = 0;

  constructor(deps: SharedHealthDeps) {
    this.#deps = deps;
  }

  /** Takes the backends that are probed. @returns those that no longer are */
  onPlan(services: readonly ServicePlan[]): BackendRef[] {
    const nowMs = this.#deps.clock.now();
    const kept = new Set<string>();
    for (const { name: service, health, backends } of services) {
      if (health === undefined) continue;
      for (const { name: backend } of backends) {
        const ref = { service, backend };
        const key = backendKey(ref);
        kept.add(key);
        const entry = this.#entries.get(key);
        if (entry === undefined) this.#entries.set(key, newEntry(ref, health, nowMs));
        // the data plane may have made the backend anew, without a verdict
        else Object.assign(entry, { plan: health, settled: false });
      }
    }
    const gone = [...this.#entries].filter(([key]) => !kept.has(key));
    for (const [key] of gone) this.#entries.delete(key);
    return gone.map(([, { ref }]) => ref);
  }

  /** The link is there again: what we know is to be written, and what stood in Redis before says nothing of now. */
  onConnected(): void {
    const nowMs = this.#deps.clock.now();
    for (const entry of this.#entries.values()) {
      entry.looked = undefined;
      entry.sinceMs = nowMs;
      entry.newsMs = undefined;
      if (entry.own !== undefined) entry.unsent ??= 'refresh';
    }
  }

  /** Our own probe. @returns the record to be written and told at once, when it says something new */
  probed(ref: BackendRef, verdict: HealthVerdict, flipped: boolean): HealthRecord | undefined {
    const entry = this.#entries.get(backendKey(ref));
    if (entry === undefined) return undefined;
    const { clock } = this.#deps;
    entry.own = { verdict, atMs: clock.now(), when: clock.wallNow() };
    entry.source = 'own';
    entry.unsent = flipped ? 'flip' : (entry.unsent ?? 'refresh');
    return flipped ? this.#record(entry.own) : undefined;
  }

  /** Own verdicts that are due in Redis. They are taken to be written; what fails comes again with `onConnected`. */
  due(owns: (ref: BackendRef) => boolean): DueRecord[] {
    const due: DueRecord[] = [];
    for (const entry of this.#entries.values()) {
      if (entry.own === undefined || entry.unsent === undefined) continue;
      const isNews = entry.unsent === 'flip';
      if (isNews || owns(entry.ref)) due.push({ ref: entry.ref, record: this.#record(entry.own), isNews });
      entry.unsent = undefined;
    }
    return due;
  }

  /**
   * A record of another replica.
   * @param how `told`: over the channel, just now; `read`: it stood in Redis, since whenever
   */
  heard(ref: BackendRef, record: HealthRecord, how: 'told' | 'read'): void {
    const entry = this.#entries.get(backendKey(ref));
    if (entry === undefined) return;
    const mark = `${record.by} ${record.seq}`;
    const before = entry.looked;
    entry.looked = mark;
    if (record.by === this.#deps.replicaId || mark === before) return;
    const known = entry.theirs?.record;
    if (known?.by === record.by && known.seq >= record.seq) return;
    const { clock } = this.#deps;
    const nowMs = clock.now();
    const ageMs = clock.wallNow() - record.when;
    // one that changed under our eyes is new, whatever the writer's clock says
    const isNew = how === 'told' || before !== undefined;
    if (!isNew && Math.abs(ageMs) > STALE_MS) return;
    entry.theirs = { record, atMs: isNew ? nowMs : nowMs - Math.max(0, ageMs) };
    entry.newsMs = nowMs;
    entry.settled = false;
  }

  /** Redis has no record of this backend. */
  missing(ref: BackendRef): void {
    const entry = this.#entries.get(backendKey(ref));
    if (entry === undefined) return;
    entry.looked = '';
    if (entry.own !== undefined) entry.unsent ??= 'refresh';
  }

  /** Acts on what others say where it differs from what holds here. */
  consider(status: (ref: BackendRef) => BackendStatus | undefined): void {
    for (const entry of this.#entries.values()) {
      if (entry.theirs === undefined || entry.settled || entry.confirming) continue;
      const here = status(entry.ref);
      if (here !== undefined) this.#weigh(entry, entry.theirs, here);
    }
  }

  /** Replicas came or went: new owners are given time to be heard of. */
  onReplicas(): void {
    const nowMs = this.#deps.clock.now();
    for (const entry of this.#entries.values()) {
      entry.sinceMs = nowMs;
      if (entry.own !== undefined || entry.theirs !== undefined) entry.newsMs = nowMs;
    }
  }

  /** Backends that whoever should probe them says nothing of: it may not know them, or not be able to write. */
  overdue(): ReadonlySet<string> {
    const nowMs = this.#deps.clock.now();
    const overdue = new Set<string>();
    for (const [key, { plan, newsMs, sinceMs }] of this.#entries) {
      const patienceMs =
        newsMs === undefined
          ? plan.timeoutMs + 1_000
          : 4 * Math.max(plan.intervalMs, REFRESH_MS) + plan.timeoutMs;
      if (nowMs - (newsMs ?? sinceMs) > patienceMs) overdue.add(key);
    }
    return overdue;
  }

  /** The backends whose records are of interest, by service. */
  byService(): Map<string, string[]> {
    return byService(this.#entries.values().map(({ ref }) => ref));
  }

  #weigh(entry: Entry, theirs: NonNullable<Entry['theirs']>, here: BackendStatus): void {
    const { record, atMs } = theirs;
    const isOursNewer = entry.own !== undefined && entry.own.atMs >= atMs;
    const isSame = (here.health === 'healthy') === record.verdict.healthy;
    if (here.health === 'unchecked' || (here.health !== 'unknown' && (isOursNewer || isSame))) {
      entry.settled = true;
      return;
    }
    if (record.verdict.healthy) {
      // we saw it fail ourselves: it may be out of our reach only
      if (entry.source === 'own' && here.health === 'unhealthy') this.#confirm(entry, theirs);
      else this.#adopt(entry, theirs, record.verdict);
      return;
    }
    if (here.lastSuccessAgoMs !== undefined && here.lastSuccessAgoMs < FRESH_SUCCESS_MS) return;
    this.#confirm(entry, theirs);
  }

  #confirm(entry: Entry, theirs: NonNullable<Entry['theirs']>): void {
    const { clock, health } = this.#deps;
    if (clock.now() < entry.confirmFromMs) return;
    entry.confirming = true;
    health
      .confirm(entry.ref)
      .then((verdict) => {
        if (this.#entries.get(backendKey(entry.ref)) !== entry) return;
        const agrees = verdict.healthy === theirs.record.verdict.healthy;
        if (!agrees) entry.confirmFromMs = clock.now() + CONFIRM_AGAIN_MS;
        // ours is as good as any for a backend of which nothing was known
        if (agrees || entry.source === undefined) this.#adopt(entry, theirs, verdict, agrees);
      })
      // no probe, no evidence
      .catch(() => {
        entry.confirmFromMs = clock.now() + CONFIRM_AGAIN_MS;
      })
      .finally(() => {
        entry.confirming = false;
      });
  }

  #adopt(entry: Entry, theirs: NonNullable<Entry['theirs']>, verdict: HealthVerdict, settles = true): void {
    if (entry.theirs === theirs) entry.settled = settles;
    entry.source = 'others';
    this.#deps.health.adopt(entry.ref, verdict);
  }

  #record({ verdict, when }: NonNullable<Entry['own']>): HealthRecord {
    this.#seq += 1;
    return { verdict, by: this.#deps.replicaId, when, seq: this.#seq };
  }
}

function newEntry(ref: BackendRef, plan: HealthPlan, nowMs: number): Entry {
  return {
    ref,
    plan,
    sinceMs: nowMs,
    own: undefined,
    unsent: undefined,
    theirs: undefined,
    newsMs: undefined,
    looked: undefined,
    settled: false,
    source: undefined,
    confirming: false,
    confirmFromMs: 0,
  };
}
