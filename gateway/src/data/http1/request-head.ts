import type { FailureCode } from '../../errors.ts';
import { latin1 } from '../latin1.ts';
import { canonicalHost } from '../target.ts';
import { CLASS, CR, DIGIT, LF, SP, TARGET, TOKEN } from './characters.ts';
import { FieldLines } from './field-lines.ts';
import { FIELD_ID } from './field-names.ts';

export interface HeadLimits {
  readonly maxHeadBytes: number;
  readonly maxTargetBytes: number;
  readonly maxHeaders: number;
}

/** Longest method: longer ones are not methods but attacks. */
const MAX_METHOD_BYTES = 32;
const H = 0x48;
const SLASH = 0x2f;
const ONE = 0x31;
const ZERO = 0x30;
const DOT = 0x2e;
const SAFE_DIGITS = 15;

/** Length of a request body: none, so many bytes, or chunked. */
export const CHUNKED = -1;

/**
 * A request head, parsed strictly (RFC 9112 §3, §5, §6). One instance serves a whole listener: `parse` fills it, and
 * it stands until the next `parse`.
 */
export class RequestHead {
  readonly fields: FieldLines;
  method = '';
  minorVersion = 1;
  /** The value of Host, or the authority of an absolute-form target, which wins (RFC 9112 §3.2.2). */
  host = '';
  /** The same as routes know it: lower case, without port. */
  routeHost = '';
  /** Origin-form path without query; `*` for asterisk-form. */
  path = '';
  /** From `?` on; empty when there is none. */
  query = '';
  /** Set when the target came in absolute-form: Host must then be made anew. */
  absolute = false;
  /** CHUNKED, or a number of bytes. */
  bodyLength = 0;
  keepAlive = true;
  expectContinue = false;
  /** The value of Upgrade where Connection lists it (RFC 9110 §7.8); empty otherwise. */
  upgrade = '';
  /** Where the fields start in `fields.text`. */
  fieldsAt = 0;
  /** Where the body starts in the bytes parsed. */
  end = 0;
  readonly #limits: HeadLimits;
  #validHost = '';

  constructor(limits: HeadLimits) {
    this.#limits = limits;
    this.fields = new FieldLines(limits.maxHeaders);
  }

  /**
   * Parses the head in `bytes[start, end)`. `bytes[end]` must be NUL where it exists.
   * Returns undefined when it is complete, 'incomplete', or what is wrong with it.
   */
  parse(bytes: Buffer, start: number, end: number): FailureCode | 'incomplete' | undefined {
    let at = start;
    // RFC 9112 §2.2: a server SHOULD ignore at least one empty line before the request line
    if (bytes[at] === CR && at < end) {
      if (at + 1 >= end) return 'incomplete';
      if (bytes[at + 1] !== LF) return 'bad_request_line';
      at += 2;
      if (at >= end) return 'incomplete';
    }
    const line = this.#requestLine(bytes, at, end);
    if (typeof line !== 'number') return this.#orTooLarge(line, start, end);
    const found = this.fields.parse(bytes, line, end);
    if (found === 'malformed') return 'bad_field';
    if (found === 'too-many') return 'too_many_fields';
    if (found === 'incomplete') return this.#orTooLarge('incomplete', start, end);
    this.end = this.fields.end;
    if (this.end - start > this.#limits.maxHeadBytes) return 'head_too_large';
    this.fieldsAt = line - at;
    return this.#meaning(bytes, at);
  }

  #orTooLarge(failure: FailureCode | 'incomplete', start: number, end: number): FailureCode | 'incomplete' {
    return failure === 'incomplete' && end - start >= this.#limits.maxHeadBytes ? 'head_too_large' : failure;
  }

  /** Returns where the fields start. Positions of method and target are kept for `#meaning`. */
  #requestLine(bytes: Buffer, start: number, end: number): number | FailureCode | 'incomplete' {
    let at = start;
    while (((CLASS[bytes[at] ?? 0] ?? 0) & TOKEN) !== 0) at += 1;
    this.#methodEnd = at;
    if (at - start > MAX_METHOD_BYTES) return 'bad_method';
    if (at >= end) return 'incomplete';
    if (at === start || bytes[at] !== SP) return at === start ? 'bad_request_line' : 'bad_method';
    const targetStart = at + 1;
    at = targetStart;
    while (((CLASS[bytes[at] ?? 0] ?? 0) & TARGET) !== 0) at += 1;
    this.#targetEnd = at;
    if (at - targetStart > this.#limits.maxTargetBytes) return 'target_too_long';
    if (at >= end) return 'incomplete';
    if (at === targetStart || bytes[at] !== SP) return 'bad_target';
    return this.#version(bytes, at + 1, end);
  }

