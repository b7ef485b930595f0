import type { WriteHandle, WriteRequest } from '../direct-write.ts';
import type { ReadBuffers } from '../read-buffers.ts';
import type { SecureHandle } from './secure-handle.ts';

export interface WritesOwner {
  /** Nothing is under way any more. */
  wrote(): void;
  writeFailed(): void;
}

interface Held {
  readonly bytes: Buffer;
  /** What `bytes` lie in, to be returned then. */
  readonly copy: Buffer | undefined;
}

/**
 * Writes to the handle of a secure socket, past the Writable machinery. Such a handle ends the process when it is given a
 * second write before the first is complete, and a write is complete at the next turn of the event loop at the earliest: what
 * comes meanwhile is gathered, and leaves as one.
 */
export class SecureWrites {
  readonly #handle: WriteHandle;
  readonly #transport: SecureHandle['_parent'];
  readonly #buffers: ReadBuffers;
  readonly #owner: WritesOwner;
  #underWay = false;
  /** What waits: chunks with their encodings, and the text after the last of them. */
  #chunks: (string | Buffer)[] = [];
  #text = '';
  #waitingBytes = 0;
  readonly #held: Held[] = [];
  #whenIdle: (() => void) | undefined;
  readonly #complete = (status: number): void => this.#completed(status);

  constructor(handle: SecureHandle, buffers: ReadBuffers, owner: WritesOwner) {
    this.#handle = handle;
    this.#transport = handle._parent;
    this.#buffers = buffers;
    this.#owner = owner;
  }

  /** Whether bytes are encrypted as soon as they are given, so that their buffer may be overwritten. */
  get idle(): boolean {
    return !this.#underWay;
  }

  /** Bytes that the kernel has not taken yet. */
  get pendingBytes(): number {
    return this.#underWay ? this.#transport.writeQueueSize + this.#waitingBytes : 0;
  }

  text(text: string): void {
    this.#text += text;
    if (this.#underWay) this.#waitingBytes += text.length;
    else this.#send();
  }

  /** @param copy what `bytes` lie in, to be returned once they are encrypted */
  textAndBytes(text: string, bytes: Buffer, copy: Buffer | undefined): void {
    const before = this.#text + text;
    this.#text = '';
    if (before !== '') this.#chunks.push(before, 'latin1');
    this.#chunks.push(bytes, 'buffer');
    this.#held.push({ bytes, copy });
    this.#buffers.hold(bytes);
    if (this.#underWay) this.#waitingBytes += text.length + bytes.length;
    else this.#send();
  }

  /** Calls `then` once nothing is under way; nothing may be written any more. */
  finish(then: () => void): void {
    if (this.#underWay) this.#whenIdle = then;
    else then();
  }

  /** The socket is gone. */
  close(): void {
    this.#whenIdle = undefined;
    this.#release();
  }

  #send(): void {
    const chunks = this.#chunks;
    const text = this.#text;
    this.#text = '';
    this.#waitingBytes = 0;
    this.#underWay = true;
    if (chunks.length === 0) {
      this.#sent(this.#handle.writeLatin1String(null, text));
      return;
    }
    this.#chunks = [];
    if (text !== '') chunks.push(text, 'latin1');
    const [first] = chunks;
    const isOne = chunks.length === 2 && typeof first === 'object';
    const result = isOne ? this.#handle.writeBuffer(null, first) : this.#handle.writev(null, chunks, false);
    this.#release();
    this.#sent(result);
  }

  #sent(result: number | WriteRequest): void {
    if (typeof result === 'number') this.#completed(result);
    else if (result.writeStatus === null) result.oncomplete = this.#complete;
    else this.#completed(result.writeStatus);
  }

  #completed(status: number): void {
    this.#underWay = false;
    if (status !== 0) {
      this.close();
      this.#owner.writeFailed();
    } else if (this.#chunks.length > 0 || this.#text !== '') this.#send();
    else if (this.#whenIdle === undefined) this.#owner.wrote();
    else this.#whenIdle();
  }

  #release(): void {
    for (const { bytes, copy } of this.#held) {
      this.#buffers.release(bytes);
      if (copy !== undefined) this.#buffers.returnCopy(copy);
    }
    this.#held.length = 0;
  }
}
