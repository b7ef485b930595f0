import * as net from 'node:net';
import * as tls from 'node:tls';
import { readDirectly } from './direct-read.ts';
import type { WriteHandle, WriteRequest } from './direct-write.ts';
import { latin1 } from './latin1.ts';
import { EXACT_COPY_BYTES, type ReadBuffers } from './read-buffers.ts';
import { type ReadGate, readSecurely, secureHandleOf } from './tls/secure-handle.ts';
import { SecureWrites, type WritesOwner } from './tls/secure-writes.ts';

/** What stands at the reading end of a wire. Each call is synchronous; bytes are only good until it returns. */
export interface WireReader {
  onConnect(): void;
  /** `bytes[0, length)` arrived. */
  onBytes(bytes: Buffer, length: number): void;
  /** The peer will send no more (FIN). */
  onEnd(): void;
  /** Everything written has left for the kernel. */
  onDrain(): void;
  /** The socket is gone; called exactly once. */
  onClose(error: Error | undefined): void;
}

/** Small enough that one copy into a string is cheaper than a second write. */
const SMALL_BYTES = 8 * 1024;
export interface ConnectOptions {
  readonly host: string;
  readonly port: number;
  /** Left out for plain TCP. */
  readonly tls?: tls.ConnectionOptions;
}

/**
 * One socket: bytes in through a shared buffer, text and bytes out, gathered until `flush` so that a head and a small
 * body leave in one system call.
 */
export class Wire {
  readonly socket: net.Socket;
  readonly #reader: WireReader;
  readonly #buffers: ReadBuffers;
  #text = '';
  /** Set once writes may go past the stream. */
  #handle: WriteHandle | undefined;
  /** What writes go through instead where the socket is secure. */
  #secureWrites: SecureWrites | undefined;
  /** What stops and starts reading where the socket's own pause and resume do not. */
  #gate: ReadGate | undefined;
  /** Writes given to the handle that go on in the background. */
  #inFlight = 0;
  #writable = true;
  #bulk: Buffer | undefined;
  #wantsBulk = false;
  /** Whether it reads into `scant`, having found none to borrow. */
  #scant = false;
  /** Whether a pending write, which holds it, still refers to the borrowed buffer. */
  #dirty = false;
  #paused = false;
  #error: Error | undefined;
  closed = false;
  /** Whether it reached the peer or not. */
  bytesAdded = 0;
  /** Whether a write has failed: the peer takes no more, and a FIN of it afterwards may be a reset that a write has met. */
  broken = false;

  private constructor(
    reader: WireReader,
    buffers: ReadBuffers,
    open: (onread: net.OnReadOpts) => net.Socket,
  ) {
    this.#reader = reader;
    this.#buffers = buffers;
    // a function for `buffer` is asked after each read; undefined from it keeps the buffer in place, which the types do not say
    const next = (() => this.#nextBuffer()) as () => Buffer;
    let first = true;
    const buffer = (): Buffer => {
      if (!first) return next();
      first = false;
      return buffers.shared;
    };
    this.socket = open({ buffer, callback: (length) => this.#onRead(length, this.#bulk ?? buffers.shared) });
    this.socket.on('end', () => reader.onEnd());
    this.socket.on('error', (error) => {
      this.#error = error;
    });
    this.socket.on('close', () => this.#onClose());
  }

  /**
   * Takes over a socket that a server accepted with `pauseOnConnect`, or a secure one.
   * @param initial what has been read from it; the reader gets it as soon as this has returned
   */
  static accept(accepted: net.Socket, reader: WireReader, buffers: ReadBuffers, initial?: Buffer): Wire {
    const wire = Wire.#accepted(accepted, reader, buffers);
    if (initial !== undefined && initial.length > 0) {
      process.nextTick(() => {
        if (!wire.closed) wire.#onRead(initial.length, initial);
      });
    }
    return wire;
  }

  static #accepted(accepted: net.Socket, reader: WireReader, buffers: ReadBuffers): Wire {
    if (accepted instanceof tls.TLSSocket) return Wire.#secure(accepted, reader, buffers);
    // A server cannot be told to accept with `onread`, so the handle moves to a socket that has it. `_handle` is not
    // documented (but as old as net itself); without it the wire reads through 'data' events instead.
    const handle = (accepted as unknown as { _handle?: unknown })._handle;
    if (handle === undefined || handle === null) return Wire.#onData(accepted, reader, buffers);
    const wire = new Wire(reader, buffers, (onread) => {
      const options = { handle, onread, allowHalfOpen: true, readable: true, writable: true };
      return new net.Socket(options as net.SocketConstructorOpts);
    });
    (accepted as unknown as { _handle?: unknown })._handle = null;
    wire.#readDirectly();
    wire.socket.resume();
    return wire;
  }

  static #secure(socket: tls.TLSSocket, reader: WireReader, buffers: ReadBuffers): Wire {
    // an error in a record leaves a secure socket open: its alert is out by now
    socket.on('error', () => socket.destroy());
    const handle = secureHandleOf(socket);
    if (handle === undefined) return Wire.#onData(socket, reader, buffers);
    const wire = new Wire(reader, buffers, () => socket);
    wire.#gate = readSecurely(handle, buffers.shared, (length) => {
      if (!socket.destroyed) wire.#onRead(length, buffers.shared);
    });
    socket.resume();
    return wire;
  }