  #methodEnd = 0;
  #targetEnd = 0;

  #version(bytes: Buffer, at: number, end: number): number | FailureCode | 'incomplete' {
    if (end - at < 10) return this.#startsVersion(bytes, at, end) ? 'incomplete' : 'bad_request_line';
    const minor = bytes[at + 7];
    if (!this.#startsVersion(bytes, at, at + 5)) return 'bad_request_line';
    if (((CLASS[bytes[at + 5] ?? 0] ?? 0) & DIGIT) === 0 || bytes[at + 6] !== DOT) return 'bad_request_line';
    if (((CLASS[minor ?? 0] ?? 0) & DIGIT) === 0) return 'bad_request_line';
    if (bytes[at + 8] !== CR || bytes[at + 9] !== LF) return 'bad_request_line';
    if (bytes[at + 5] !== ONE || (minor !== ONE && minor !== ZERO)) return 'bad_version';
    this.minorVersion = minor - ZERO;
    return at + 10;
  }

  #startsVersion(bytes: Buffer, at: number, end: number): boolean {
    for (let i = at; i < end && i < at + 5; i++) if (bytes[i] !== HTTP_SLASH[i - at]) return false;
    return true;
  }

  #meaning(bytes: Buffer, start: number): FailureCode | undefined {
    const text = latin1(bytes, start, this.end);
    const fields = this.fields;
    fields.text = text;
    fields.base = start;
    // a constant where it can be: a string made here and kept in an old object costs a write barrier
    this.method = text.startsWith('GET ') ? 'GET' : text.slice(0, this.#methodEnd - start);
    this.keepAlive = this.minorVersion === 1;
    this.bodyLength = 0;
    this.expectContinue = false;
    this.upgrade = '';
    return this.#readHost() ?? this.#readTarget(bytes) ?? this.#readFraming() ?? this.#readOptions();
  }

  /** RFC 9112 §3.2: exactly one Host in HTTP/1.1, at most one in HTTP/1.0, and a valid one. */
  #readHost(): FailureCode | undefined {
    const fields = this.fields;
    if (!fields.has(FIELD_ID.host)) {
      this.#useHost('');
      return this.minorVersion === 1 ? 'bad_host' : undefined;
    }
    if (fields.repeated(FIELD_ID.host)) return 'bad_host';
    const host = fields.first(FIELD_ID.host);
    // most requests name the host that the one before named: its string is kept, and with it what was found of it
    if (host === this.#validHost && host !== '') return undefined;
    if (!HOST.test(host)) return 'bad_host';
    this.#useHost(host);
    return undefined;
  }

  #useHost(host: string): void {
    this.#validHost = host;
    this.host = host;
    this.routeHost = canonicalHost(host);
  }

  #readTarget(bytes: Buffer): FailureCode | undefined {
    this.absolute = false;
    const { text, base } = this.fields;
    let originForm = text.slice(this.#methodEnd + 1 - base, this.#targetEnd - base);
    if (this.method === 'CONNECT') return this.#readAuthority(originForm);
    if (bytes[this.#methodEnd + 1] !== SLASH) {
      if (originForm === '*') {
        this.path = '*';
        this.query = '';
        return this.method === 'OPTIONS' ? undefined : 'bad_target';
      }
      const parts = ABSOLUTE.exec(originForm);
      if (parts === null || !HOST.test(parts[1] ?? '')) return 'bad_target';
      this.absolute = true;
      this.#useHost(parts[1] ?? '');
      originForm = parts[2] ?? '';
      // RFC 9112 §3.2.4: OPTIONS with an absolute-form target without path means `*`
      if (originForm === '' && this.method === 'OPTIONS') originForm = '*';
      else if (!originForm.startsWith('/')) originForm = `/${originForm}`;
    }
    const mark = originForm.indexOf('?');
    this.path = mark < 0 ? originForm : originForm.slice(0, mark);
    this.query = mark < 0 ? '' : originForm.slice(mark);
    return undefined;
  }

  /** Authority-form, for CONNECT only (RFC 9112 §3.2.3). */
  #readAuthority(target: string): FailureCode | undefined {
    this.path = '';
    this.query = '';
    if (!AUTHORITY.test(target)) return 'bad_target';
    // as in absolute-form, what the target names is the host, whatever Host says
    this.#useHost(target);
    return undefined;
  }

  /** RFC 9112 §6: what would let two readers disagree about where the body ends is refused. */
  #readFraming(): FailureCode | undefined {
    const fields = this.fields;
    if (fields.has(FIELD_ID['transfer-encoding'])) {
      if (fields.repeated(FIELD_ID['transfer-encoding'])) return 'bad_transfer_encoding';
      if (fields.tabAfter(FIELD_ID['transfer-encoding'])) return 'bad_transfer_encoding';
      if (fields.has(FIELD_ID['content-length']) || this.minorVersion === 0) return 'bad_transfer_encoding';
      const coding = fields.first(FIELD_ID['transfer-encoding']).toLowerCase();
      this.bodyLength = CHUNKED;
      if (coding === 'chunked') return undefined;
      return CHUNKED_LAST.test(coding) ? 'unknown_transfer_coding' : 'bad_transfer_encoding';
    }
    if (!fields.has(FIELD_ID['content-length'])) return undefined;
    if (fields.repeated(FIELD_ID['content-length'])) return 'bad_content_length';
    const length = parseLength(fields.first(FIELD_ID['content-length']));
    if (length < 0) return 'bad_content_length';
    this.bodyLength = length;
    return undefined;
  }

  #readOptions(): FailureCode | undefined {
    const fields = this.fields;
    if (fields.has(FIELD_ID.connection)) {
      const options = fields.list(FIELD_ID.connection);
      if (options === 'keep-alive') this.keepAlive = true;
      else if (!this.#readConnection(options)) return 'bad_field';
    }
    if (fields.has(FIELD_ID.expect)) {
      if (fields.list(FIELD_ID.expect).toLowerCase() !== '100-continue') return 'bad_expect';
      // RFC 9110 §10.1.1: from an HTTP/1.0 client, and without a body, it is ignored
      this.expectContinue = this.minorVersion === 1 && this.bodyLength !== 0;
    }
    // what follows a CONNECT may be meant for the tunnel that it did not get, and must not be read as a request
    if (this.path === '') this.keepAlive = false;
    return undefined;
  }

  #readConnection(options: string): boolean {
    if (!OPTION_LIST.test(options)) return false;
    const lower = options.toLowerCase();
    if (hasOption(lower, 'close')) this.keepAlive = false;
    else if (hasOption(lower, 'keep-alive')) this.keepAlive = true;
    const { fields } = this;
    if (fields.has(FIELD_ID.upgrade) && hasOption(lower, 'upgrade'))
      this.upgrade = fields.list(FIELD_ID.upgrade);
    return true;
  }
}

