import type { FailureCode } from '../../errors.ts';
import { COLON } from '../http1/characters.ts';
import type { FieldLines } from '../http1/field-lines.ts';
import { FIELD_ID } from '../http1/field-names.ts';
import type { RequestHead } from '../http1/request-head.ts';
import { isLineAsWritten } from './written-line.ts';

/** White space that would stand in the middle once cookies are joined, where nobody looks for it (RFC 9113 §8.2.1). */
const PADDED = /^[ \t]|[ \t]$/;

/** RFC 9113 §8.2.2: what an HTTP/1.1 connection is told of itself has no place in HTTP/2, and would frame what we send on. */
const CONNECTION_SPECIFIC =
  (1 << FIELD_ID.connection) |
  (1 << FIELD_ID['keep-alive']) |
  (1 << FIELD_ID['proxy-connection']) |
  (1 << FIELD_ID['transfer-encoding']) |
  (1 << FIELD_ID.upgrade);

/** Methods whose requests have a body as a rule: without one, a length says so (RFC 9110 §8.6). */
const USUALLY_WITH_BODY: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);
const SLASH = 0x2f;
const SCHEME = /^https?$/i;
/** What we add to the lines of a client. */
const OWN_LINES = 6;

/** What a request wants besides an answer. */
export type RequestKind = 'plain' | 'connect' | 'web-socket';

/**
 * Reads requests of HTTP/2 by writing them as HTTP/1.1 and having that parsed as strictly as what comes as such: the same
 * limits, the same meaning. That nothing in a name or a value can become a line of its own, or more or less of one, is seen
 * by comparing the lines that were parsed with those that were written. One instance is filled again
 * and again.
 */
export class RequestText {
  kind: RequestKind = 'plain';
  /** Bytes of the HTTP/1.1 head. */
  length = 0;
  readonly #nameLengths: Int32Array;
  readonly #valueLengths: Int32Array;
  readonly #maxLines: number;
  readonly #maxBytes: number;
  #count = 0;
  /** Lines that came from the client. */
  #theirs = 0;
  #requestLine = 0;
  #text = '';
  #method: string | undefined;
  #scheme: string | undefined;
  #authority: string | undefined;
  #path: string | undefined;
  #protocol: string | undefined;
  #hasLength = false;

  constructor(limits: { readonly maxHeaders: number; readonly maxHeadBytes: number }) {
    this.#maxBytes = limits.maxHeadBytes;
    this.#maxLines = limits.maxHeaders;
    this.#nameLengths = new Int32Array(limits.maxHeaders + OWN_LINES);
    this.#valueLengths = new Int32Array(limits.maxHeaders + OWN_LINES);
  }

