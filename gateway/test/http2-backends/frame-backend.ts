import { EventEmitter, once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import type { BackendPlan } from '../../src/data/plan.ts';
import { ACK, type Frame, FrameEnd, frame, PREFACE, TYPE, uint32 } from '../http2-clients/frames.ts';
import { backendPlan } from '../support/plans.ts';

/** One connection that the gateway opened, frame by frame. */
export class FrameConnection extends FrameEnd {
  /** Whether PING is answered. */
  answersPing = true;
  readonly #onFrame: (frame: Frame) => void;

  constructor(socket: Socket, settings: Buffer, onFrame: (frame: Frame) => void) {
    super(socket, PREFACE.length);
    this.#onFrame = onFrame;
    this.send(frame(TYPE.SETTINGS, 0, 0, settings));
  }

  protected override heard(received: Frame): void {
    const { type, flags, payload } = received;
    if (type === TYPE.PING && (flags & ACK) === 0 && this.answersPing)
      this.send(frame(TYPE.PING, ACK, 0, payload));
    this.#onFrame(received);
  }

  goaway(last: number, code = 0): this {
    return this.send(frame(TYPE.GOAWAY, 0, 0, uint32(last, code)));
  }
}

export interface FrameBackend {
  readonly plan: BackendPlan;
  readonly connections: readonly FrameConnection[];
  /** How many frames of a type have come, with these flags or with any. */
  count(type: number, flags?: number): number;
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
    const connection = new FrameConnection(socket, payload, ({ type, stream }) => {
      if (type === TYPE.HEADERS) onRequest(connection, stream);
      heard.emit('something');
    });
    connections.push(connection);
    socket.on('close', () => heard.emit('something'));
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
    count: (type, flags) =>
      connections
        .flatMap(({ frames }) => frames)
        .filter((one) => one.type === type && (flags ?? one.flags) === one.flags).length,
    async until(done) {
      while (!done()) await once(heard, 'something');
    },
  };
}
