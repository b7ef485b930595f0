// A process of its own: `node raw-backend.ts PORT` speaks just enough HTTP/1.1 over plain sockets to send and to
// take bodies of any length without holding them. GET /down/N answers N bytes; POST answers the bytes it read, and
// stops reading for a while in the middle, as a busy backend does; any other GET answers 620 bytes.
import { createServer, type Socket } from 'node:net';

const CHUNK = Buffer.alloc(256 * 1024, 'x');
const STALL_AT_BYTES = 256 * 1024 * 1024;
const STALL_MS = 2000;

function answer(socket: Socket, length: number): void {
  socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`);
  let left = length;
  const more = (): void => {
    while (left > 0) {
      const size = Math.min(left, CHUNK.length);
      left -= size;
      if (!socket.write(size === CHUNK.length ? CHUNK : CHUNK.subarray(0, size))) {
        socket.once('drain', more);
        return;
      }
    }
  };
  more();
}

function serve(socket: Socket): void {
  let head = '';
  let bodyLeft = 0;
  let bodyRead = 0;
  const read = (size: number): void => {
    const before = bodyRead;
    bodyRead += size;
    bodyLeft -= size;
    if (before < STALL_AT_BYTES && bodyRead >= STALL_AT_BYTES) {
      socket.pause();
      setTimeout(() => socket.resume(), STALL_MS);
    }
    if (bodyLeft > 0) return;
    const text = String(bodyRead);
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`);
  };
  socket.on('data', (chunk) => {
    if (bodyLeft > 0) return read(chunk.length);
    head += chunk.toString('latin1');
    const end = head.indexOf('\r\n\r\n');
    if (end === -1) return;
    const rest = head.length - end - 4;
    const path = head.split(' ', 2)[1] ?? '';
    bodyLeft = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
    bodyRead = 0;
    head = '';
    if (bodyLeft > 0) return rest > 0 ? read(rest) : undefined;
    answer(socket, Number(/^\/down\/(\d+)$/.exec(path)?.[1] ?? 620));
  });
  socket.on('error', () => socket.destroy());
}

const port = Number(process.argv[2]);
createServer(serve).listen(port, '127.0.0.1', 4096, () => process.stdout.write(`listening on ${port}\n`));
