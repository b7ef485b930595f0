// A process of its own: `node tcp-source.ts PORT…` sends its port as a line and then bytes without end, as fast as they
// are taken, to whoever connects.
import { createServer, type Socket } from 'node:net';

const CHUNK = Buffer.alloc(256 * 1024, 'x');

function serve(socket: Socket): void {
  socket.on('error', () => socket.destroy());
  // a client that is done closes its half
  socket.on('end', () => socket.destroy());
  socket.resume();
  const more = (): void => {
    while (!socket.destroyed && socket.write(CHUNK));
  };
  socket.on('drain', more);
  socket.write(`${socket.localPort}\n`);
  more();
}

for (const port of process.argv.slice(2).map(Number)) createServer(serve).listen(port, '127.0.0.1', 4096);
