import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

/** A way to a port on this machine that can be blocked without a word. */
export class TcpProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Which connections nothing comes through, in either direction; new connections are taken all the same. */
  blackholes: (sentByClient: string) => boolean = () => false;

  private constructor(server: Server, target: number) {
    this.#server = server;
    server.on('connection', (client) => {
      const upstream = connect(target, '127.0.0.1');
      let sent = '';
      for (const [from, to] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        this.#sockets.add(from);
        from.on('error', () => {});
        from.on('data', (bytes) => {
          if (from === client) sent = (sent + bytes.toString('latin1')).slice(-10_000);
          if (!this.blackholes(sent)) to.write(bytes);
        });
        from.on('close', () => {
          this.#sockets.delete(from);
          to.destroy();
        });
      }
    });
  }

  static async start(t: TestContext, target: number): Promise<TcpProxy> {
    const server = createServer();
    const proxy = new TcpProxy(server, target);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => {
      server.close();
      for (const socket of proxy.#sockets) socket.destroy();
    });
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }
}
