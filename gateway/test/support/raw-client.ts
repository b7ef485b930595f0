import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A client that sends exactly the bytes it is told and keeps what comes back. */
export class RawClient {
  readonly socket: Socket;
  received = '';
  ended = false;
  closed = false;
  error: NodeJS.ErrnoException | undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes) => {
      this.received += bytes.toString('latin1');
    });
    socket.on('end', () => {
      this.ended = true;
    });
    socket.on('error', (error) => {
      this.error = error;
    });
    socket.on('close', () => {
      this.closed = true;
    });
  }

  static async open(port: number): Promise<RawClient> {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  send(text: string): this {
    this.socket.write(text, 'latin1');
    return this;
  }

  /** Waits until what was received satisfies `done`; rejects when the connection ends first. */
  async until(done: (received: string) => boolean): Promise<string> {
    while (!done(this.received)) {
      if (this.ended || this.closed)
        throw new Error(`connection ended after ${JSON.stringify(this.received)}`);
      await Promise.race([once(this.socket, 'data'), once(this.socket, 'end'), once(this.socket, 'close')]);
    }
    return this.received;
  }

  /** Waits for text that contains `part`. */
  contains(part: string): Promise<string> {
    return this.until((received) => received.includes(part));
  }

  /** Waits until the gateway has sent FIN or reset the connection; returns all it sent. */
  async end(): Promise<string> {
    while (!this.ended && !this.closed)
      await Promise.race([once(this.socket, 'end'), once(this.socket, 'close')]);
    this.socket.destroy();
    return this.received;
  }
}

/** Sends `text` on a connection of its own and returns everything that comes back until the gateway closes it. */
export async function exchangeRaw(port: number, text: string): Promise<string> {
  const client = await RawClient.open(port);
  return client.send(text).end();
}
