import { latin1 } from '../latin1.ts';

/** What a client that may speak TLS begins with. */
export type ClientHello =
  /** So far it can still become a hello. */
  | { readonly kind: 'incomplete' }
  /** It begins as TLS does, and goes on as it must not. */
  | { readonly kind: 'malformed' }
  /** No TLS. */
  | { readonly kind: 'other' }
  /** `name` is in lower case; undefined where none is asked for. */
  | { readonly kind: 'hello'; readonly name: string | undefined };

/** Records and their headers together. Real ones take 0.3 to 2 KiB, with post-quantum keys. */
const MAX_HELLO_BYTES = 16 * 1024;
const MAX_RECORD_BYTES = 16 * 1024;
const RECORD_HEADER_BYTES = 5;
const HANDSHAKE_HEADER_BYTES = 4;
const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const HOST_NAME = 0;

/** RFC 6066 §3: no final dot; nor may an address stand there. */
const NAME = /^(?=.{1,253}$)(?![\d.]+$)[a-z\d_-]{1,63}(?:\.[a-z\d_-]{1,63})*$/;

const INCOMPLETE: ClientHello = { kind: 'incomplete' };
const MALFORMED: ClientHello = { kind: 'malformed' };
const OTHER: ClientHello = { kind: 'other' };
const NAMELESS: ClientHello = { kind: 'hello', name: undefined };

/** Looks for the name in the TLS ClientHello (RFC 8446 §4.1.2) at the start of `bytes`, however many records it is cut into. */
export function parseClientHello(bytes: Buffer): ClientHello {
  if (bytes.length === 0) return INCOMPLETE;
  if (bytes[0] !== HANDSHAKE) return OTHER;
  const pieces: Buffer[] = [];
  let have = 0;
  let message: number | undefined;
  for (let at = 0; at < bytes.length; ) {
    const length = recordLength(bytes, at);
    if (length === undefined) return MALFORMED;
    const start = at + RECORD_HEADER_BYTES;
    const piece = bytes.subarray(start, start + length);
    pieces.push(piece);
    have += piece.length;
    if (message === undefined && have > 0) {
      if (pieces[0]?.[0] !== CLIENT_HELLO) return MALFORMED;
      if (have >= HANDSHAKE_HEADER_BYTES) message = messageLength(joined(pieces));
    }
    if (message !== undefined && message > MAX_HELLO_BYTES) return MALFORMED;
    if (message !== undefined && have >= message) return nameIn(joined(pieces), message);
    at = start + length;
  }
  return bytes.length >= MAX_HELLO_BYTES ? MALFORMED : INCOMPLETE;
}

/** Of the record at `at`; 0 while that is not there. Undefined: it is none that a hello may be in. */
function recordLength(bytes: Buffer, at: number): number | undefined {
  if (bytes[at] !== HANDSHAKE || (bytes[at + 1] ?? 3) !== 3) return undefined;
  if (at + RECORD_HEADER_BYTES > bytes.length) return 0;
  const length = bytes.readUInt16BE(at + 3);
  return length === 0 || length > MAX_RECORD_BYTES ? undefined : length;
}

/** With the header that tells it. */
function messageLength(handshake: Buffer): number {
  return HANDSHAKE_HEADER_BYTES + handshake.readUIntBE(1, 3);
}

function joined(pieces: readonly Buffer[]): Buffer {
  const [first] = pieces;
  return pieces.length === 1 && first !== undefined ? first : Buffer.concat(pieces);
}

/** Version and random, session id, cipher suites, compression methods, extensions. */
function nameIn(message: Buffer, end: number): ClientHello {
  let at: number | undefined = HANDSHAKE_HEADER_BYTES + 2 + 32;
  at = after(message, at, end, 1);
  at = after(message, at, end, 2);
  at = after(message, at, end, 1);
  if (at === undefined) return MALFORMED;
  // TLS 1.2 allows a hello without extensions
  if (at === end) return NAMELESS;
  return after(message, at, end, 2) === end ? nameAmong(message, at + 2, end) : MALFORMED;
}

/** Where the vector at `at`, whose length takes `lengthBytes`, ends; undefined when that is past `end`. */
function after(message: Buffer, at: number | undefined, end: number, lengthBytes: 1 | 2): number | undefined {
  if (at === undefined || at + lengthBytes > end) return undefined;
  const next = at + lengthBytes + message.readUIntBE(at, lengthBytes);
  return next > end ? undefined : next;
}

function nameAmong(message: Buffer, start: number, end: number): ClientHello {
  let found: ClientHello = NAMELESS;
  for (let at = start; at < end; ) {
    const next = after(message, at + 2, end, 2);
    if (next === undefined) return MALFORMED;
    if (message.readUInt16BE(at) === SERVER_NAME) {
      // RFC 8446 §4.2: no extension may come twice
      if (found !== NAMELESS) return MALFORMED;
      found = serverName(message, at + 4, next);
    }
    at = next;
  }
  return found;
}

/** The list of RFC 6066 §3, which holds one host name and, as nobody has defined another type, nothing else. */
function serverName(message: Buffer, start: number, end: number): ClientHello {
  const list = start + 2;
  if (after(message, start, end, 2) !== end || message[list] !== HOST_NAME) return MALFORMED;
  if (after(message, list + 1, end, 2) !== end) return MALFORMED;
  const name = latin1(message, list + 3, end).toLowerCase();
  return NAME.test(name) ? { kind: 'hello', name } : MALFORMED;
}
