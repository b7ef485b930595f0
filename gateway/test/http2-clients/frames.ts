import { EventEmitter, once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

export const TYPE = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const;
export const END_STREAM = 1;
export const END_HEADERS = 4;
export const ACK = 1;

export const ERROR = {
  NO_ERROR: 0,
  PROTOCOL_ERROR: 1,
  INTERNAL_ERROR: 2,
  REFUSED_STREAM: 7,
  CANCEL: 8,
  ENHANCE_YOUR_CALM: 11,
} as const;

const MAX_FRAME = 16_384;
const HEAD_BYTES = 9;
/** What a client says before its first frame. */
export const PREFACE: Buffer = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Buffer = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** An integer of HPACK with a prefix of 7 bits (RFC 7541 §5.1). */
function length7(value: number): Buffer {
  if (value < 127) return Buffer.from([value]);
  const bytes = [127];
  let rest = value - 127;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.from([...bytes, rest]);
}

/** Fields as HPACK literals, never indexed and without Huffman coding: any bytes at all. */
export function hpack(fields: readonly (readonly [string, string])[]): Buffer {
  const parts: Buffer[] = [];
  for (const [name, value] of fields) {
    const bytes = [Buffer.from(name, 'latin1'), Buffer.from(value, 'latin1')];
    parts.push(Buffer.from([0x10]));
    for (const part of bytes) parts.push(length7(part.length), part);
  }
  return Buffer.concat(parts);
}

export type Fields = readonly (readonly [string, string])[];

/** The pseudo-header fields of a request, some of them changed. */
export function request(
  changes: Readonly<Record<string, string | undefined>> = {},
  more: Fields = [],
): Fields {
  const all = { ':method': 'GET', ':scheme': 'http', ':path': '/', ':authority': 'a.example', ...changes };
  const pseudo = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return [...pseudo, ...more];
}

export function uint32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, index * 4);
  return bytes;
}

/** One end of a connection of HTTP/2 that a test has frame by frame. It answers SETTINGS, and keeps what comes. */
export class FrameEnd {
  readonly socket: Socket;
  readonly frames: Frame[] = [];
  closed = false;
  readonly #heard = new EventEmitter();
  #skipBytes: number;
  #rest: Buffer = Buffer.alloc(0);

  /** @param skipBytes of what comes before the first frame */
  constructor(socket: Socket, skipBytes = 0) {
    this.socket = socket;
    this.#skipBytes = skipBytes;
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
      this.#heard.emit('something');
    });
    socket.on('data', (bytes: Buffer) => {
      this.#read(bytes);
      this.#heard.emit('something');
    });
  }

  #read(bytes: Buffer): void {
    let rest = Buffer.concat([this.#rest, bytes]);
    const skipped = Math.min(this.#skipBytes, rest.length);
    this.#skipBytes -= skipped;
    rest = rest.subarray(skipped);
    while (rest.length >= HEAD_BYTES) {
      const end = HEAD_BYTES + rest.readUIntBE(0, 3);
      if (rest.length < end) break;
      const [type, flags, stream] = [rest.readUInt8(3), rest.readUInt8(4), rest.readUInt32BE(5) & 0x7fffffff];
      const received = { type, flags, stream, payload: rest.subarray(HEAD_BYTES, end) };
      rest = rest.subarray(end);
      this.frames.push(received);
      if (type === TYPE.SETTINGS && (flags & ACK) === 0) this.send(frame(TYPE.SETTINGS, ACK, 0));
      this.heard(received);
    }
    this.#rest = rest;
  }

  protected heard(_frame: Frame): void {}

  /** Resolves when a frame has come or the connection has ended. */
  async something(): Promise<void> {
    await once(this.#heard, 'something');
  }

  send(...bytes: Buffer[]): this {
    if (this.socket.writable) this.socket.write(Buffer.concat(bytes));
    return this;
  }

  /** A HEADERS frame, and CONTINUATION where it is not enough. */
  headers(stream: number, fields: Fields, flags: number = END_HEADERS): this {
    const block = hpack(fields);
    if (block.length <= MAX_FRAME) return this.send(frame(TYPE.HEADERS, flags, stream, block));
    this.send(frame(TYPE.HEADERS, flags & ~END_HEADERS, stream, block.subarray(0, MAX_FRAME)));
    for (let at = MAX_FRAME; at < block.length; at += MAX_FRAME) {
      const last = at + MAX_FRAME >= block.length ? END_HEADERS : 0;
      this.send(frame(TYPE.CONTINUATION, last, stream, block.subarray(at, at + MAX_FRAME)));
    }
    return this;
  }

  data(stream: number, text: string, flags = 0): this {
    return this.send(frame(TYPE.DATA, flags, stream, Buffer.from(text, 'latin1')));
  }

  reset(stream: number, code: number = ERROR.CANCEL): this {
    return this.send(frame(TYPE.RST_STREAM, 0, stream, uint32(code)));
  }
}

/** A client that speaks HTTP/2 frame by frame. */
export class FrameClient extends FrameEnd {
  #pongs = 0;

  /** With preface and SETTINGS sent. Ends with the test. */
  static async open(t: TestContext, port: number): Promise<FrameClient> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    t.after(() => socket.destroy());
    await once(socket, 'connect');
    return new FrameClient(socket).send(PREFACE, frame(TYPE.SETTINGS, 0, 0));
  }

  protected override heard({ type, flags }: Frame): void {
    if (type === TYPE.PING && flags === ACK) this.#pongs += 1;
  }

  override headers(stream: number, fields: Fields, flags: number = END_HEADERS | END_STREAM): this {
    return super.headers(stream, fields, flags);
  }

  /** Waits until everything sent so far has been read. */
  async ping(): Promise<void> {
    const before = this.#pongs;
    this.send(frame(TYPE.PING, 0, 0, Buffer.alloc(8)));
    while (this.#pongs === before) {
      if (this.closed) throw new Error('the connection ended');
      await this.something();
    }
  }

  /** Waits until `found` is true of a frame, and returns it; rejects when the connection ends first. */
  async until(found: (frame: Frame) => boolean): Promise<Frame> {
    for (;;) {
      const frame = this.frames.find(found);
      if (frame !== undefined) return frame;
      if (this.closed)
        throw new Error(
          `the connection ended after ${JSON.stringify(this.frames.slice(-9).map(({ type }) => type))}`,
        );
      await this.something();
    }
  }

  /** How the stream ended: the code of RST_STREAM, or `end` for END_STREAM. */
  async ended(stream: number): Promise<number | 'end'> {
    const last = await this.until(
      (frame) =>
        frame.stream === stream &&
        (frame.type === TYPE.RST_STREAM || (frame.type < 2 && (frame.flags & END_STREAM) !== 0)),
    );
    return last.type === TYPE.RST_STREAM ? last.payload.readUInt32BE(0) : 'end';
  }

  /** What GOAWAY said. */
  async goaway(): Promise<{ readonly code: number; readonly last: number }> {
    const { payload } = await this.until(({ type }) => type === TYPE.GOAWAY);
    return { last: payload.readUInt32BE(0), code: payload.readUInt32BE(4) };
  }

  body(stream: number): string {
    return this.frames
      .filter((frame) => frame.type === TYPE.DATA && frame.stream === stream)
      .map(({ payload }) => payload.toString('latin1'))
      .join('');
  }
}
