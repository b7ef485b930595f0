import type { Random } from '../time.ts';

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Eight hex digits from 32 random bits. */
function hex32(random: Random): string {
  const bits = (random() * 0x1_0000_0000) >>> 0;
  return `${HEX[bits >>> 24]}${HEX[(bits >>> 16) & 255]}${HEX[(bits >>> 8) & 255]}${HEX[bits & 255]}`;
}

/** 32 hex digits: the trace id of a new W3C trace, and X-Request-Id where the client sent none. */
export function newTraceId(random: Random): string {
  const id = hex32(random) + hex32(random) + hex32(random) + hex32(random);
  // W3C Trace Context §3.2.2.3: all zeroes is not an id
  return id === '00000000000000000000000000000000' ? '00000000000000000000000000000001' : id;
}

/** 16 hex digits: a span id. */
export function newSpanId(random: Random): string {
  const id = hex32(random) + hex32(random);
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
