// A process of its own: `node idle-websockets.ts PORT COUNT` opens that many WebSockets, prints `idle COUNT` and then holds
// them until it is ended, answering pings. One that is closed on us ends it with status 1.
import { openWebSocket } from '../drivers/open-websocket.ts';

const AT_ONCE = 100;
/** Under the 28 000 ephemeral ports that one source address has towards one target. */
const PER_SOURCE = 20_000;
const PING = 0x89;
/** Masked with zeros, and empty, as the pings of gateways are. */
const PONG = Buffer.from([0x8a, 0x80, 0, 0, 0, 0]);

const [port = 0, count = 0] = process.argv.slice(2).map(Number);

async function open(index: number): Promise<void> {
  const { socket } = await openWebSocket(port, `127.0.0.${2 + Math.floor(index / PER_SOURCE)}`);
  const gone = (why: string): void => {
    process.stderr.write(`WebSocket ${index} ${why}\n`);
    process.exit(1);
  };
  socket.on('data', (chunk: Buffer) => {
    if (chunk[0] === PING) socket.write(PONG);
  });
  socket.on('error', (error) => gone(error.message));
  socket.on('close', () => gone('was closed'));
}

function refused(error: unknown): never {
  process.stderr.write(`${error}\n`);
  process.exit(1);
}

for (let opened = 0; opened < count; opened += AT_ONCE) {
  const some = Array.from({ length: Math.min(AT_ONCE, count - opened) }, (_, at) => open(opened + at));
  await Promise.all(some).catch(refused);
}
process.stdout.write(`idle ${count}\n`);