const HTTP_SLASH = [H, 0x54, 0x54, 0x50, SLASH];
/** uri-host [":" port], RFC 3986 §3.2.2: a bracketed IP literal or a non-empty reg-name. No userinfo. */
const HOST =
  /^(?:\[[0-9a-fA-F:.]{2,45}\]|(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2}){1,255})(?::[0-9]{0,5})?$/;
const ABSOLUTE = /^https?:\/\/([^/?]*)(.*)$/i;
const AUTHORITY = /^(?:\[[0-9a-fA-F:.]{2,45}\]|[A-Za-z0-9\-._~]{1,255}):[0-9]{1,5}$/;
const CHUNKED_LAST = /(?:^|[ \t,])chunked$/;
const OPTION_LIST = /^[ \t,]*(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+[ \t]*(?:,[ \t,]*|$))*$/;

/** Whether a lower-cased comma-separated list holds `option`. */
export function hasOption(list: string, option: string): boolean {
  if (list === option) return true;
  const at = list.indexOf(option);
  return at >= 0 && list.split(',').some((item) => withoutSpace(item) === option);
}

/** RFC 9110 §5.6.3: OWS is SP and HTAB. `trim` takes more for white space, such as the byte A0, which is not. */
export function withoutSpace(item: string): string {
  return item.replace(/^[ \t]+|[ \t]+$/g, '');
}

/** The value of Content-Length (1*DIGIT, RFC 9110 §8.6), or -1 when it is not one or too large to count exactly. */
export function parseLength(value: string): number {
  if (value.length === 0 || value.length > SAFE_DIGITS) return -1;
  let length = 0;
  for (let i = 0; i < value.length; i++) {
    const digit = value.charCodeAt(i) - ZERO;
    if (digit < 0 || digit > 9) return -1;
    length = length * 10 + digit;
  }
  return length;
}
