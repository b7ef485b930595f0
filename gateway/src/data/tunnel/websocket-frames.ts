/** The second byte of a frame (RFC 6455 §5.2). */
const MASKED = 0x80;
const LENGTH = 0x7f;
const LENGTH_16 = 126;
const FINAL = 0x80;
const OPCODE = 0x0f;
const CLOSE = 0x8;
const MAX_CONTROL_BYTES = 125;
const MASK_BYTES = 4;
/** The opcodes that there are, one bit each; the others are reserved. */
const DEFINED = (1 << 0x0) | (1 << 0x1) | (1 << 0x2) | (1 << 0x8) | (1 << 0x9) | (1 << 0xa);

const HELD = -1;
const BROKEN = -2;

/**
 * Where the frames of a WebSocket begin and end, in one direction (RFC 6455 §5.2). It reads their headers and counts what
 * is in them: nothing is unmasked or copied, and what belongs to extensions (reserved bits, compressed payload) or to
 * messages (fragments, text that is no UTF-8) is left to the ends.
 *
 * A header that is split over two reads is held back until it is whole, so that what has been passed on never ends in the
 * middle of one.
 */
export class WebSocketFrames {
  /** `closed`: its Close frame has been read, and what follows means nothing (§1.4); `broken`: it is no WebSocket. */
  state: 'open' | 'closed' | 'broken' = 'open';
  readonly #mask: number;
  /** Bytes of the frame under way that are still to come. */
  #left = 0;
  /** Whether no frame follows the one under way. */
  #last = false;
  #held: Buffer | undefined = undefined;

  /** @param sender §5.1: a client masks what it sends, a server does not */
  constructor(sender: 'client' | 'server') {
    this.#mask = sender === 'client' ? MASKED : 0;
  }

  /** Whether what has been passed on ends with a frame: another one may be put in here. */
  get atBoundary(): boolean {
    return this.#left === 0;
  }

  /** Whether the beginning of a header was held back: `joined` puts it before what comes next. */
  get holds(): boolean {
    return this.#held !== undefined;
  }

  joined(bytes: Buffer, start: number, end: number): Buffer {
    const held = this.#held;
    this.#held = undefined;
    const more = bytes.subarray(start, end);
    return held === undefined ? more : Buffer.concat([held, more]);
  }

  /**
   * Reads `bytes[start, end)`; returns how far they may be passed on: to the end, or to where a header is held back, a
   * Close frame has ended, or something stands that is no frame.
   */
  read(bytes: Buffer, start: number, end: number): number {
    let at = start + this.#left;
    for (;;) {
      if (at > end) {
        this.#left = at - end;
        return end;
      }
      if (this.#last) return this.#endAt(at);
      if (at === end) break;
      const next = this.#frameEnd(bytes, at, end);
      if (next < 0) {
        if (next === BROKEN) this.#break();
        break;
      }
      at = next;
    }
    this.#left = 0;
    return at;
  }

  /** Reads on only to the end of the frame under way; returns where it is, or `end`. */
  readFrame(start: number, end: number): number {
    const at = Math.min(end, start + this.#left);
    this.#left -= at - start;
    return this.#left === 0 && this.#last ? this.#endAt(at) : at;
  }

  #endAt(at: number): number {
    this.#left = 0;
    if (this.state === 'open') this.state = 'closed';
    return at;
  }

  #break(): void {
    this.state = 'broken';
    this.#last = true;
  }

  /** Where the frame that begins at `at` ends, which may be beyond `end`; HELD or BROKEN. */
  #frameEnd(bytes: Buffer, at: number, end: number): number {
    const room = end - at;
    if (room < 2) return this.#hold(bytes, at, end);
    const first = bytes[at] ?? 0;
    const second = bytes[at + 1] ?? 0;
    const opcode = first & OPCODE;
    const length = second & LENGTH;
    if ((second & MASKED) !== this.#mask || ((DEFINED >> opcode) & 1) === 0) return BROKEN;
    const headBytes = this.#mask === 0 ? 2 : 2 + MASK_BYTES;
    if (opcode >= CLOSE) {
      // §5.5: control frames are short and in one piece
      if (length > MAX_CONTROL_BYTES || (first & FINAL) === 0) return BROKEN;
      if (room < headBytes) return this.#hold(bytes, at, end);
      if (opcode === CLOSE) this.#last = true;
    } else if (length >= LENGTH_16) return this.#longFrameEnd(bytes, at, end, length, headBytes);
    return room < headBytes ? this.#hold(bytes, at, end) : at + headBytes + length;
  }

  #longFrameEnd(bytes: Buffer, at: number, end: number, kind: number, headBytes: number): number {
    const wholeBytes = headBytes + (kind === LENGTH_16 ? 2 : 8);
    if (end - at < wholeBytes) return this.#hold(bytes, at, end);
    if (kind === LENGTH_16) return at + wholeBytes + bytes.readUInt16BE(at + 2);
    // the top bit of a 64-bit length must be 0; beyond 2^53 the count is not exact, and nobody will ever see its end
    const high = bytes.readUInt32BE(at + 2);
    return high > 0x7fffffff ? BROKEN : at + wholeBytes + high * 0x1_0000_0000 + bytes.readUInt32BE(at + 6);
  }

  #hold(bytes: Buffer, at: number, end: number): number {
    // not from the pool: a few bytes would keep 8 KiB of it alive
    this.#held = Buffer.allocUnsafeSlow(end - at);
    bytes.copy(this.#held, 0, at, end);
    return HELD;
  }
}

/** What a Close frame says (RFC 6455 §7.4.1; 1012: registered with IANA). */
export const GOING_AWAY = 1001;
export const PROTOCOL_ERROR = 1002;
export const SERVICE_RESTART = 1012;

/**
 * A Close frame without a reason, as latin1 text.
 * @param mask the masking key (32 bits), for a frame to a server
 */
export function closeFrame(code: number, mask: number | undefined): string {
  if (mask === undefined) return String.fromCharCode(FINAL | CLOSE, 2, code >> 8, code & 0xff);
  const key = keyBytes(mask);
  const [first = 0, second = 0] = key;
  return String.fromCharCode(FINAL | CLOSE, MASKED | 2, ...key, (code >> 8) ^ first, (code & 0xff) ^ second);
}

/** A Ping frame without payload, as latin1 text. */
export function pingFrame(mask: number | undefined): string {
  return mask === undefined
    ? String.fromCharCode(FINAL | 0x9, 0)
    : String.fromCharCode(FINAL | 0x9, MASKED, ...keyBytes(mask));
}

function keyBytes(mask: number): readonly number[] {
  return [mask >>> 24, (mask >>> 16) & 0xff, (mask >>> 8) & 0xff, mask & 0xff];
}
