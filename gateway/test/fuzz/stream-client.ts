import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import type { Random } from './random.ts';

/** Longer than anything here takes, shorter than the gateway's own deadlines: what is silent for so long hangs. */
const SILENCE_MS = 5_000;
const MAX_PIECES = 12;

/** A client that sends text in random pieces and waits for what it is told to. */
export class StreamClient {
  received = '';
  closed = false;
  readonly #socket: Socket;
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (bytes) => {
      this.received += bytes.toString('latin1');
      this.#wake();
    });
    socket.on('error', () => {});
    socket.on('end', () => this.#close());
    socket.on('close', () => this.#close());
  }

  #close(): void {
    this.closed = true;
    this.#wake();
  }

  static async open(port: number): Promise<StreamClient> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    await once(socket, 'connect');
    return new StreamClient(socket);
  }

  send(text: string, random: Random): Promise<void> {
    return sendPieces(this.#socket, text, random);
  }

  /** Waits until `done`, or until the connection ends. False when neither happens. */
  until(done: (received: string) => boolean): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), SILENCE_MS);
      this.#wake = () => {
        if (!this.closed && !done(this.received)) return;
        clearTimeout(timer);
        this.#wake = () => {};
        resolve(true);
      };
      this.#wake();
    });
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

/** Writes text in a few pieces, a turn of the loop apart so that most arrive as reads of their own. */
export async function sendPieces(socket: Socket, text: string, random: Random): Promise<void> {
  let at = 0;
  for (let piece = random.below(MAX_PIECES); piece > 0 && at < text.length; piece--) {
    const until = at + 1 + random.below(random.oneIn(2) ? 8 : text.length - at);
    if (socket.destroyed) return;
    socket.write(text.slice(at, until), 'latin1');
    at = until;
    await turn();
  }
  if (at < text.length && !socket.destroyed) socket.write(text.slice(at), 'latin1');
}
