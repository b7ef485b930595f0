import type { ServicePlan } from '../../data/plan.ts';
import type { AdminState, BackendRef, BackendStatus, DataPort, HealthVerdict } from '../../data/port.ts';
import type { Clock, Random } from '../../time.ts';
import type { RedisPlan } from '../control-plan.ts';
import type { Log } from '../log.ts';
import { backendKey } from './backend-key.ts';
import { batch } from './bounded-read.ts';
import { after, within } from './deadline.ts';
import { FleetBreakers } from './fleet-breakers.ts';
import { FleetStore } from './fleet-store.ts';
import { Membership } from './membership.ts';
import type { AdminRecord, FleetEvent } from './records.ts';
import { parseEvent } from './records.ts';
import { RedisFailure } from './redis-failure.ts';
import { RedisLink } from './redis-link.ts';
import { Replicas } from './replicas.ts';
import { SharedAdmin } from './shared-admin.ts';
import { type HealthFollower, SharedHealth } from './shared-health.ts';
import { WarnOnce } from './warn-once.ts';

export interface FleetDeps {
  readonly plan: RedisPlan;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Random, one for each start of a process: letters, digits, `-`, `_` and `.`, at most 64. */
  readonly replicaId: string;
  readonly port: Pick<DataPort, 'status' | 'setFleetBreaker' | 'setAdmin' | 'setWeight'>;
  readonly health: HealthFollower & {
    /** What `owns` says may have changed. */
    ownersChanged(): void;
    setProbed(ref: BackendRef, probed: boolean): void;
  };
  /** Which of the replicas probes a backend; the same on each of them. */
  readonly ownerOf: (ref: BackendRef, replicaIds: readonly string[]) => string;
}

/** What is known of the fleet, for people. */
export interface FleetStatus {
  readonly up: boolean;
  readonly fleet: string;
  readonly replicaId: string;
  /** Live ones, this one among them. */
  readonly replicas: readonly string[];
  /** Undefined: never. */
  readonly lastSyncAgoMs: number | undefined;
  /** Why Redis is away; undefined when it is not. */
  readonly reason: string | undefined;
}

const TICK_MS = 100;
const BEAT_MS = 500;
const SYNC_MS = 5_000;
const START_TIMEOUT_MS = 1_000;
const STOP_TIMEOUT_MS = 500;
/** When not even our own heartbeats come back over the channel, it is dead though commands work. */
const SILENT_MS = 5_000;
const MAX_WRITES = 1_000;

/**
 * What the replicas of a fleet share through Redis: verdicts of probes, which of them live, whose breakers are open, what
 * operators want. Nothing here is waited for by a request; while Redis is away what was last known stands.
 */
export class Fleet {
  readonly #deps: FleetDeps;
  readonly #link: RedisLink;
  readonly #store: FleetStore;
  readonly #replicas: Replicas;
  readonly #breakers: FleetBreakers;
  readonly #health: SharedHealth;
  readonly #admin: SharedAdmin;
  readonly #warnings: WarnOnce;
  readonly #members: Membership;
  #stopTicks: (() => void) | undefined;
  #beatDueMs = 0;
  #syncDueMs = 0;
  #beating = false;
  #syncing = false;
  /** Something was not written because Redis was away. */
  #unwritten = false;
  #writes = 0;
  #considering = false;
  #lastSyncMs: number | undefined;
  #lastEchoMs = 0;
  #awaySinceMs: number | undefined;
  #awayReason: string | undefined = 'not connected yet';
  #onFirstUp: () => void = () => {};

