import type { ChainableCommander } from 'ioredis';
import type { BackendRef } from '../../data/port.ts';
import { batch, type HashAnswer, readHashes, WRONG_TYPE } from './bounded-read.ts';
import type { AdminRecord, FleetEvent, HealthRecord, Heartbeat } from './records.ts';
import {
  formatAdmin,
  formatBeat,
  formatEvent,
  formatHealth,
  isReplicaId,
  MAX_BEAT_BYTES,
  MAX_RECORD_BYTES,
  parseAdmin,
  parseBeat,
  parseHealth,
} from './records.ts';
import { RedisFailure } from './redis-failure.ts';
import type { RedisClient } from './redis-session.ts';
import { MAX_REPLICAS } from './replicas.ts';
import type { DueRecord } from './shared-health.ts';
import type { WarnOnce } from './warn-once.ts';

/** Verdicts, and the heartbeats of a fleet that is gone, vanish by themselves. */
const EXPIRY_MS = 60_000;

/** What stands in a field; undefined: nothing. */
type Found<T> = readonly [BackendRef, T | 'unreadable' | undefined];

/**
 * The fleet's keys. What is found there and is not ours is ignored with one warning a key: another version, another
 * program or an enemy may write there.
 */
export class FleetStore {
  readonly #prefix: string;
  readonly #replicaId: string;
  readonly #warnings: WarnOnce;
  #seq = 0;

  constructor(fleet: string, replicaId: string, warnings: WarnOnce) {
    // the braces are a hash tag: in a cluster all keys of a fleet are on one node
    this.#prefix = `portway:{${fleet}}`;
    this.#replicaId = replicaId;
    this.#warnings = warnings;
  }

  get channel(): string {
    return `${this.#prefix}:events`;
  }

  healthKey(service: string): string {
    return `${this.#prefix}:health:${service}`;
  }

  adminKey(service: string): string {
    return `${this.#prefix}:admin:${service}`;
  }

  /** Adds to `pipeline` that a record is written and told. */
  tell(pipeline: ChainableCommander, event: Extract<FleetEvent, { kind: 'health' | 'admin' }>): void {
    const { service, backend } = event;
    if (event.kind === 'admin') {
      pipeline.hset(this.adminKey(service), backend, formatAdmin(event.record));
    } else {
      pipeline.hset(this.healthKey(service), backend, formatHealth(event.record));
      pipeline.pexpire(this.healthKey(service), EXPIRY_MS);
    }
    pipeline.publish(this.channel, formatEvent(event));
  }