  /**
   * Reads the fields of a HEADERS frame, names and values in turn, into `head`. Returns what is wrong with them.
   * @param complete whether the request has no body
   * @param bytes room for the text, as long as that is not larger than is usual
   * @param webSocketKey makes the Sec-WebSocket-Key for a WebSocket, whose client sends none (RFC 8441 §5)
   */
  read(
    raw: readonly string[],
    complete: boolean,
    head: RequestHead,
    bytes: Buffer,
    webSocketKey: () => string,
  ): FailureCode | undefined {
    const failure = this.#write(raw, complete, webSocketKey);
    if (failure !== undefined) return failure;
    const length = this.#text.length;
    this.length = length;
    if (length > this.#maxBytes) return 'head_too_large';
    const room = length < bytes.length ? bytes : Buffer.allocUnsafe(length + 1);
    room.write(this.#text, 'latin1');
    room[length] = 0;
    const found = head.parse(room, 0, length);
    // our head is whole, so what it lacks was hidden by a line end that should not have been there
    if (found !== undefined) return found === 'incomplete' ? 'bad_field' : found;
    if (!this.#sameLines(head)) return 'bad_field';
    // what follows a WebSocket's fields is no body of theirs: whoever took it for one would read the next request for it
    const bodiless = complete || this.kind === 'web-socket';
    return this.#allowed(head.fields) ?? (bodiless && head.bodyLength > 0 ? 'bad_content_length' : undefined);
  }

  #write(raw: readonly string[], complete: boolean, webSocketKey: () => string): FailureCode | undefined {
    this.#count = 0;
    const fieldsAt = this.#pseudo(raw);
    if (fieldsAt < 0) return 'bad_pseudo_field';
    const failure = this.#start() ?? this.#fields(raw, fieldsAt);
    if (failure !== undefined) return failure;
    this.#theirs = this.#count;
    if (this.#count > this.#maxLines) return 'too_many_fields';
    if (this.kind === 'web-socket') {
      this.#line('connection', 'Upgrade');
      this.#line('upgrade', 'websocket');
      this.#line('sec-websocket-key', webSocketKey());
    } else if (this.kind === 'plain' && !this.#hasLength) {
      if (!complete) this.#line('transfer-encoding', 'chunked');
      else if (USUALLY_WITH_BODY.has(this.#method ?? '')) this.#line('content-length', '0');
    }
    this.#text += '\r\n';
    return undefined;
  }

  /** RFC 9113 §8.3: first, each at most once, and none but these. Returns where the other fields start, or -1. */
  #pseudo(raw: readonly string[]): number {
    this.#method = undefined;
    this.#scheme = undefined;
    this.#authority = undefined;
    this.#path = undefined;
    this.#protocol = undefined;
    let i = 0;
    for (; i < raw.length; i += 2) {
      const name = raw[i] ?? '';
      if (name.charCodeAt(0) !== COLON) break;
      if (!this.#setPseudo(name, raw[i + 1] ?? '')) return -1;
    }
    return i;
  }

  #setPseudo(name: string, value: string): boolean {
    let before: string | undefined;
    switch (name) {
      case ':method':
        before = this.#method;
        this.#method = value;
        break;
      case ':scheme':
        before = this.#scheme;
        this.#scheme = value;
        break;
      case ':authority':
        before = this.#authority;
        this.#authority = value;
        break;
      case ':path':
        before = this.#path;
        this.#path = value;
        break;
      case ':protocol':
        before = this.#protocol;
        this.#protocol = value;
        break;
      default:
        return false;
    }
    return before === undefined && value !== '';
  }

  /** Writes the request line. */
  #start(): FailureCode | undefined {
    const method = this.#method;
    const path = this.#path;
    this.kind = 'plain';
    if (method === 'CONNECT' && this.#protocol === undefined) {
      // RFC 9113 §8.5
      const named = this.#authority !== undefined && this.#scheme === undefined && path === undefined;
      this.kind = 'connect';
      return named ? this.#beginWith(`CONNECT ${this.#authority} HTTP/1.1\r\n`) : 'bad_pseudo_field';
    }
    if (method === undefined || path === undefined || !SCHEME.test(this.#scheme ?? ''))
      return 'bad_pseudo_field';
    // anything else would be read as an absolute-form target, or as a path that starts with something else
    if (path.charCodeAt(0) !== SLASH && !(path === '*' && method === 'OPTIONS')) return 'bad_target';
    if (this.#protocol === undefined) return this.#beginWith(`${method} ${path} HTTP/1.1\r\n`);
    // RFC 8441 §4
    if (method !== 'CONNECT' || this.#authority === undefined) return 'bad_pseudo_field';
    this.kind = 'web-socket';
    return this.#protocol === 'websocket' ? this.#beginWith(`GET ${path} HTTP/1.1\r\n`) : 'unknown_protocol';
  }

  #beginWith(line: string): undefined {
    this.#requestLine = line.length;
    this.#text = line;
  }

  #fields(raw: readonly string[], from: number): FailureCode | undefined {
    this.#hasLength = false;
    let cookies: string | undefined;
    let host: string | undefined;
    if (this.#authority !== undefined) this.#line('host', this.#authority);
    for (let i = from; i < raw.length; i += 2) {
      const name = raw[i] ?? '';
      const value = raw[i + 1] ?? '';
      switch (name) {
        case 'cookie':
          if (PADDED.test(value)) return 'bad_field';
          // RFC 9113 §8.2.3; of `a=b; ` browsers make two, the second of which is empty
          if (cookies === undefined || cookies === '') cookies = value;
          else if (value !== '') cookies = `${cookies}; ${value}`;
          continue;
        case 'host':
          if (host !== undefined) return 'bad_host';
          host = value;
          continue;
        case 'content-length':
          this.#hasLength = true;
          break;
        case 'sec-websocket-key':
          if (this.kind === 'web-socket') continue;
          break;
        default:
          if (name.charCodeAt(0) === COLON) return 'bad_pseudo_field';
          if (name.toLowerCase() !== name) return 'bad_field';
      }
      if (this.#count >= this.#maxLines) return 'too_many_fields';
      this.#line(name, value);
    }
    if (cookies !== undefined) this.#line('cookie', cookies);
    return this.#checkHost(host);
  }

  /** RFC 9113 §8.3.1: Host and `:authority` may not differ; either will do. */
  #checkHost(host: string | undefined): FailureCode | undefined {
    if (host === undefined) return undefined;
    if (this.#authority === undefined) this.#line('host', host);
    else if (host.toLowerCase() !== this.#authority.toLowerCase()) return 'bad_host';
    return undefined;
  }

  #line(name: string, value: string): void {
    const index = this.#count;
    this.#count = index + 1;
    this.#nameLengths[index] = name.length;
    this.#valueLengths[index] = value.length;
    this.#text += `${name}: ${value}\r\n`;
  }

  /** Whether every line was read exactly as it was written. */
  #sameLines(head: RequestHead): boolean {
    const { fields } = head;
    if (head.fieldsAt !== this.#requestLine || fields.count !== this.#count) return false;
    if (head.end !== this.#text.length) return false;
    for (let i = 0; i < this.#count; i++) {
      if (!isLineAsWritten(fields, i, this.#nameLengths[i] ?? 0, this.#valueLengths[i] ?? 0)) return false;
    }
    return true;
  }

  #allowed(fields: FieldLines): FailureCode | undefined {
    if ((fields.seen & CONNECTION_SPECIFIC) !== 0) {
      for (let i = 0; i < this.#theirs; i++)
        if ((CONNECTION_SPECIFIC & (1 << (fields.ids[i] ?? 0))) !== 0) return 'bad_field';
    }
    if (fields.has(FIELD_ID.te) && fields.list(FIELD_ID.te) !== 'trailers') return 'bad_field';
    return undefined;
  }
}
