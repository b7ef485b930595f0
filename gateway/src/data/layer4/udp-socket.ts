import { createSocket, type RemoteInfo, type Socket, type SocketOptions } from 'node:dgram';
import { getSystemErrorName } from 'node:util';
import type { DirectSends, SendHandle, SendRequest } from './udp-direct-sends.ts';

/** What may wait in front of a socket that the kernel takes nothing for; beyond, datagrams are dropped, as on any wire. */
const MAX_QUEUED_BYTES = 1024 * 1024;

/** Who hears of what comes in. */
export interface DatagramReader {
  onDatagram(bytes: Buffer, from: RemoteInfo): void;
  /**
   * Something went wrong that no call told of: a datagram sent before was refused, say.
   * @param code the system's, e.g. `ECONNREFUSED`
   */
  onSocketError(code: string): void;
}

/** One socket, and sends on it at the price of the system call. */
export class UdpSocket {
  readonly #socket: Socket;
  readonly #sends: DirectSends;
  readonly #handle: SendHandle | undefined;
  readonly #onSent: (error: Error | null) => void;
  // one of each serves every send that the kernel takes at once, which is nearly every one
  readonly #list: Uint8Array[] = [];
  #request: SendRequest | undefined;
  #queues = false;
  #closed = false;

  private constructor(socket: Socket, sends: DirectSends, reader: DatagramReader) {
    this.#socket = socket;
    this.#sends = sends;
    this.#handle = sends.handleOf(socket);
    const onError = (error: Error): void => {
      if (!this.#closed) reader.onSocketError(codeOf(error));
    };
    this.#onSent = (error) => {
      if (error !== null) onError(error);
    };
    socket.on('error', onError);
    socket.on('message', (bytes, from) => reader.onDatagram(bytes, from));
  }

  /**
   * A socket that listens on `host` (an IP address) and `port`.
   * @throws the system's error, e.g. EADDRINUSE
   */
  static listen(
    host: string,
    port: number,
    bufferBytes: number,
    sends: DirectSends,
    reader: DatagramReader,
  ): Promise<UdpSocket> {
    const socket = createSocket({
      type: host.includes(':') ? 'udp6' : 'udp4',
      lookup: asIs,
      // the kernel gives what net.core.rmem_max allows
      recvBufferSize: bufferBytes,
      sendBufferSize: bufferBytes,
    });
    return new Promise((resolve, reject) => {
      const failed = (error: Error): void => {
        socket.close();
        reject(error);
      };
      socket.once('error', failed);
      socket.once('listening', () => {
        socket.off('error', failed);
        resolve(new UdpSocket(socket, sends, reader));
      });
      socket.bind({ address: host, port, exclusive: true });
    });
  }

  /**
   * A socket that exchanges datagrams with one address alone. Ready at once, for nothing has to be looked up.
   * @throws the system's error, e.g. EMFILE; any other where there is no way to that address
   */
  static connect(ip: string, port: number, sends: DirectSends, reader: DatagramReader): UdpSocket {
    const socket = createSocket({ type: ip.includes(':') ? 'udp6' : 'udp4', lookup: asIs });
    let failure: Error | undefined;
    const failed = (error: Error): void => {
      failure ??= error;
    };
    socket.on('error', failed);
    try {
      socket.bind({ port: 0, exclusive: true });
      if (failure === undefined) socket.connect(port, ip);
      // throws where the connect has failed; its own event comes a tick later
      if (failure === undefined) socket.remoteAddress();
    } catch (error) {
      failure ??= error as Error;
    }
    if (failure === undefined) {
      const connected = new UdpSocket(socket, sends, reader);
      socket.off('error', failed);
      return connected;
    }
    socket.close();
    throw failure;
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** The other end of a connected socket, as the kernel writes it. */
  get peer(): { readonly address: string; readonly port: number } {
    return this.#socket.remoteAddress();
  }

  /** Sends on a connected socket. Returns why not, as the system's error code; undefined when all is well as far as is known. */
  send(bytes: Buffer): string | undefined {
    const Request = this.#sends.connected;
    const handle = this.#handle;
    if (Request === undefined || handle === undefined) {
      if (this.#socket.getSendQueueSize() > MAX_QUEUED_BYTES) return 'ENOBUFS';
      const send = (): void => this.#socket.send(bytes, this.#onSent);
      if (handle === undefined) send();
      else this.#sends.watchConnected(handle, bytes, send);
      return undefined;
    }
    if (this.#queues && this.#isFull()) return 'ENOBUFS';
    this.#request ??= new Request();
    this.#list[0] = bytes;
    return this.#settle(handle.send(this.#request, this.#list, 1, false));
  }

  /** The same to whoever is at `ip` and `port`, on a socket that is not connected. */
  sendTo(bytes: Buffer, port: number, ip: string): string | undefined {
    const Request = this.#sends.unconnected;
    const handle = this.#handle;
    if (Request === undefined || handle === undefined) {
      if (this.#socket.getSendQueueSize() > MAX_QUEUED_BYTES) return 'ENOBUFS';
      const send = (): void => this.#socket.send(bytes, port, ip, this.#onSent);
      if (handle === undefined) send();
      else this.#sends.watchUnconnected(handle, bytes, { port, ip }, send);
      return undefined;
    }
    if (this.#queues && this.#isFull()) return 'ENOBUFS';
    this.#request ??= new Request();
    this.#list[0] = bytes;
    return this.#settle(handle.send(this.#request, this.#list, 1, port, ip, false));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.close();
  }

  #settle(result: number): string | undefined {
    if (result < 0) return getSystemErrorName(result);
    if (result === 0 && this.#request !== undefined) {
      // it goes on in the background, and its bytes with it
      this.#request.list = [...this.#list];
      this.#request = undefined;
      this.#queues = true;
    }
    this.#list.length = 0;
    return undefined;
  }

  #isFull(): boolean {
    const queued = this.#socket.getSendQueueSize();
    if (queued === 0) this.#queues = false;
    return queued > MAX_QUEUED_BYTES;
  }
}

/** Every address given to a socket is one: Node would look each up, and only on a later tick. */
const asIs: NonNullable<SocketOptions['lookup']> = (address, _options, done) => {
  done(null, address, address.includes(':') ? 6 : 4);
};

function codeOf(error: Error): string {
  return (error as NodeJS.ErrnoException).code ?? error.name;
}
