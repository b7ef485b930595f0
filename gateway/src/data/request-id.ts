import type { Random } from '../time.ts';
import type { FieldLines } from './http1/field-lines.ts';
import { FIELD_ID } from './http1/field-names.ts';

/** Twelve bits as three hex digits: half the look-ups of a table of bytes, and still small. */
const HEX3: readonly string[] = Array.from({ length: 4096 }, (_, bits) => bits.toString(16).padStart(3, '0'));

const HEX1: readonly string[] = Array.from({ length: 16 }, (_, bits) => bits.toString(16));

/**
 * Makes the ids of requests and traces. Half of an id is the gateway's own, random at its start; the other half is random
 * for each request. The span id is that half again: unique in its trace, which is all that is asked of it.
 */
export class RequestIds {
  readonly #random: Random;
  /** The first half of every id. */
  readonly prefix: string;

  constructor(random: Random) {
    this.#random = random;
    this.prefix = hex16(random);
  }

  /** 16 hex digits, not all zeroes (W3C Trace Context §3.2.2.3). */
  next(): string {
    return hex16(this.#random);
  }

  /** 32 hex digits: the trace id whose second half is `half`, and X-Request-Id where the client sent none. */
  traceId(half: string): string {
    return this.prefix + half;
  }
}

function hex16(random: Random): string {
  // 48 bits of a draw's 52, and 16 of another's
  const many = random() * 0x100_0000;
  const high24 = many >>> 0;
  const low24 = ((many - high24) * 0x100_0000) >>> 0;
  const last16 = (random() * 0x1_0000) >>> 0;
  const first = (HEX3[high24 >>> 12] ?? '') + (HEX3[high24 & 0xfff] ?? '') + (HEX3[low24 >>> 12] ?? '');
  const id = first + (HEX3[low24 & 0xfff] ?? '') + (HEX3[last16 >>> 4] ?? '') + (HEX1[last16 & 0xf] ?? '');
  return id === '0000000000000000' ? '0000000000000001' : id;
}

/** What of a client's X-Request-Id is passed on: printable, short, nothing a log could be tricked with. */
export function isRequestId(value: string): boolean {
  return value.length <= 128 && /^[\w.~:/+=@-]+$/.test(value);
}

/** W3C Trace Context §3.2, version 00, with ids that are not all zeroes. */
export function isTraceparent(value: string): boolean {
  return value.length === 55 && /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/.test(value);
}

/** The client's traceparent, where there is one that can be gone on from; empty where there is not. */
export function traceparentOf(fields: FieldLines): string {
  if (!fields.has(FIELD_ID.traceparent) || fields.repeated(FIELD_ID.traceparent)) return '';
  const sent = fields.first(FIELD_ID.traceparent);
  return isTraceparent(sent) ? sent : '';
}
