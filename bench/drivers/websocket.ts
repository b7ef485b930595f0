// `node websocket.ts PORT CONNECTIONS SECONDS`: opens WebSockets, and sends each the next message when the last one is back.
import { openWebSocket } from './open-websocket.ts';
import { driverArguments, printAfter, Tally } from './tally.ts';

const PAYLOAD_BYTES = 128;
/** A frame of more than 125 bytes has a length of two bytes (RFC 6455 §5.2); the mask may be zeros. */
const MESSAGE = Buffer.concat([
  Buffer.from([0x82, 0x80 | 126, 0, PAYLOAD_BYTES, 0, 0, 0, 0]),
  Buffer.alloc(PAYLOAD_BYTES, 'm'),
]);
const ECHO_BYTES = 4 + PAYLOAD_BYTES;

const { port, connections, seconds } = driverArguments(process.argv);
const sockets = await Promise.all(Array.from({ length: connections }, () => openWebSocket(port)));
const tally = new Tally();

for (const { socket } of sockets) {
  let missing = ECHO_BYTES;
  let sentMs = performance.now();
  socket.on('error', () => {
    tally.socketErrors += 1;
  });
  socket.on('data', (chunk) => {
    missing -= chunk.length;
    if (missing > 0) return;
    if (missing < 0) tally.badStatuses += 1;
    const nowMs = performance.now();
    tally.answered(nowMs - sentMs);
    missing = ECHO_BYTES;
    sentMs = nowMs;
    socket.write(MESSAGE);
  });
  socket.write(MESSAGE);
}
printAfter(seconds, tally);
