import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** One connection that the gateway opened. */
export interface RawConnection {
  readonly socket: Socket;
  /** Everything received on it. */
  received: string;
  ended: boolean;
  closed: boolean;
}

/** A backend that sends exactly the bytes a test tells it. */
export class RawBackend {
  readonly connections: RawConnection[] = [];
  readonly #server: Server;

  private constructor(
    server: Server,
    onData: (connection: RawConnection, data: string, backend: RawBackend) => void,
  ) {
    this.#server = server;
    server.on('connection', (socket) => {
      const connection: RawConnection = { socket, received: '', ended: false, closed: false };
      this.connections.push(connection);
      socket.on('error', () => {});
      socket.on('data', (bytes) => {
        const data = bytes.toString('latin1');
        connection.received += data;
        onData(connection, data, this);
        server.emit('portway-data');
      });
      socket.on('end', () => {
        connection.ended = true;
        server.emit('portway-data');
      });
      socket.on('close', () => {
        connection.closed = true;
        server.emit('portway-data');
      });
      server.emit('portway-data');
    });
  }

  /** @param onData called with each read; answers, or not, as the test wants */
  static async start(
    onData: (connection: RawConnection, data: string, backend: RawBackend) => void = () => {},
    port = 0,
  ): Promise<RawBackend> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    const backend = new RawBackend(server, onData);
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return backend;
  }

  /** Answers every request that has no body with `response`. */
  static answering(response: string): Promise<RawBackend> {
    return RawBackend.start((connection, data) => {
      if (data.endsWith('\r\n\r\n')) connection.socket.write(response, 'latin1');
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** All bytes of all connections. */
  get received(): string {
    return this.connections.map(({ received }) => received).join('');
  }

  /** Waits until `done` holds, looking again whenever anything happens on any connection. */
  async until(done: (backend: RawBackend) => boolean): Promise<void> {
    while (!done(this)) await once(this.#server, 'portway-data');
  }

  /** Stops listening and ends every connection. */
  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      for (const { socket } of this.connections) socket.destroy();
    });
  }
}
