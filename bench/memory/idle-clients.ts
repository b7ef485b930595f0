// A process of its own: `node idle-clients.ts PORT COUNT` opens that many connections, makes one request on each,
// prints `idle COUNT` and then holds them until it is ended. A connection that is closed on us ends it with status 1.
import { connect } from 'node:net';

const AT_ONCE = 200;
/** Under the 28 000 ephemeral ports that one source address has towards one target. */
const PER_SOURCE = 20_000;
const REQUEST = 'GET /small HTTP/1.1\r\nHost: idle.example\r\n\r\n';

const [port = 0, count = 0] = process.argv.slice(2).map(Number);

function open(index: number): Promise<void> {
  return new Promise((resolve) => {
    const localAddress = `127.0.0.${2 + Math.floor(index / PER_SOURCE)}`;
    const socket = connect({ host: '127.0.0.1', port, localAddress }, () => socket.write(REQUEST));
    let text = '';
    const gone = (why: string): void => {
      process.stderr.write(`connection ${index} ${why} after: ${text.slice(0, 200)}\n`);
      process.exit(1);
    };
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? Number.NaN);
      if (end !== -1 && text.length >= end + 4 + length) resolve();
    });
    socket.on('error', (error) => gone(error.message));
    socket.on('close', () => gone('was closed'));
  });
}

for (let opened = 0; opened < count; opened += AT_ONCE) {
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, count - opened) }, (_, at) => open(opened + at)));
}
process.stdout.write(`idle ${count}\n`);
