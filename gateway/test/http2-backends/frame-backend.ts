import { EventEmitter, once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import type { BackendPlan } from '../../src/data/plan.ts';
import { ACK, END_HEADERS, type Fields, frame, hpack, TYPE, uint32 } from '../http2-clients/frames.ts';
import { backendPlan } from '../support/plans.ts';

const PREFACE_BYTES = 24;

export interface ReceivedFrame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** One connection that the gateway opened, frame by frame. */
export class FrameConnection {
  readonly socket: Socket;
  readonly frames: ReceivedFrame[] = [];
  closed = false;
  /** Whether PING is answered. */
  answersPing = true;
  #rest: Buffer = Buffer.alloc(0);
  #preface = PREFACE_BYTES;

  constructor(socket: Socket, settings: Buffer, onFrame: (frame: ReceivedFrame) => void) {
    this.socket = socket;
    this.send(frame(TYPE.SETTINGS, 0, 0, settings));
    socket.on('data', (bytes: Buffer) => this.#read(bytes, onFrame));
  }

  #read(bytes: Buffer, onFrame: (frame: ReceivedFrame) => void): void {
    let rest = Buffer.concat([this.#rest, bytes]);
    const skipped = Math.min(this.#preface, rest.length);
    this.#preface -= skipped;
    rest = rest.subarray(skipped);
    while (rest.length >= 9) {
      const end = 9 + rest.readUIntBE(0, 3);
      if (rest.length < end) break;
      const stream = rest.readUInt32BE(5) & 0x7fffffff;
      const received = {
        type: rest.readUInt8(3),
        flags: rest.readUInt8(4),
        stream,
        payload: rest.subarray(9, end),
      };
      rest = rest.subarray(end);
      this.frames.push(received);
      const { type, flags, payload } = received;
      if (type === TYPE.SETTINGS && (flags & ACK) === 0) this.send(frame(TYPE.SETTINGS, ACK, 0));
      if (type === TYPE.PING && (flags & ACK) === 0 && this.answersPing)
        this.send(frame(TYPE.PING, ACK, 0, payload));
      onFrame(received);
    }
    this.#rest = rest;
  }

  send(...bytes: Buffer[]): this {
    if (this.socket.writable) this.socket.write(Buffer.concat(bytes));
    return this;
  }

  /** In one HEADERS frame, and CONTINUATION where it is not enough. */
  headers(stream: number, fields: Fields, flags: number = END_HEADERS): this {
    const block = hpack(fields);
    const parts: Buffer[] = [];
    for (let at = 0; at === 0 || at < block.length; at += 16_000) {
      const last = at + 16_000 >= block.length ? END_HEADERS : 0;
      const type = at === 0 ? TYPE.HEADERS : TYPE.CONTINUATION;
      const own = at === 0 ? flags & ~END_HEADERS : 0;
      parts.push(frame(type, own | last, stream, block.subarray(at, at + 16_000)));
    }
    return this.send(...parts);
  }

  data(stream: number, text: string, flags = 0): this {
    return this.send(frame(TYPE.DATA, flags, stream, Buffer.from(text, 'latin1')));
  }

  reset(stream: number, code: number): this {
    return this.send(frame(TYPE.RST_STREAM, 0, stream, uint32(code)));
  }

  goaway(last: number, code = 0): this {
    return this.send(frame(TYPE.GOAWAY, 0, 0, uint32(last, code)));
  }
}

export interface FrameBackend {
  readonly plan: BackendPlan;
  readonly connections: readonly FrameConnection[];
  /** Looks again whenever something arrives or ends. */
  until(done: () => boolean): Promise<void>;
}

/**
 * A backend that speaks HTTP/2 in the clear frame by frame, as the test has it; it ends with the test.
 * @param onRequest called for each HEADERS frame
 * @param settings of the first SETTINGS frame, each an id and a value
 */
export async function startFrameBackend(
  t: TestContext,
  onRequest: (connection: FrameConnection, stream: number) => void,
  settings: readonly (readonly [id: number, value: number])[] = [],
): Promise<FrameBackend> {
  const server = createServer({ noDelay: true });
  const connections: FrameConnection[] = [];
  const heard = new EventEmitter();
  const payload = Buffer.concat(
    settings.map(([id, value]) => Buffer.concat([Buffer.of(0, id), uint32(value)])),
  );
  server.on('connection', (socket) => {
    socket.on('error', () => {});
    const connection = new FrameConnection(socket, payload, ({ type, stream }) => {
      if (type === TYPE.HEADERS) onRequest(connection, stream);
      heard.emit('something');
    });
    connections.push(connection);
    socket.on('close', () => {
      connection.closed = true;
      heard.emit('something');
    });
    heard.emit('something');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const { socket } of connections) socket.destroy();
    server.close();
  });
  return {
    plan: backendPlan((server.address() as AddressInfo).port, { protocol: 'h2c' }),
    connections,
    async until(done) {
      while (!done()) await once(heard, 'something');
    },
  };
}
