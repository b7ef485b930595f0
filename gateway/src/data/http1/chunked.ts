import { latin1 } from '../latin1.ts';
import { CR, LF } from './characters.ts';
import { ChunkExtension } from './chunk-extension.ts';
import { FieldLines } from './field-lines.ts';
import { FIELD_ID } from './field-names.ts';

/** Where decoded bytes go. */
export interface BodySink {
  bodyText(text: string): void;
  bodyBytes(bytes: Buffer, start: number, end: number): void;
}

/** `framed` sends chunks on as chunks; `payload` sends only what is in them, to a client that knows no chunks. */
export type ChunkedOutput = 'framed' | 'payload';

const SIZE = 0;
const EXTENSION = 1;
const SIZE_LF = 2;
const DATA = 3;
const DATA_CR = 4;
const DATA_LF = 5;
const TRAILER = 6;
const DONE = 7;

/** 13 hex digits still count exactly. */
const MAX_SIZE_DIGITS = 13;
const SEMICOLON = 0x3b;
/** All extensions of one body together: more is not use but abuse (Go's CVE-2023-39326, Node's CVE-2024-22019). */
const MAX_EXTENSION_BYTES = 4096;
const MAX_TRAILER_BYTES = 16 * 1024;
const MAX_TRAILER_FIELDS = 100;
/** Nobody sends these as trailers but to have a message framed anew by a reader that merges them into its head. */
const FRAMING = (1 << FIELD_ID['content-length']) | (1 << FIELD_ID['transfer-encoding']);
const NO_BYTES = Buffer.alloc(0);

/**
 * Decodes the chunked coding strictly (RFC 9112 §7.1) and encodes it again on the way. A stretch of chunks that reads
 * exactly as we would write it is passed on as it is, in one piece; a chunk head with extensions or leading zeros, or
 * one split over two reads, is written anew.
 */
export class ChunkedDecoder {
  #state = SIZE;
  #digits = 0;
  #leadingZero = false;
  #remaining = 0;
  #extensionBytes = 0;
  readonly #extension = new ChunkExtension();
  #trailer = NO_BYTES;
  /** Where this chunk's head starts in the bytes at hand; -1 when it started in an earlier read. */
  #headStart = -1;
  /** Start of what has been read and not yet passed on. */
  #run = 0;
  readonly #output: ChunkedOutput;
  /** Payload bytes decoded so far. */
  payloadBytes = 0;
  /** The trailer fields that may travel on, as lines; empty before the end of the body. */
  trailers = '';

  constructor(output: ChunkedOutput) {
    this.#output = output;
  }

  get done(): boolean {
    return this.#state === DONE;
  }

