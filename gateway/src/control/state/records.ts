import type { AdminState, BackendRef, HealthVerdict } from '../../data/port.ts';

/** The version of every record. Records of other versions are left alone: a newer Portway may share the Redis. */
const VERSION = 1;

/** Longest a verdict's or an operator's record may be, in bytes. */
export const MAX_RECORD_BYTES = 4 * 1024;
/** Longest a heartbeat may be, in bytes. */
export const MAX_BEAT_BYTES = 64 * 1024;
/** Backends that one heartbeat names in each of its lists: they stay below the size above. */
export const MAX_LISTED = 100;

const MAX_NAME = 300;
const MAX_REASON = 300;
/** The year 9999. */
const MAX_TIME_MS = 253_402_300_799_999;

/** What a probe of replica `by` said of a backend. */
export interface HealthRecord {
  readonly verdict: HealthVerdict;
  readonly by: string;
  /** Milliseconds since 1970, by the clock of `by`. */
  readonly when: number;
  /** Grows with each record of `by`. */
  readonly seq: number;
}

/** A value that operators set: the one with the latest `when` stands. */
export interface Setting<T> {
  readonly value: T;
  readonly when: number;
  readonly by: string;
}

/** What operators want of a backend; undefined: they never said. A weight of null is the plan's. */
export interface AdminRecord {
  readonly state: Setting<AdminState> | undefined;
  readonly weight: Setting<number | null> | undefined;
}

export interface Heartbeat {
  readonly seq: number;
  /** Keys (`service/backend`) of backends whose breaker is open at that replica. */
  readonly open: readonly string[];
  /** Of those open anywhere: where that replica's live traffic went well of late. */
  readonly good: readonly string[];
}

/** What goes over the channel. */
export type FleetEvent =
  | ({ readonly kind: 'health'; readonly record: HealthRecord } & BackendRef)
  | ({ readonly kind: 'admin'; readonly by: string; readonly record: AdminRecord } & BackendRef)
  | { readonly kind: 'beat'; readonly by: string; readonly seq: number }
  | { readonly kind: 'leave'; readonly by: string; readonly seq: number };

export function formatHealth({ verdict, by, when, seq }: HealthRecord): string {
  const reason = plainText(verdict.reason);
  return JSON.stringify({
    v: VERSION,
    verdict: verdict.healthy ? 'healthy' : 'unhealthy',
    reason,
    by,
    when,
    seq,
  });
}

export function formatAdmin({ state, weight }: AdminRecord): string {
  return JSON.stringify({ v: VERSION, state, weight });
}

export function formatBeat({ seq, open, good }: Heartbeat): string {
  return JSON.stringify({
    v: VERSION,
    seq,
    open: open.slice(0, MAX_LISTED),
    good: good.slice(0, MAX_LISTED),
  });
}

export function formatEvent(event: FleetEvent): string {
  if (event.kind === 'beat' || event.kind === 'leave') return JSON.stringify({ v: VERSION, ...event });
  const record = event.kind === 'health' ? formatHealth(event.record) : formatAdmin(event.record);
  return JSON.stringify({ v: VERSION, ...event, record: JSON.parse(record) as unknown });
}

/** Each returns undefined for text that is not such a record of this version. */
export function parseHealth(text: string): HealthRecord | undefined {
  return readHealth(parseObject(text, MAX_RECORD_BYTES));
}

export function parseAdmin(text: string): AdminRecord | undefined {
  return readAdmin(parseObject(text, MAX_RECORD_BYTES));
}

export function parseBeat(text: string): Heartbeat | undefined {
  const record = parseObject(text, MAX_BEAT_BYTES);
  if (record === undefined || !isCount(record['seq'])) return undefined;
  const open = readKeys(record['open']);
  const good = readKeys(record['good']);
  return open && good && { seq: record['seq'], open, good };
}

export function parseEvent(text: string): FleetEvent | undefined {
  const event = parseObject(text, 2 * MAX_RECORD_BYTES);
  if (event === undefined) return undefined;
  const { kind, by, seq, service, backend } = event;
  if (kind === 'beat' || kind === 'leave') {
    return isName(by) && isReplicaId(by) && isCount(seq) ? { kind, by, seq } : undefined;
  }
  if (!isName(service) || !isName(backend)) return undefined;
  const inner = asObject(event['record']);
  if (kind === 'health') {
    const record = readHealth(inner);
    return record && { kind, service, backend, record };
  }
  if (kind !== 'admin' || !isName(by)) return undefined;
  const record = readAdmin(inner);
  return record && { kind, service, backend, by, record };
}

/** Whether an id may be a replica's: it gets into lists and log lines. */
export function isReplicaId(text: string): boolean {
  return /^[A-Za-z0-9_.-]{1,64}$/.test(text);
}

type Fields = Readonly<Record<string, unknown>>;

function readHealth(record: Fields | undefined): HealthRecord | undefined {
  if (record?.['v'] !== VERSION) return undefined;
  const { verdict, reason, by, when, seq } = record;
  if (verdict !== 'healthy' && verdict !== 'unhealthy') return undefined;
  if (typeof reason !== 'string' || reason.length > MAX_REASON || reason !== plainText(reason))
    return undefined;
  if (!isName(by) || !isReplicaId(by) || !isTime(when) || !isCount(seq)) return undefined;
  return { verdict: { healthy: verdict === 'healthy', reason }, by, when, seq };
}

function readAdmin(record: Fields | undefined): AdminRecord | undefined {
  if (record?.['v'] !== VERSION) return undefined;
  const state = readSetting(record['state'], isAdminState);
  const weight = readSetting(record['weight'], isWeight);
  return state === 'bad' || weight === 'bad' ? undefined : { state, weight };
}

function readSetting<T>(
  field: unknown,
  isValue: (value: unknown) => value is T,
): Setting<T> | undefined | 'bad' {
  if (field === undefined || field === null) return undefined;
  const setting = asObject(field);
  if (setting === undefined) return 'bad';
  const { value, when, by } = setting;
  return isValue(value) && isTime(when) && isName(by) && isReplicaId(by) ? { value, when, by } : 'bad';
}

function readKeys(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) && value.length <= MAX_LISTED && value.every(isKey) ? value : undefined;
}

function parseObject(text: string, maxLength: number): Fields | undefined {
  if (text.length > maxLength) return undefined;
  try {
    const fields = asObject(JSON.parse(text));
    return fields?.['v'] === VERSION ? fields : undefined;
  } catch {
    return undefined;
  }
}

function asObject(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_NAME;
}

function isKey(value: unknown): value is string {
  return typeof value === 'string' && value.length <= 2 * MAX_NAME;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isTime(value: unknown): value is number {
  return isCount(value) && value <= MAX_TIME_MS;
}

function isAdminState(value: unknown): value is AdminState {
  return value === 'enabled' || value === 'draining' || value === 'disabled';
}

function isWeight(value: unknown): value is number | null {
  return value === null || (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 1_000);
}

/** On one line, and no longer than a reason need be. */
function plainText(text: string): string {
  return text.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]/g, ' ').slice(0, MAX_REASON);
}
