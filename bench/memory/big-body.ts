import { connect, type Socket } from 'node:net';

const CHUNK = Buffer.alloc(256 * 1024, 'x');
const STALL_AT_BYTES = 256 * 1024 * 1024;
const STALL_MS = 2000;
/** A body that has not moved for so long never will; and all of it must be through within the second bound. */
const SILENCE_MS = 20_000;
const PATIENCE_MS = 180_000;

/** Runs `work` until it resolves, the connection ends, or nothing moves; `progress` goes into the error's text. */
function bounded<T>(
  socket: Socket,
  progress: () => string,
  work: (resolve: (value: T) => void) => void,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const giveUp = (): void => void socket.destroy(new Error(`stuck: ${progress()}`));
    const late = setTimeout(giveUp, PATIENCE_MS);
    socket.setTimeout(SILENCE_MS, giveUp);
    socket.on('error', reject);
    socket.on('close', () => {
      clearTimeout(late);
      reject(new Error(`the connection was closed before the end: ${progress()}`));
    });
    work((value) => {
      resolve(value);
      socket.destroy();
    });
  });
}

/**
 * Reads an answer of so many bytes without keeping it, and stops reading for two seconds in the middle, as a slow
 * client does. Rejects when it is cut short.
 */
export function download(port: number, bytes: number): Promise<void> {
  const socket = connect(port, '127.0.0.1', () => {
    socket.write(`GET /down/${bytes} HTTP/1.1\r\nHost: big.example\r\nConnection: close\r\n\r\n`);
  });
  let read = -1;
  const progress = (): string => `${read} of ${bytes} bytes read`;
  return bounded<void>(socket, progress, (resolve) => {
    let head = '';
    socket.on('data', (chunk) => {
      const before = read;
      if (read === -1) {
        head += chunk.toString('latin1');
        const end = head.indexOf('\r\n\r\n');
        if (end === -1) return;
        if (!/^HTTP\/1\.1 200/.test(head)) return socket.destroy(new Error(`answered ${head.slice(0, 40)}`));
        read = head.length - end - 4;
      } else read += chunk.length;
      if (read >= bytes) return resolve();
      if (before < STALL_AT_BYTES && read >= STALL_AT_BYTES) {
        socket.pause();
        setTimeout(() => socket.resume(), STALL_MS);
      }
    });
  });
}

/** Sends a body of so many bytes; resolves with the answer's text. Rejects when the connection breaks. */
export function upload(port: number, bytes: number): Promise<string> {
  let left = bytes;
  const socket = connect(port, '127.0.0.1', () => {
    socket.write(`POST /up HTTP/1.1\r\nHost: big.example\r\nContent-Length: ${bytes}\r\n\r\n`);
    const more = (): void => {
      while (left > 0 && !socket.destroyed) {
        const size = Math.min(left, CHUNK.length);
        left -= size;
        if (!socket.write(size === CHUNK.length ? CHUNK : CHUNK.subarray(0, size))) {
          socket.once('drain', more);
          return;
        }
      }
    };
    more();
  });
  const progress = (): string => `${left} of ${bytes} bytes not sent`;
  return bounded<string>(socket, progress, (resolve) => {
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? Number.NaN);
      if (end !== -1 && text.length >= end + 4 + length) resolve(text.slice(end + 4));
    });
  });
}
