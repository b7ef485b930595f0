import { latin1 } from '../latin1.ts';
import { CLASS, CR, DIGIT, FIELD, LF, SP } from './characters.ts';
import { FieldLines } from './field-lines.ts';
import { FIELD_ID } from './field-names.ts';
import { CHUNKED, hasOption, parseLength } from './request-head.ts';

/** A body that ends with its connection (RFC 9112 §6.3 rule 8). */
export const UNTIL_CLOSE = -2;

const ZERO = 0x30;
const MAX_HEAD_BYTES = 64 * 1024;
const MAX_FIELDS = 500;
const HTTP_1_DOT = Buffer.from('HTTP/1.', 'latin1');

/**
 * A response head from a backend, parsed as strictly as a request. One instance serves a whole gateway: `parse` fills
 * it, and it stands until the next `parse`.
 */
export class ResponseHead {
  readonly fields = new FieldLines(MAX_FIELDS);
  status = 0;
  /** Where the fields start in `fields.text`. */
  fieldsAt = 0;
  minorVersion = 1;
  /** A number of bytes, CHUNKED or UNTIL_CLOSE; what the framing fields say, whatever the request was. */
  bodyLength = 0;
  /** Whether the backend lets its connection be used again. */
  keepAlive = true;
  end = 0;

  /** Like RequestHead.parse; `maxBytes` bounds an incomplete head. */
  parse(bytes: Buffer, start: number, end: number): 'incomplete' | 'malformed' | 'too-large' | undefined {
    const fieldsStart = this.#statusLine(bytes, start, end);
    if (fieldsStart === INCOMPLETE) return end - start > MAX_HEAD_BYTES ? 'too-large' : 'incomplete';
    if (fieldsStart === MALFORMED) return 'malformed';
    this.fieldsAt = fieldsStart - start;
    const found = this.fields.parse(bytes, fieldsStart, end);
    if (found === 'incomplete') return end - start > MAX_HEAD_BYTES ? 'too-large' : 'incomplete';
    if (found === 'too-many') return 'too-large';
    if (found === 'malformed') return 'malformed';
    this.end = this.fields.end;
    if (this.end - start > MAX_HEAD_BYTES) return 'too-large';
    this.fields.text = latin1(bytes, start, this.end);
    this.fields.base = start;
    return this.#framing() && this.#options() && this.#bodiless() ? undefined : 'malformed';
  }

  #reasonStart = 0;
  #reasonEnd = 0;

  get reason(): string {
    const { text, base } = this.fields;
    return text.slice(this.#reasonStart - base, this.#reasonEnd - base);
  }

  /** RFC 9112 §4; the space before an absent reason phrase may be missing, as many servers have it. */
  #statusLine(bytes: Buffer, start: number, end: number): number {
    for (let i = 0; i < 7; i++) {
      if (start + i >= end) return INCOMPLETE;
      if (bytes[start + i] !== HTTP_1_DOT[i]) return MALFORMED;
    }
    if (end - start < 14) return INCOMPLETE;
    const minor = (bytes[start + 7] ?? 0) - ZERO;
    if ((minor !== 0 && minor !== 1) || bytes[start + 8] !== SP) return MALFORMED;
    let status = 0;
    for (let i = 9; i < 12; i++) {
      const byte = bytes[start + i] ?? 0;
      if (((CLASS[byte] ?? 0) & DIGIT) === 0) return MALFORMED;
      status = status * 10 + byte - ZERO;
    }
    if (status < 100 || status > 599) return MALFORMED;
    this.status = status;
    this.minorVersion = minor;
    let at = start + 12;
    if (bytes[at] === SP) at += 1;
    else if (bytes[at] !== CR) return MALFORMED;
    this.#reasonStart = at;
    while (((CLASS[bytes[at] ?? 0] ?? 0) & FIELD) !== 0) at += 1;
    this.#reasonEnd = at;
    if (at >= end || (bytes[at] === CR && at + 1 >= end)) return INCOMPLETE;
    return bytes[at] === CR && bytes[at + 1] === LF ? at + 2 : MALFORMED;
  }

  /** RFC 9112 §6.3; a response whose length two readers could read differently is refused. */
  #framing(): boolean {
    const fields = this.fields;
    this.bodyLength = UNTIL_CLOSE;
    if (fields.has(FIELD_ID['transfer-encoding'])) {
      if (fields.has(FIELD_ID['content-length']) || this.minorVersion === 0) return false;
      if (fields.tabAfter(FIELD_ID['transfer-encoding'])) return false;
      this.bodyLength = CHUNKED;
      return fields.list(FIELD_ID['transfer-encoding']).toLowerCase() === 'chunked';
    }
    if (!fields.has(FIELD_ID['content-length'])) return true;
    if (fields.repeated(FIELD_ID['content-length'])) return false;
    this.bodyLength = parseLength(fields.first(FIELD_ID['content-length']));
    return this.bodyLength >= 0;
  }

  /** RFC 9112 §6.1, RFC 9110 §8.6: 1xx and 204 have no body, and a field that frames one would have others wait for it. */
  #bodiless(): boolean {
    if (this.status >= 200 && this.status !== 204) return true;
    if (this.bodyLength === UNTIL_CLOSE || this.bodyLength === 0) return true;
    // sloppy servers do send `Transfer-Encoding: chunked` with 204; what may still come must not meet another request
    this.keepAlive = false;
    return this.status === 204;
  }

  #options(): boolean {
    this.keepAlive = this.minorVersion === 1;
    if (!this.fields.has(FIELD_ID.connection)) return true;
    const list = this.fields.list(FIELD_ID.connection);
    if (list === 'keep-alive') {
      this.keepAlive = true;
      return true;
    }
    const options = list.toLowerCase();
    if (hasOption(options, 'close')) this.keepAlive = false;
    else if (hasOption(options, 'keep-alive')) this.keepAlive = true;
    return true;
  }
}

const INCOMPLETE = -1;
const MALFORMED = -2;
