import type { Socket } from 'node:net';
import * as tls from 'node:tls';
import type { ListenerTlsPlan } from '../plan.ts';
import { serverOptions, type TlsOptions } from './server-options.ts';

/** Turns accepted sockets into secure ones, by one set of settings. */
export class TlsAcceptor {
  /** Listens nowhere: connections are brought to it, which is what its `connection` event is documented for. */
  readonly #server: tls.Server;
  /** What waits for the handshake of a connection, by the addresses of its ends. */
  readonly #underWay = new Map<string, (socket: tls.TLSSocket) => void>();

  /** @throws Error when a certificate, its key or the client authority is unfit */
  constructor(plan: ListenerTlsPlan, options: TlsOptions) {
    this.#server = tls.createServer(serverOptions(plan, options));
    this.#server.on('secureConnection', (socket) => this.#succeeded(socket));
    // by then the alert is out, and the socket closes or must be closed
    this.#server.on('tlsClientError', (_error, socket) => socket.destroy());
  }

  /**
   * Does the handshake, then calls `succeeded`. When it fails the client gets the alert that says why, and `socket` closes.
   * Bytes put back into `socket` come first.
   */
  accept(socket: Socket, succeeded: (secure: tls.TLSSocket) => void): void {
    const ends = endsOf(socket);
    this.#underWay.set(ends, succeeded);
    socket.once('close', () => {
      if (this.#underWay.get(ends) === succeeded) this.#underWay.delete(ends);
    });
    // a FIN before the handshake is over is the end of it
    socket.allowHalfOpen = false;
    this.#server.emit('connection', socket);
  }

  #succeeded(socket: tls.TLSSocket): void {
    const ends = endsOf(socket);
    const succeeded = this.#underWay.get(ends);
    this.#underWay.delete(ends);
    if (succeeded === undefined) {
      socket.destroy();
      return;
    }
    socket.allowHalfOpen = true;
    succeeded(socket);
  }
}

function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