  /**
   * Decodes `bytes[start, end)` into `sink`. Returns the position after the last byte of the body (`done` tells whether
   * that is its end), or -1 when the coding is broken; nothing of the broken part has then been passed on.
   */
  decode(bytes: Buffer, start: number, end: number, sink: BodySink): number {
    let at = start;
    this.#run = start;
    this.#headStart = this.#state === SIZE && this.#digits === 0 ? start : -1;
    while (at < end && this.#state !== DONE) {
      if (this.#state === DATA) at = this.#data(bytes, at, end, sink);
      else if (this.#state === DATA_CR || this.#state === DATA_LF) at = this.#dataEnd(bytes, at);
      else if (this.#state === TRAILER) {
        at = this.#trailerSection(bytes, at, end, sink);
        this.#run = at;
      } else at = this.#head(bytes, at, end, sink);
      if (at < 0) return -1;
    }
    // a head that goes on in the next read stays behind: only then is it known whether it can be passed on as it is
    this.#passOn(bytes, this.#inHead ? this.#headStart : at, sink);
    return at;
  }

  get #inHead(): boolean {
    return (this.#state === SIZE && this.#digits > 0) || this.#state === EXTENSION || this.#state === SIZE_LF;
  }

  /** Passes on what is as we would write it, from the last break up to `until`. */
  #passOn(bytes: Buffer, until: number, sink: BodySink): void {
    if (this.#output === 'framed' && until > this.#run) sink.bodyBytes(bytes, this.#run, until);
  }

  #data(bytes: Buffer, start: number, end: number, sink: BodySink): number {
    const size = Math.min(this.#remaining, end - start);
    if (this.#output === 'payload') sink.bodyBytes(bytes, start, start + size);
    this.payloadBytes += size;
    this.#remaining -= size;
    if (this.#remaining === 0) this.#state = DATA_CR;
    return start + size;
  }

  #dataEnd(bytes: Buffer, at: number): number {
    if (bytes[at] !== (this.#state === DATA_CR ? CR : LF)) return -1;
    if (this.#state === DATA_CR) this.#state = DATA_LF;
    else this.#startChunk(at + 1);
    return at + 1;
  }

  #head(bytes: Buffer, start: number, end: number, sink: BodySink): number {
    const at = this.#chunkHead(bytes, start, end);
    if (at < 0 || this.#inHead) return at;
    const last = this.#state === TRAILER;
    const plain = this.#headStart >= 0 && !this.#leadingZero && this.#extensionsHere === 0;
    if (plain && !last) return at;
    this.#passOn(bytes, this.#headStart, sink);
    if (!last && this.#output === 'framed') sink.bodyText(`${this.#remaining.toString(16)}\r\n`);
    this.#run = at;
    return at;
  }

  #extensionsHere = 0;

  #startChunk(at: number): void {
    this.#state = SIZE;
    this.#digits = 0;
    this.#remaining = 0;
    this.#leadingZero = false;
    this.#extensionsHere = 0;
    this.#headStart = at;
  }

  /** Reads on in a chunk head; moves to DATA or TRAILER when it is whole. */
  #chunkHead(bytes: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end) {
      const byte = bytes[at] ?? 0;
      at += 1;
      if (this.#state === SIZE_LF) {
        if (byte !== LF) return -1;
        this.#state = this.#remaining === 0 ? TRAILER : DATA;
        return at;
      }
      if (byte === CR) {
        if (this.#digits === 0 || (this.#state === EXTENSION && !this.#extension.whole)) return -1;
        this.#state = SIZE_LF;
      } else if (this.#state === EXTENSION) {
        if (!this.#extension.take(byte)) return -1;
        this.#extensionBytes += 1;
        this.#extensionsHere += 1;
        if (this.#extensionBytes > MAX_EXTENSION_BYTES) return -1;
      } else if (byte === SEMICOLON) {
        if (this.#digits === 0) return -1;
        this.#extensionsHere += 1;
        this.#extension.start();
        this.#state = EXTENSION;
      } else if (!this.#digit(byte)) {
        return -1;
      }
    }
    return at;
  }

  #digit(byte: number): boolean {
    const value = hexValue(byte);
    if (value < 0 || this.#digits === MAX_SIZE_DIGITS) return false;
    if (this.#digits === 1 && this.#remaining === 0) this.#leadingZero = true;
    this.#remaining = this.#remaining * 16 + value;
    this.#digits += 1;
    return true;
  }

  /** Collects trailer fields up to the empty line, checks them and sends on those that may travel. */
  #trailerSection(bytes: Buffer, start: number, end: number, sink: BodySink): number {
    const before = this.#trailer.length;
    if (before === 0 && bytes[start] === CR && start + 1 < end && bytes[start + 1] === LF) {
      if (this.#output === 'framed') sink.bodyText('0\r\n\r\n');
      this.#state = DONE;
      return start + 2;
    }
    const all =
      before === 0 ? bytes.subarray(start, end) : Buffer.concat([this.#trailer, bytes.subarray(start, end)]);
    // room for as many as there can be: a field line takes four bytes or more
    const fields = new FieldLines(Math.min(MAX_TRAILER_FIELDS, (all.length >> 2) + 1));
    const padded = Buffer.allocUnsafe(all.length + 1);
    all.copy(padded);
    padded[all.length] = 0;
    const found = fields.parse(padded, 0, all.length);
    if (found === 'malformed' || found === 'too-many') return -1;
    if (found === 'incomplete') {
      if (all.length > MAX_TRAILER_BYTES) return -1;
      this.#trailer = Buffer.from(all);
      return end;
    }
    if (fields.end > MAX_TRAILER_BYTES || (fields.seen & FRAMING) !== 0) return -1;
    fields.text = latin1(padded, 0, fields.end);
    this.trailers = travelling(fields);
    if (this.#output === 'framed') sink.bodyText(`0\r\n${this.trailers}\r\n`);
    this.#state = DONE;
    return start + fields.end - before;
  }
}

/**
 * Trailer fields that may travel on: RFC 9110 §6.5.1 forbids those that frame, route or authenticate; every name the
 * gateway itself acts on is one of these.
 */
export function travelling(fields: FieldLines): string {
  let text = '';
  for (let i = 0; i < fields.count; i++) {
    const name = fields.name(i);
    if (fields.ids[i] === FIELD_ID.other && !FORBIDDEN_TRAILERS.has(name.toLowerCase()))
      text += `${name}: ${fields.value(i)}\r\n`;
  }
  return text;
}

const FORBIDDEN_TRAILERS: ReadonlySet<string> = new Set([
  'authorization',
  'cache-control',
  'content-encoding',
  'content-range',
  'content-type',
  'set-cookie',
  'www-authenticate',
  'proxy-authentication-info',
  'age',
  'expires',
  'location',
  'retry-after',
  'vary',
  'range',
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
  'if-range',
  'pragma',
]);

function hexValue(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