  static connect(options: ConnectOptions, reader: WireReader, buffers: ReadBuffers): Wire {
    const wire = new Wire(reader, buffers, (onread) => {
      const address = {
        host: options.host,
        port: options.port,
        noDelay: true,
        keepAlive: true,
        allowHalfOpen: true,
      };
      if (options.tls === undefined) {
        return net.connect({ ...address, onread, autoSelectFamily: false }).once('connect', () => {
          wire.#readDirectly();
          reader.onConnect();
        });
      }
      const secure: tls.ConnectionOptions & { onread: net.OnReadOpts } = {
        ...address,
        ...options.tls,
        onread,
      };
      return tls.connect(secure).once('secureConnect', () => reader.onConnect());
    });
    return wire;
  }

  #readDirectly(): void {
    readDirectly(this.socket, (length) => {
      if (this.closed) return undefined;
      this.#onRead(length, this.#bulk ?? this.#buffers.shared);
      return this.#nextBuffer();
    });
  }

  /** The portable way to read, one buffer allocated per read. */
  static #onData(socket: net.Socket, reader: WireReader, buffers: ReadBuffers): Wire {
    const wire = new Wire(reader, buffers, () => socket);
    socket.on('data', (bytes: Buffer) => wire.#onRead(bytes.length, bytes));
    socket.resume();
    return wire;
  }

  get secure(): boolean {
    return this.socket instanceof tls.TLSSocket;
  }

  /** Bytes that the kernel has not taken yet. */
  get pendingBytes(): number {
    if (this.#handle === undefined) return this.#secureWrites?.pendingBytes ?? this.socket.writableLength;
    return this.#inFlight === 0 ? 0 : this.#handle.writeQueueSize;
  }

  /** Adds latin1 text to what the next flush sends. */
  text(text: string): void {
    this.bytesAdded += text.length;
    this.#text += text;
  }

  /** Adds bytes. Of all buffers only the shared one may be overwritten as soon as this returns. */
  bytes(bytes: Buffer, start: number, end: number): void {
    this.bytesAdded += end - start;
    if (end - start <= SMALL_BYTES) {
      this.#text += latin1(bytes, start, end);
      if (this.#text.length > SMALL_BYTES) this.flush();
      return;
    }
    if (bytes !== this.#buffers.shared || this.#secureWrites?.idle === true) {
      this.#writeWithText(bytes.subarray(start, end), undefined);
      return;
    }
    // a slow reader's pending write holds its copy: one of its own size where that is not much to allocate
    if (end - start <= EXACT_COPY_BYTES) {
      this.#writeWithText(Buffer.from(bytes.subarray(start, end)), undefined);
      return;
    }
    const copy = this.#buffers.takeCopy();
    bytes.copy(copy, 0, start, end);
    this.#writeWithText(copy.subarray(0, end - start), copy);
  }

  flush(): void {
    if (this.#text === '') return;
    const text = this.#text;
    this.#text = '';
    if (!this.#writable) return;
    const handle = this.#handle ?? this.#adopt();
    if (handle !== undefined) this.#written(handle.writeLatin1String(null, text));
    else if (this.#secureWrites !== undefined) this.#secureWrites.text(text);
    else this.#writeDocumented(text);
  }

  /** @param copy what `bytes` lie in, to be returned once they have left */
  #writeWithText(bytes: Buffer, copy: Buffer | undefined): void {
    if (!this.#writable) return;
    const handle = this.#handle ?? this.#adopt();
    if (this.#secureWrites !== undefined) {
      this.#secureWrites.textAndBytes(this.#text, bytes, copy);
      this.#text = '';
      return;
    }
    if (handle === undefined) {
      this.flush();
      this.#buffers.hold(bytes);
      this.socket.write(bytes, () => {
        this.#buffers.release(bytes);
        if (copy !== undefined) this.#buffers.returnCopy(copy);
        this.#streamWrote();
      });
      return;
    }
    const text = this.#text;
    this.#text = '';
    if (text === '') this.#written(handle.writeBuffer(null, bytes), bytes, copy);
    else this.#written(handle.writev(null, [text, 'latin1', bytes, 'buffer'], false), bytes, copy);
  }

  /** The handle, once it is known that it can be written to and nothing waits in the stream above it. */
  #adopt(): WriteHandle | undefined {
    if (this.#secureWrites !== undefined) return undefined;
    const { directWrites } = this.#buffers;
    if (directWrites.supported !== true || this.socket.connecting || this.socket.writableLength > 0)
      return undefined;
    this.#handle = directWrites.handleOf(this.socket);
    // the gate shows that it is one of ours, and not a backend's
    const secure = this.#gate === undefined ? undefined : secureHandleOf(this.socket);
    if (secure !== undefined) this.#secureWrites = new SecureWrites(secure, this.#buffers, this.#writesOwner);
    return this.#handle;
  }

  get #writesOwner(): WritesOwner {
    return { wrote: this.#streamWrote, writeFailed: () => this.#writeFailed() };
  }

  #writeDocumented(text: string): void {
    const { directWrites } = this.#buffers;
    if (directWrites.supported === undefined && !this.socket.connecting)
      directWrites.watch(this.socket, text, this.#streamWrote);
    else this.socket.write(text, 'latin1', this.#streamWrote);
  }

  /** Not 'drain', which a stream emits only after more than its high-water mark was waiting. */
  readonly #streamWrote = (): void => {
    if (!this.closed && this.pendingBytes === 0 && this.#inFlight === 0) this.#reader.onDrain();
  };

  #written(result: number | WriteRequest, bytes?: Buffer, copy?: Buffer): void {
    if (typeof result === 'number') {
      if (copy !== undefined) this.#buffers.returnCopy(copy);
      if (result !== 0) this.#writeFailed();
      return;
    }
    this.#inFlight += 1;
    result.buffer = bytes;
    if (bytes !== undefined) this.#buffers.hold(bytes);
    const completed = (status: number): void => {
      if (bytes !== undefined) this.#buffers.release(bytes);
      if (copy !== undefined) this.#buffers.returnCopy(copy);
      this.#completed(status);
    };
    result.oncomplete = completed;
    if (result.writeStatus !== null) completed(result.writeStatus);
  }

  #completed(status: number): void {
    this.#inFlight -= 1;
    if (this.closed) return;
    if (status !== 0) this.#writeFailed();
    else if (this.#inFlight === 0) this.#reader.onDrain();
  }

  /**
   * The peer takes no more. What it sent before may still be there to read (an early answer to an upload, say), so the end
   * is left to the reading side where that is still open.
   */
  #writeFailed(): void {
    this.#writable = false;
    this.broken = true;
    if (this.socket.readableEnded) this.socket.destroy();
    // paused with a buffer of its own, a write to the other side may still refer to that: who paused it will resume it
    else if (this.#bulk === undefined) this.resume();
  }

  /**
   * Reads of this wire get a large buffer of their own from the next read on. Not those of TLS: its records are small, and
   * what is decrypted already is read even after a pause, over what a pending write refers to.
   */
  startBulk(): void {
    this.#wantsBulk = !this.secure;
  }

  /** @param settled whether no pending write refers to the borrowed buffer any more */
  stopBulk(settled: boolean): void {
    this.#wantsBulk = false;
    if (!settled) this.#dirty = true;
  }

  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    if (this.#gate === undefined) this.socket.pause();
    else if (!this.socket.destroyed) this.#gate.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#gate === undefined) this.socket.resume();
    else if (!this.socket.destroyed) this.#gate.resume();
  }

  /** Sends what was added, then FIN. */
  end(): void {
    this.#finish(() => this.socket.end());
  }

  /** Closes both directions now; what the kernel has taken is still delivered. */
  destroy(): void {
    this.#writable = false;
    this.socket.destroy();
  }

  /** Closes both directions when what was added has left. */
  destroySoon(): void {
    this.#finish(() => this.socket.destroySoon());
  }

  #finish(close: () => void): void {
    this.flush();
    this.#writable = false;
    // the stream knows nothing of writes past it; a socket in the clear has the kernel to keep their order
    if (this.#secureWrites === undefined) close();
    else this.#secureWrites.finish(close);
  }

  /** Closes with RST, so that the peer cannot take what it got for a complete answer. */
  reset(): void {
    this.#writable = false;
    // where FIN is on its way, node:net can neither reset nor close the handle any more, which is then there for ever (26.10)
    if (this.secure || this.socket.writableEnded) this.socket.destroy();
    else this.socket.resetAndDestroy();
  }

  #onRead(length: number, bytes: Buffer): boolean {
    if (length < bytes.length) bytes[length] = 0;
    // read after stopBulk, so nobody will say whether what becomes of it has settled
    if (bytes === this.#bulk && !this.#wantsBulk) this.#dirty = true;
    this.#reader.onBytes(bytes, length);
    return !this.#paused;
  }

  #nextBuffer(): Buffer | undefined {
    if (this.#wantsBulk === (this.#bulk !== undefined) && !this.#dirty && !this.#scant) return undefined;
    this.#returnBulk();
    if (this.#wantsBulk) this.#bulk = this.#buffers.borrow();
    this.#scant = this.#wantsBulk && this.#bulk === undefined;
    return this.#scant ? this.#buffers.scant : (this.#bulk ?? this.#buffers.shared);
  }

  #returnBulk(): void {
    if (this.#bulk !== undefined) this.#buffers.release(this.#bulk);
    this.#dirty = false;
    this.#bulk = undefined;
  }

  #onClose(): void {
    this.closed = true;
    this.#writable = false;
    this.#returnBulk();
    this.#secureWrites?.close();
    this.#reader.onClose(this.#error);
  }
}
