import { connect, type Socket } from 'node:net';

const OPEN_WITHIN_MS = 10_000;

export interface OpenWebSocket {
  /** With no listener on it. */
  readonly socket: Socket;
  /** As its answer names it, of the backends of this benchmark. */
  readonly backend: string;
}

/** Opens a WebSocket. Rejects when it is refused or takes too long. */
export function openWebSocket(port: number, localAddress = '127.0.0.1'): Promise<OpenWebSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, localAddress, noDelay: true });
    socket.setTimeout(OPEN_WITHIN_MS, () => socket.destroy(new Error('no WebSocket in time')));
    let head = '';
    const closed = (): void => reject(new Error(`closed after: ${head.slice(0, 100)}`));
    const read = (chunk: Buffer): void => {
      head += chunk.toString('latin1');
      if (!head.includes('\r\n\r\n')) return;
      if (!/^HTTP\/1\.1 101 /.test(head)) {
        socket.destroy(new Error(`answered ${head.slice(0, 40)}`));
        return;
      }
      socket.off('data', read).off('error', reject).off('close', closed);
      socket.setTimeout(0);
      resolve({ socket, backend: /\r\nx-backend: *(\d+)/i.exec(head)?.[1] ?? '' });
    };
    socket.on('data', read).on('error', reject).on('close', closed);
    socket.write(
      `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
    );
  });
}