  /** @throws TypeError when the URL of Redis cannot be read */
  constructor(deps: FleetDeps) {
    const { plan, clock, random, replicaId, port, health } = deps;
    this.#deps = deps;
    this.#members = new Membership({
      replicaId,
      ownerOf: deps.ownerOf,
      onReplicas: () => this.#health.onReplicas(),
      ownersChanged: () => health.ownersChanged(),
    });
    this.#warnings = new WarnOnce(deps.log);
    this.#replicas = new Replicas(replicaId);
    this.#breakers = new FleetBreakers(port);
    this.#health = new SharedHealth({ clock, replicaId, health });
    const setProbed = (ref: BackendRef, probed: boolean): void => health.setProbed(ref, probed);
    this.#admin = new SharedAdmin({ clock, replicaId, port, setProbed });
    this.#store = new FleetStore(plan.fleet, replicaId, this.#warnings);
    this.#link = new RedisLink({
      url: plan.url,
      channel: this.#store.channel,
      clock,
      random,
      listener: {
        onConnected: () => this.#onConnected(),
        onUp: () => this.#onUp(),
        onDown: (reason) => this.#onDown(reason),
        onMessage: (text) => void this.#quietly(this.#onMessage(text)),
      },
    });
  }

  /** Connects and takes over what the fleet knows; resolves after that or after a second, whatever comes first. */
  start(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = after(this.#deps.clock, START_TIMEOUT_MS, resolve);
      this.#onFirstUp = () => {
        cancel();
        resolve();
      };
      this.#stopTicks = this.#deps.clock.every(TICK_MS, () => this.#tick());
      this.#link.start();
    });
  }

  /** `redis_up`: connected, and what the fleet knows has been read. */
  get up(): boolean {
    return this.#link.up;
  }

  /** Ids of the live replicas, ours among them; ours alone while Redis is away. */
  get replicas(): readonly string[] {
    return this.#members.replicas;
  }

  /**
   * Whether this replica probes a backend. While Redis is away each replica probes all; so does any whose duty it is
   * not, a backend that nothing is heard of.
   */
  owns(ref: BackendRef): boolean {
    return this.#members.owns(ref);
  }

  /** What our own probe found; `flipped`: the verdict is another than before. */
  probed(ref: BackendRef, verdict: HealthVerdict, flipped: boolean): void {
    const record = this.#health.probed(ref, verdict, flipped);
    if (record !== undefined) this.#write({ kind: 'health', record, ...ref });
  }

  /** Here at once, and everywhere within about a second; kept in Redis. While Redis is away it is written on return. */
  setAdmin(ref: BackendRef, state: AdminState): void {
    this.#tellAdmin(ref, this.#admin.setState(ref, state));
  }

  /** As `setAdmin`; undefined is the plan's weight. */
  setWeight(ref: BackendRef, weight: number | undefined): void {
    this.#tellAdmin(ref, this.#admin.setWeight(ref, weight));
  }

  /** The services of the plan in force; to be called once the data plane has taken it. */
  onPlan(services: readonly ServicePlan[]): void {
    const gone = this.#health.onPlan(services);
    this.#admin.onPlan(services);
    this.#breakers.onPlan(services);
    // those that keep them write them again; nobody else ever would delete them
    if (this.#link.up && gone.length > 0)
      void this.#quietly(this.#link.run((c) => this.#store.forget(c, gone)));
    this.#syncDueMs = 0;
  }

  status(): FleetStatus {
    const { clock, plan, replicaId } = this.#deps;
    return {
      up: this.up,
      fleet: plan.fleet,
      replicaId,
      replicas: this.replicas,
      lastSyncAgoMs: this.#lastSyncMs === undefined ? undefined : clock.now() - this.#lastSyncMs,
      reason: this.up ? undefined : this.#awayReason,
    };
  }

  /** Leaves the fleet, so that others take over at once; in half a second at most. */
  async stop(): Promise<void> {
    this.#stopTicks?.();
    this.#onFirstUp();
    if (this.#link.up) {
      const leave = this.#link.run((client) => this.#store.leave(client));
      await this.#quietly(within(this.#deps.clock, STOP_TIMEOUT_MS, leave, () => new RedisFailure('late')));
    }
    this.#link.close();
  }

  async #onConnected(): Promise<void> {
    const nowMs = this.#deps.clock.now();
    this.#replicas.renew(nowMs);
    this.#health.onConnected();
    this.#unwritten = false;
    this.#lastEchoMs = nowMs;
    await this.#beat();
    await this.#sync();
  }

  #onUp(): void {
    const { clock, log, plan } = this.#deps;
    const nowMs = clock.now();
    if (this.#awaySinceMs !== undefined) {
      const seconds = ((nowMs - this.#awaySinceMs) / 1_000).toFixed(1);
      log(
        'info',
        `Redis at ${this.#link.label} is back after ${seconds} s; fleet ${plan.fleet} is in step again`,
      );
    }
    this.#awaySinceMs = undefined;
    this.#beatDueMs = nowMs + BEAT_MS;
    this.#syncDueMs = this.#unwritten ? nowMs : nowMs + SYNC_MS;
    this.#lastEchoMs = nowMs;
    this.#followMembers();
    this.#onFirstUp();
  }

  #onDown(reason: string): void {
    const { clock, log } = this.#deps;
    this.#awayReason = reason;
    if (this.#awaySinceMs === undefined) {
      this.#awaySinceMs = clock.now();
      log('warn', `Redis at ${this.#link.label} is away: ${reason}; what was last known of the fleet stands`);
    }
    // no quorum can be counted any more: each replica goes by its own breakers
    this.#breakers.clear();
    this.#followMembers();
  }

  #tick(): void {
    if (!this.#link.up) return;
    const nowMs = this.#deps.clock.now();
    this.#followMembers();
    if (nowMs - this.#lastEchoMs > SILENT_MS) {
      this.#link.reconnect('its channel is silent');
      return;
    }
    // half a tick early is on time
    if (nowMs >= this.#beatDueMs - TICK_MS / 2 && !this.#beating) {
      this.#beatDueMs = nowMs + BEAT_MS;
      void this.#quietly(this.#beat());
    }
    if (nowMs >= this.#syncDueMs && !this.#syncing) {
      this.#syncDueMs = nowMs + SYNC_MS;
      void this.#quietly(this.#sync());
    }
  }

  /** Tells the others that we live and what we see, and looks what they say. */
  async #beat(): Promise<void> {
    this.#beating = true;
    try {
      const { clock } = this.#deps;
      const status = this.#statusByKey();
      const seen = this.#breakers.observe(status, this.#replicas.beats(clock.now()));
      const heard = await this.#link.run((client) => this.#store.beat(client, seen));
      const nowMs = clock.now();
      for (const [id, beat] of heard) this.#replicas.heard(id, beat.seq, nowMs, beat);
      const dead = this.#replicas.forget(nowMs);
      if (dead.length > 0) await this.#link.run((client) => this.#store.bury(client, dead));
      this.#followMembers();
      this.#breakers.follow(status, this.#replicas.beats(nowMs), this.#replicas.live(nowMs).length);
      this.#health.consider((ref) => status.get(backendKey(ref)));
    } finally {
      this.#beating = false;
    }
  }

  /** Reads all there is, writes what is missing. */
  async #sync(): Promise<void> {
    this.#syncing = true;
    try {
      const run = this.#link.run.bind(this.#link);
      const admin = await run((client) => this.#store.readAdmin(client, this.#admin.byService()));
      const toWrite = new Map<BackendRef, AdminRecord>();
      for (const [ref, found] of admin) {
        if (found === 'unreadable') continue;
        const record = found !== undefined && this.#isPlausible(ref, found) ? found : undefined;
        const ours = this.#admin.merge(ref, record);
        if (ours !== undefined && (found === undefined || record !== undefined)) toWrite.set(ref, ours);
      }
      const health = await run((client) => this.#store.readHealth(client, this.#health.byService()));
      for (const [ref, found] of health) {
        if (found === undefined) this.#health.missing(ref);
        else if (found !== 'unreadable') this.#health.heard(ref, found, 'read');
      }
      const due = this.#health.due((ref) => this.owns(ref));
      await run((client) => this.#store.write(client, toWrite, due));
      this.#lastSyncMs = this.#deps.clock.now();
      const status = this.#statusByKey();
      this.#admin.reapply((ref) => status.get(backendKey(ref)));
      this.#health.consider((ref) => status.get(backendKey(ref)));
    } finally {
      this.#syncing = false;
    }
  }

  async #onMessage(text: string): Promise<void> {
    const event = parseEvent(text);
    if (event === undefined) {
      const { channel } = this.#store;
      this.#warnings.warn(
        channel,
        `what came over ${channel} in Redis is not of this version; it is ignored`,
      );
      return;
    }
    if (event.kind === 'beat') {
      if (event.by === this.#deps.replicaId) this.#lastEchoMs = this.#deps.clock.now();
      else this.#replicas.heard(event.by, event.seq, this.#deps.clock.now());
    } else if (event.kind === 'leave') {
      this.#replicas.left(event.by, event.seq);
      this.#followMembers();
    } else if (event.kind === 'admin') {
      if (this.#isPlausible(event, event.record)) this.#mergeAdmin(event, event.record);
    } else {
      this.#health.heard(event, event.record, 'told');
      await this.#considerSoon();
    }
  }

  #mergeAdmin({ service, backend }: BackendRef, record: AdminRecord): void {
    const ref = { service, backend };
    this.#tellAdmin(ref, this.#admin.merge(ref, record));
  }

  #isPlausible({ service }: BackendRef, record: AdminRecord): boolean {
    if (this.#admin.isPlausible(record)) return true;
    const key = this.#store.adminKey(service);
    this.#warnings.warn(key, `${key} in Redis holds settings from more than a day ahead; they are ignored`);
    return false;
  }

  /** Once for all that came in one read. */
  async #considerSoon(): Promise<void> {
    if (this.#considering) return;
    this.#considering = true;
    await Promise.resolve();
    this.#considering = false;
    const status = this.#statusByKey();
    this.#health.consider((ref) => status.get(backendKey(ref)));
  }

  #tellAdmin(ref: BackendRef, record: AdminRecord | undefined): void {
    if (record !== undefined) this.#write({ kind: 'admin', by: this.#deps.replicaId, record, ...ref });
  }

  /** Writes and tells; what cannot be written now is written by the next synchronisation. */
  #write(event: Extract<FleetEvent, { kind: 'health' | 'admin' }>): void {
    if (!this.#link.up || this.#writes >= MAX_WRITES) {
      this.#unwritten = true;
      return;
    }
    this.#writes += 1;
    const work = this.#link.run((client) => batch(client, (pipeline) => this.#store.tell(pipeline, event)));
    void this.#quietly(work).then(() => {
      this.#writes -= 1;
    });
  }

  /** Failures of Redis have ended the link by now, and were told of there; others are ours. */
  async #quietly(work: Promise<unknown>): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.#unwritten = true;
      if (error instanceof RedisFailure || !(error instanceof Error)) return;
      this.#warnings.warn(error.name, `sharing state failed: ${error.name}: ${error.message}`);
    }
  }

  #followMembers(): void {
    if (!this.#link.up) this.#members.alone();
    else this.#members.follow(this.#replicas.live(this.#deps.clock.now()), () => this.#health.overdue());
  }

  #statusByKey(): Map<string, BackendStatus> {
    const byKey = new Map<string, BackendStatus>();
    for (const { name: service, backends } of this.#deps.port.status().services) {
      for (const status of backends) byKey.set(backendKey({ service, backend: status.name }), status);
    }
    return byKey;
  }
}
