import { createServer, type Server, type Socket } from 'node:net';

/** How many connections may wait to be accepted; Linux caps it at net.core.somaxconn. */
const BACKLOG = 4096;

/** Accepts TCP connections on one address, and hands them over before anything is read of them. */
export class StreamServer {
  readonly #accept: (socket: Socket) => void;
  readonly #acceptFailed: () => void;
  #server: Server | undefined;

  /** @param acceptFailed told of what kept the system from accepting, such as a lack of descriptors */
  constructor(accept: (socket: Socket) => void, acceptFailed: () => void) {
    this.#accept = accept;
    this.#acceptFailed = acceptFailed;
  }

  /** The port in use, while listening. */
  get port(): number | undefined {
    const address = this.#server?.address();
    return typeof address === 'object' ? address?.port : undefined;
  }

  /** Resolves when listening; rejects with the system's error, e.g. EADDRINUSE. */
  listen(host: string, port: number): Promise<void> {
    const server = createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true });
    server.on('connection', this.#accept);
    this.#server = server;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port, backlog: BACKLOG }, () => {
        server.off('error', reject);
        // an error while accepting (out of descriptors) must not end the process; the next accept may succeed
        server.on('error', this.#acceptFailed);
        resolve();
      });
    });
  }

  /** Gives the address up, at once; `listen` may take it again. */
  close(): void {
    this.#server?.close();
  }
}
