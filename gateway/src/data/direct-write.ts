import * as net from 'node:net';

/**
 * The part of a socket's handle that Node itself writes through. Not documented: see {@link DirectWrites} for how it is
 * made sure of.
 */
export interface WriteHandle {
  readonly writeQueueSize: number;
  /** 0 when the kernel took all of it, a libuv error number, or the request that goes on in the background. */
  writeLatin1String(request: null, text: string): number | WriteRequest;
  writeBuffer(request: null, bytes: Uint8Array): number | WriteRequest;
  writev(request: null, chunks: readonly (string | Uint8Array)[], allBuffers: boolean): number | WriteRequest;
}

export interface WriteRequest {
  oncomplete: (status: number) => void;
  /** Keeps the bytes alive until they have left. */
  buffer: unknown;
  /** The result, when it is there already. */
  writeStatus: number | null;
}

/**
 * Whether sockets may be written to through their handles, past the Writable machinery: a Writable's write costs about
 * 1.5 µs more (bookkeeping and a tick callback for each), twice a request.
 *
 * The handle's methods are Node's own affair, and in some versions take a request object where later ones take null. So
 * nothing is called on trust: the first write goes the documented way, and is watched.
 */
export class DirectWrites {
  #supported: boolean | undefined;

  /** Undefined until a write has been watched. */
  get supported(): boolean | undefined {
    return this.#supported;
  }

  /** The handle of `socket`, when it is plain TCP. */
  handleOf(socket: net.Socket): WriteHandle | undefined {
    const handle = (socket as unknown as { _handle?: Partial<WriteHandle> | null })._handle;
    if (handle === undefined || handle === null || Object.getPrototypeOf(socket) !== net.Socket.prototype)
      return undefined;
    return typeof handle.writeQueueSize === 'number' ? (handle as WriteHandle) : undefined;
  }

  /** Writes `text` the documented way and notes how Node does it. */
  watch(socket: net.Socket, text: string, written: () => void): void {
    const handle = this.handleOf(socket);
    if (handle === undefined) {
      socket.write(text, 'latin1', written);
      return;
    }
    const original = handle.writeLatin1String;
    this.#supported = false;
    handle.writeLatin1String = (request: unknown, ...rest: [string]) => {
      const result = original.call(handle, request as null, ...rest);
      this.#supported = request === null && (typeof result === 'number' || typeof result === 'object');
      return result;
    };
    socket.write(text, 'latin1', written);
    handle.writeLatin1String = original;
  }
}
