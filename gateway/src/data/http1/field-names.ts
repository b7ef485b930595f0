/** The field names the gateway acts on, recognised by their bytes without making a string. */

export const FIELD_ID = {
  other: 0,
  host: 1,
  connection: 2,
  'content-length': 3,
  'transfer-encoding': 4,
  expect: 5,
  upgrade: 6,
  te: 7,
  trailer: 8,
  'keep-alive': 9,
  'proxy-connection': 10,
  'proxy-authenticate': 11,
  'proxy-authorization': 12,
  'http2-settings': 13,
  via: 14,
  forwarded: 15,
  'x-forwarded-for': 16,
  'x-forwarded-proto': 17,
  'x-forwarded-host': 18,
  'x-forwarded-port': 19,
  'x-forwarded-prefix': 20,
  'x-forwarded-server': 21,
  'x-forwarded-client-cert': 22,
  'x-real-ip': 23,
  'x-request-id': 24,
  traceparent: 25,
  'max-forwards': 26,
  date: 27,
  cookie: 28,
  'proxy-status': 29,
  'x-portway-explain': 31,
  /** A name that differs from one above only by `_` for `-`: CGI-like backends read both the same way. */
  lookalike: 30,
} as const;

export type FieldId = (typeof FIELD_ID)[keyof typeof FIELD_ID];

const UNDERSCORE = 0x5f;
const BUCKETS = 256;

interface Known {
  readonly bytes: Uint8Array;
  readonly id: FieldId;
}

/** Length, first and last letter tell all known names apart but a few, which share a bucket. */
function bucketOf(length: number, first: number, last: number): number {
  return (length * 7 + (first | 0x20) * 31 + (last | 0x20) * 3) & (BUCKETS - 1);
}

const buckets: readonly (readonly Known[] | undefined)[] = (() => {
  const table = new Array<Known[] | undefined>(BUCKETS).fill(undefined);
  for (const [name, id] of Object.entries(FIELD_ID)) {
    if (id === FIELD_ID.other || id === FIELD_ID.lookalike) continue;
    const bytes = Buffer.from(name, 'latin1');
    const bucket = bucketOf(bytes.length, bytes[0] ?? 0, bytes[bytes.length - 1] ?? 0);
    table[bucket] = [...(table[bucket] ?? []), { bytes, id }];
  }
  return table;
})();

const controlled: ReadonlySet<string> = new Set(Object.keys(FIELD_ID));

/** The id of the token in `[start, end)` of `bytes`; case does not matter. */
export function fieldId(bytes: Uint8Array, start: number, end: number, hasUnderscore: boolean): FieldId {
  if (hasUnderscore) return lookalike(bytes, start, end);
  const bucket = buckets[bucketOf(end - start, bytes[start] ?? 0, bytes[end - 1] ?? 0)];
  if (bucket === undefined) return FIELD_ID.other;
  for (const known of bucket) if (same(known.bytes, bytes, start, end)) return known.id;
  return FIELD_ID.other;
}

/** Setting bit 0x20 lower-cases letters and leaves `-` and digits alone, and no other token byte becomes one of them. */
function same(name: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  const length = name.length;
  if (end - start !== length) return false;
  for (let i = 0; i < length; i++) if (((bytes[start + i] ?? 0) | 0x20) !== name[i]) return false;
  return true;
}

function lookalike(bytes: Uint8Array, start: number, end: number): FieldId {
  let name = '';
  for (let i = start; i < end; i++) {
    const byte = bytes[i] ?? 0;
    name += byte === UNDERSCORE ? '-' : String.fromCharCode(byte);
  }
  return controlled.has(name.toLowerCase()) ? FIELD_ID.lookalike : FIELD_ID.other;
}
