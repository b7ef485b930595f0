// A process of its own: `node websocket-echo.ts PORT…` speaks just enough WebSocket (RFC 6455) over plain sockets to send
// every message back, and answers any other request with 200.
import { createHash } from 'node:crypto';
import { createServer, type Socket } from 'node:net';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const EMPTY = Buffer.alloc(0);
const OPCODE_CLOSE = 8;
const OPCODE_PING = 9;
const OPCODE_PONG = 10;

function handshake(socket: Socket, head: string): boolean {
  const key = /\r\nsec-websocket-key: *(\S+)/i.exec(head)?.[1];
  const backend = `X-Backend: ${socket.localPort}`;
  if (key === undefined) {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n${backend}\r\n\r\nok`);
    return false;
  }
  const accept = createHash('sha1')
    .update(key + GUID)
    .digest('base64');
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${backend}\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  return true;
}

/** The frame that answers a client's; undefined where none does. */
function answer(first: number, payload: Buffer): Buffer | undefined {
  const opcode = first & 0x0f;
  if (opcode === OPCODE_PONG) return undefined;
  const head = payload.length < 126 ? Buffer.alloc(2) : Buffer.alloc(4);
  head[0] = opcode === OPCODE_PING ? 0x80 | OPCODE_PONG : first;
  head[1] = Math.min(payload.length, 126);
  if (payload.length >= 126) head.writeUInt16BE(payload.length, 2);
  return Buffer.concat([head, payload]);
}

/** Answers every whole frame of `bytes`; returns what is left. Frames of 64 KiB and more are not understood. */
function frames(socket: Socket, bytes: Buffer): Buffer {
  const answers: Buffer[] = [];
  let at = 0;
  while (bytes.length - at >= 6) {
    const short = (bytes[at + 1] ?? 0) & 0x7f;
    const start = at + (short === 126 ? 8 : 6);
    const end = start + (short === 126 ? bytes.readUInt16BE(at + 2) : short);
    if (end > bytes.length) break;
    const payload = bytes.subarray(start, end);
    // the load masks with zeros, which RFC 6455 §5.3 does not forbid
    if (bytes.readUInt32BE(start - 4) !== 0)
      for (let i = 0; i < payload.length; i++)
        payload[i] = (payload[i] ?? 0) ^ (bytes[start - 4 + (i % 4)] ?? 0);
    const first = bytes[at] ?? 0;
    const frame = answer(first, payload);
    if (frame !== undefined) answers.push(frame);
    if ((first & 0x0f) === OPCODE_CLOSE) socket.end();
    at = end;
  }
  if (answers.length > 0) socket.write(answers.length === 1 ? (answers[0] ?? EMPTY) : Buffer.concat(answers));
  return bytes.subarray(at);
}

function serve(socket: Socket): void {
  let head = '';
  let upgraded = false;
  let rest: Buffer = EMPTY;
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    if (upgraded) {
      rest = frames(socket, rest.length === 0 ? chunk : Buffer.concat([rest, chunk]));
      return;
    }
    head += chunk.toString('latin1');
    if (!head.endsWith('\r\n\r\n')) return;
    upgraded = handshake(socket, head);
    head = '';
  });
}

for (const port of process.argv.slice(2).map(Number)) createServer(serve).listen(port, '127.0.0.1', 4096);
