import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { Llhttp, type LlhttpMessage } from './llhttp.ts';

/** What a backend that reads with llhttp was sent since the last `reset`. */
export class StreamBackend {
  /** Whole requests, in the order they were completed. */
  readonly seen: LlhttpMessage[] = [];
  /** What llhttp refused. */
  readonly faults: string[] = [];
  /** Answers `/fuzz`; undefined: every request is answered with what it was. */
  script: ((socket: Socket) => void) | undefined;
  /** Whether another request came on the connection that `script` had. */
  reused = false;
  #scripted: Socket | undefined;
  readonly #server: Server;
  readonly #oracle = new Llhttp('request');
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket) => this.#accept(socket));
  }

  static async start(): Promise<StreamBackend> {
    const server = createServer({ noDelay: true });
    const backend = new StreamBackend(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return backend;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  reset(): void {
    this.reused = false;
    this.#scripted = undefined;
    this.seen.length = 0;
    this.faults.length = 0;
  }

  stop(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #accept(socket: Socket): void {
    let received: Buffer = Buffer.alloc(0);
    let answered = 0;
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('data', (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
      const { messages, error } = this.#oracle.read(received, 0, [], received.length);
      if (error !== undefined) {
        this.faults.push(`${error} in ${JSON.stringify(received.toString('latin1'))}`);
        socket.destroy();
        return;
      }
      const whole = messages.filter(({ complete }) => complete);
      for (const message of whole.slice(answered)) this.#answer(socket, message);
      answered = whole.length;
      if (whole.length < messages.length) return;
      received = Buffer.alloc(0);
      answered = 0;
    });
  }

  #answer(socket: Socket, message: LlhttpMessage): void {
    this.seen.push(message);
    if (message.target === '/fuzz' && this.script !== undefined) {
      this.#scripted = socket;
      this.script(socket);
      return;
    }
    if (socket === this.#scripted) this.reused = true;
    const body = message.method === 'HEAD' ? '' : `${message.method} ${message.body.length}`;
    const length = message.method === 'HEAD' ? 7 : body.length;
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n${body}`, 'latin1');
  }
}
