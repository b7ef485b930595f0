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
  /** The last write, until it is known to be complete. */
  #request: WriteRequest | undefined;
  /** What waits: chunks with their encodings, and the text after the last of them. */
  #chunks: (string | Buffer)[] = [];
  #text = '';
  #waitingBytes = 0;
  readonly #held: Held[] = [];
  #whenIdle: (() => void) | undefined;
  #isOver = false;
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

  /** To be told of each completion costs a call from the event loop: as long as nobody waits for it, it is only looked at. */
  get #underWay(): boolean {
    const request = this.#request;
    if (request === undefined) return false;
    if (request.writeStatus === null) return true;
    this.#request = undefined;
    if (request.writeStatus !== 0) this.#failed();
    return false;
  }

  #await(): void {
    if (this.#request !== undefined) this.#request.oncomplete = this.#complete;
  }

  /** Bytes that the kernel has not taken yet. Who is told of some is told when there are none. */
  get pendingBytes(): number {
    if (!this.#underWay) return 0;
    const bytes = this.#transport.writeQueueSize + this.#waitingBytes;
    if (bytes > 0) this.#await();
    return bytes;
  }

  text(text: string): void {
    const isUnderWay = this.#underWay;
    if (this.#isOver) return;
    this.#text += text;
    if (isUnderWay) this.#wait(text.length);
    else this.#send();
  }

  /** @param copy what `bytes` lie in, to be returned once they are encrypted */
  textAndBytes(text: string, bytes: Buffer, copy: Buffer | undefined): void {
    const isUnderWay = this.#underWay;
    this.#held.push({ bytes, copy });
    this.#buffers.hold(bytes);
    if (this.#isOver) {
      this.#release();
      return;
    }
    const before = this.#text + text;
    this.#text = '';
    if (before !== '') this.#chunks.push(before, 'latin1');
    this.#chunks.push(bytes, 'buffer');
    if (isUnderWay) this.#wait(text.length + bytes.length);
    else this.#send();
  }

  #wait(bytes: number): void {
    this.#waitingBytes += bytes;
    this.#await();
  }

  /** Calls `then` once nothing is under way; nothing may be written any more. */
  finish(then: () => void): void {
    if (this.#underWay) {
      this.#whenIdle = then;
      this.#await();
    } else then();
  }

  /** The socket is gone. */
  close(): void {
    this.#isOver = true;
    this.#whenIdle = undefined;
    this.#release();
  }

  #send(): void {
    const chunks = this.#chunks;
    const text = this.#text;
    this.#text = '';
    this.#waitingBytes = 0;
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
    if (typeof result !== 'number') this.#request = result;
    else if (result !== 0) this.#failed();
  }

  #failed(): void {
    this.close();
    this.#owner.writeFailed();
  }

  #completed(status: number): void {
    this.#request = undefined;
    if (status !== 0) {
      this.#failed();
      return;
    }
    if (this.#chunks.length > 0 || this.#text !== '') this.#send();
    if (this.#underWay) this.#await();
    else if (this.#whenIdle !== undefined) this.#whenIdle();
    else if (!this.#isOver) this.#owner.wrote();
  }

  #release(): void {
    for (const { bytes, copy } of this.#held) {
      this.#buffers.release(bytes);
      if (copy !== undefined) this.#buffers.returnCopy(copy);
    }
    this.#held.length = 0;
  }
}
