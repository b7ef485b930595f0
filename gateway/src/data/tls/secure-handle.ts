import type { Socket } from 'node:net';
import type { WriteHandle } from '../direct-write.ts';

/** What Node's own streams use of the handle of a secure socket. None of it is documented: it is looked at before use. */
export interface SecureHandle extends WriteHandle {
  /** The handle that carries the encrypted bytes. */
  readonly _parent: { readonly writeQueueSize: number };
  /** All decrypted bytes read so far. */
  readonly bytesRead: number;
  reading: boolean;
  onread: (this: unknown, bytes: unknown) => unknown;
  useUserBuffer(buffer: Uint8Array): void;
  readStart(): number;
  readStop(): number;
}

/** Undefined when it is not what is expected. */
export function secureHandleOf(socket: Socket): SecureHandle | undefined {
  const handle = (socket as unknown as { _handle?: Partial<SecureHandle> | null })._handle;
  if (handle === undefined || handle === null) return undefined;
  const { bytesRead, writeQueueSize, _parent } = handle;
  const numbers = [bytesRead, writeQueueSize, _parent?.writeQueueSize];
  const { onread, useUserBuffer, readStart, readStop, writev, writeBuffer, writeLatin1String } = handle;
  const functions = [onread, useUserBuffer, readStart, readStop, writev, writeBuffer, writeLatin1String];
  const isAsExpected =
    numbers.every((value) => typeof value === 'number') &&
    functions.every((value) => typeof value === 'function');
  return isAsExpected ? (handle as SecureHandle) : undefined;
}

/** Stops and starts reading. */
export interface ReadGate {
  pause(): void;
  resume(): void;
}

/**
 * Has the bytes that `handle` decrypts read into `buffer`, and `read` called with their number. A secure socket over one
 * that was accepted cannot be given `onread`, and its stream costs a new buffer and several µs for each read. After a pause
 * what is decrypted already still comes. What is not bytes (the end, an error) goes the way it goes without us.
 */
export function readSecurely(handle: SecureHandle, buffer: Buffer, read: (length: number) => void): ReadGate {
  const original = handle.onread;
  let before = handle.bytesRead;
  handle.useUserBuffer(buffer);
  handle.onread = function (this: unknown, bytes: unknown): unknown {
    const total = handle.bytesRead;
    const length = total - before;
    before = total;
    if (length <= 0) return original.call(this, bytes);
    read(length);
    return undefined;
  };
  return {
    pause() {
      handle.reading = false;
      handle.readStop();
    },
    resume() {
      handle.reading = true;
      handle.readStart();
    },
  };
}