  /** Writes our heartbeat. @returns those of the others */
  async beat(client: RedisClient, seen: Pick<Heartbeat, 'open' | 'good'>): Promise<Map<string, Heartbeat>> {
    this.#seq += 1;
    const key = this.#replicasKey;
    const beat = { kind: 'beat', by: this.#replicaId, seq: this.#seq } as const;
    const [, , , count, ids] = await this.#writeBeat(
      client,
      formatBeat({ seq: this.#seq, ...seen }),
      formatEvent(beat),
    );
    const heard = new Map<string, Heartbeat>();
    if (count === WRONG_TYPE) this.#ignore(key, 'is not a hash');
    else if (Number(count) > 2 * MAX_REPLICAS) this.#ignore(key, `has ${Number(count)} fields`);
    if (!Array.isArray(ids)) return heard;
    const others = ids.filter((id): id is string => typeof id === 'string' && id !== this.#replicaId);
    const fields = others.filter(isReplicaId).slice(0, MAX_REPLICAS);
    if (fields.length < others.length) this.#ignore(key, 'has fields that are not replicas');
    if (fields.length === 0) return heard;
    for (const answer of await readHashes(client, [{ key, fields }], MAX_BEAT_BYTES)) {
      this.#complain(answer);
      for (const [id, text] of answer.values) {
        const found = parseBeat(text);
        if (found !== undefined) heard.set(id, found);
        else this.#ignore(key, `holds what this version cannot read, under ${JSON.stringify(id)}`);
      }
    }
    return heard;
  }

  /** Deletes the heartbeats of replicas long dead. */
  bury(client: RedisClient, ids: readonly string[]): Promise<unknown> {
    return batch(client, (pipeline) => pipeline.hdel(this.#replicasKey, ...ids));
  }

  /** Deletes our heartbeat and tells the others. */
  leave(client: RedisClient): Promise<unknown> {
    const event = formatEvent({ kind: 'leave', by: this.#replicaId, seq: this.#seq });
    return batch(client, (pipeline) => {
      pipeline.hdel(this.#replicasKey, this.#replicaId);
      pipeline.publish(this.channel, event);
    });
  }

  /** Deletes the verdicts of backends that are no more. */
  forget(client: RedisClient, refs: readonly BackendRef[]): Promise<unknown> {
    return batch(client, (pipeline) => {
      for (const { service, backend } of refs) pipeline.hdel(this.healthKey(service), backend);
    });
  }

  readAdmin(
    client: RedisClient,
    backends: ReadonlyMap<string, readonly string[]>,
  ): Promise<Found<AdminRecord>[]> {
    return this.#read(client, backends, (service) => this.adminKey(service), parseAdmin);
  }

  readHealth(
    client: RedisClient,
    backends: ReadonlyMap<string, readonly string[]>,
  ): Promise<Found<HealthRecord>[]> {
    return this.#read(client, backends, (service) => this.healthKey(service), parseHealth);
  }

  /** Tells what is news; the rest the others will read. */
  write(
    client: RedisClient,
    admin: ReadonlyMap<BackendRef, AdminRecord>,
    health: readonly DueRecord[],
  ): Promise<unknown> {
    return batch(client, (pipeline) => {
      for (const [ref, record] of admin)
        this.tell(pipeline, { kind: 'admin', by: this.#replicaId, record, ...ref });
      for (const { ref, record, isNews } of health) {
        const event = { kind: 'health', record, ...ref } as const;
        if (isNews) this.tell(pipeline, event);
        else pipeline.hset(this.healthKey(ref.service), ref.backend, formatHealth(record));
      }
      for (const service of new Set(health.map(({ ref }) => ref.service))) {
        pipeline.pexpire(this.healthKey(service), EXPIRY_MS);
      }
    });
  }

  get #replicasKey(): string {
    return `${this.#prefix}:replicas`;
  }

  async #writeBeat(client: RedisClient, beat: string, event: string): Promise<unknown[]> {
    const key = this.#replicasKey;
    const replies = await batch(client, (pipeline) => {
      pipeline.hset(key, this.#replicaId, beat);
      pipeline.pexpire(key, EXPIRY_MS);
      pipeline.publish(this.channel, event);
      pipeline.hlen(key);
    });
    const count = replies[3];
    if (typeof count !== 'number' && count !== WRONG_TYPE) throw new RedisFailure('it is not a Redis');
    const ids =
      typeof count === 'number' && count <= 2 * MAX_REPLICAS
        ? await batch(client, (pipeline) => pipeline.hkeys(key))
        : [];
    return [...replies, ids[0]];
  }

  async #read<T>(
    client: RedisClient,
    backends: ReadonlyMap<string, readonly string[]>,
    keyOf: (service: string) => string,
    parse: (text: string) => T | undefined,
  ): Promise<Found<T>[]> {
    const questions = [...backends].map(([service, fields]) => ({ key: keyOf(service), fields }));
    const answers = await readHashes(client, questions, MAX_RECORD_BYTES);
    const byKey = new Map(answers.map((answer) => [answer.key, answer]));
    const found: Found<T>[] = [];
    for (const [service, names] of backends) {
      const key = keyOf(service);
      const answer = byKey.get(key);
      if (answer === undefined) continue;
      this.#complain(answer);
      for (const backend of names) {
        const text = answer.values.get(backend);
        const isUnreadable = answer.wrongType || answer.tooLong.includes(backend);
        const value = text === undefined ? undefined : parse(text);
        if (text !== undefined && value === undefined) {
          this.#ignore(key, `holds what this version cannot read, under ${JSON.stringify(backend)}`);
        }
        const isThere = text !== undefined || isUnreadable;
        found.push([{ service, backend }, isThere ? (value ?? 'unreadable') : undefined]);
      }
    }
    return found;
  }

  #complain({ key, wrongType, tooLong }: HashAnswer): void {
    if (wrongType) this.#ignore(key, 'is not a hash');
    const [field] = tooLong;
    if (field !== undefined)
      this.#ignore(key, `holds a text that is too long, under ${JSON.stringify(field)}`);
  }

  #ignore(key: string, what: string): void {
    this.#warnings.warn(key, `${key} in Redis ${what}; that is ignored`);
  }
}
