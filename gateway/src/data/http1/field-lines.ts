import { CLASS, COLON, CR, FIELD, HTAB, LF, SP, TOKEN } from './characters.ts';
import { FIELD_ID, type FieldId, fieldId } from './field-names.ts';

const UNDERSCORE = 0x5f;

/** What parsing met at the end of the bytes it was given. */
export type ParseEnd = 'complete' | 'incomplete' | 'malformed' | 'too-many';

/**
 * The field lines of one head, as positions in its bytes and its text: RFC 9112 §5, read literally. One instance is
 * filled again and again; what must outlive the call is copied out of it.
 *
 * The bytes must be followed by one byte that is in no class (a NUL at `bytes[end]`), so that the inner loops
 * need no bounds check.
 */
export class FieldLines {
  count = 0;
  /** The head as latin1 text; positions are the same as in the bytes, less `base`. */
  text = '';
  base = 0;
  /** Position after the empty line. */
  end = 0;
  readonly lineStart: Int32Array;
  readonly nameEnd: Int32Array;
  readonly valueStart: Int32Array;
  readonly valueEnd: Int32Array;
  readonly lineEnd: Int32Array;
  readonly ids: Uint8Array;
  /** For each id that is there, the index of its first field. */
  readonly #first = new Uint16Array(32);
  /** Bit n is set when a field with id n is there (ids above 31 do not exist). */
  seen = 0;
  /** Whether a tab stands where a space is usual: then no line is taken for canonical. */
  #tabbed = false;
  readonly #capacity: number;

  /** @param capacity most fields it can hold; more are 'too-many' */
  constructor(capacity: number) {
    this.#capacity = capacity;
    this.lineStart = new Int32Array(capacity);
    this.nameEnd = new Int32Array(capacity);
    this.valueStart = new Int32Array(capacity);
    this.valueEnd = new Int32Array(capacity);
    this.lineEnd = new Int32Array(capacity);
    this.ids = new Uint8Array(capacity);
  }

  /** Reads field lines from `start` up to and with the empty line. */
  parse(bytes: Uint8Array, start: number, end: number): ParseEnd {
    this.count = 0;
    this.seen = 0;
    this.#tabbed = false;
    // what stands before the fields is cut out up to here, also when there are none
    this.lineStart[0] = start;
    let at = start;
    for (;;) {
      if (at >= end) return 'incomplete';
      if (bytes[at] === CR) {
        if (at + 1 >= end) return 'incomplete';
        if (bytes[at + 1] !== LF) return 'malformed';
        this.end = at + 2;
        return 'complete';
      }
      if (this.count >= this.#capacity) return 'too-many';
      const next = this.#line(bytes, at, end);
      if (next < 0) return next === INCOMPLETE ? 'incomplete' : 'malformed';
      at = next;
    }
  }

  value(index: number): string {
    const base = this.base;
    return this.text.slice((this.valueStart[index] ?? 0) - base, (this.valueEnd[index] ?? 0) - base);
  }

  name(index: number): string {
    const base = this.base;
    return this.text.slice((this.lineStart[index] ?? 0) - base, (this.nameEnd[index] ?? 0) - base);
  }

  has(id: FieldId): boolean {
    return (this.seen & (1 << id)) !== 0;
  }

  /** The first field with that id, or -1. */
  indexOf(id: FieldId): number {
    return this.has(id) ? (this.#first[id] ?? 0) : -1;
  }

  /** The value of the first field with that id; empty when there is none. */
  first(id: FieldId): string {
    return this.has(id) ? this.value(this.#first[id] ?? 0) : '';
  }

  /** Whether more than one field has that id. */
  repeated(id: FieldId): boolean {
    if (!this.has(id)) return false;
    for (let i = (this.#first[id] ?? 0) + 1; i < this.count; i++) if (this.ids[i] === id) return true;
    return false;
  }

  /** The values of every field with that id as one list (RFC 9110 §5.3). */
  list(id: FieldId): string {
    if (!this.has(id)) return '';
    const first = this.#first[id] ?? 0;
    let all = this.value(first);
    for (let i = first + 1; i < this.count; i++) if (this.ids[i] === id) all += `, ${this.value(i)}`;
    return all;
  }

  /** The text from position `from` of `text` up to line `index`, or to the last line's end. */
  textBetween(from: number, index: number): string {
    const until = index === 0 ? (this.lineStart[0] ?? 0) : (this.lineEnd[index - 1] ?? 0);
    return this.text.slice(from, Math.max(from, until - this.base));
  }

  /** Position in `text` after line `index`. */
  textAfter(index: number): number {
    return (this.lineEnd[index] ?? 0) - this.base;
  }

  /** Whether the line reads `name: value` with exactly one space and can be sent on as it came. */
  canonical(index: number): boolean {
    return (
      !this.#tabbed &&
      this.valueStart[index] === (this.nameEnd[index] ?? 0) + 2 &&
      this.lineEnd[index] === (this.valueEnd[index] ?? 0) + 2
    );
  }

  /** Whether a tab follows the value of the first field with that id: white space that not every reader takes there. */
  tabAfter(id: FieldId): boolean {
    const index = this.indexOf(id);
    if (index < 0) return false;
    const { text, base } = this;
    return text.slice((this.valueEnd[index] ?? 0) - base, (this.lineEnd[index] ?? 0) - base).includes('\t');
  }

  #line(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    let underscore = false;
    for (;;) {
      const byte = bytes[at] ?? 0;
      if (((CLASS[byte] ?? 0) & TOKEN) === 0) break;
      if (byte === UNDERSCORE) underscore = true;
      at += 1;
    }
    // no space before the colon, no line that starts with one (obs-fold), no line without a colon: RFC 9112 §5.1, §5.2
    if (bytes[at] !== COLON || at === start) return at >= end ? INCOMPLETE : MALFORMED;
    if (at >= end) return INCOMPLETE;
    const nameEnd = at;
    at += 1;
    if (bytes[at] === SP) at += 1;
    else if (bytes[at] === HTAB) this.#tabbed = true;
    while (bytes[at] === SP || bytes[at] === HTAB) at += 1;
    const valueStart = at;
    while (((CLASS[bytes[at] ?? 0] ?? 0) & FIELD) !== 0) at += 1;
    if (at + 1 >= end) return at >= end || bytes[at] === CR ? INCOMPLETE : MALFORMED;
    if (bytes[at] !== CR || bytes[at + 1] !== LF) return MALFORMED;
    let valueEnd = at;
    while (valueEnd > valueStart && (bytes[valueEnd - 1] === SP || bytes[valueEnd - 1] === HTAB))
      valueEnd -= 1;
    const index = this.count;
    const id = fieldId(bytes, start, nameEnd, underscore);
    this.lineStart[index] = start;
    this.nameEnd[index] = nameEnd;
    this.valueStart[index] = valueStart;
    this.valueEnd[index] = valueEnd;
    this.lineEnd[index] = at + 2;
    this.ids[index] = id;
    if (id !== FIELD_ID.other && (this.seen & (1 << id)) === 0) {
      this.seen |= 1 << id;
      this.#first[id] = index;
    }
    this.count = index + 1;
    return at + 2;
  }
}

const INCOMPLETE = -1;
const MALFORMED = -2;
