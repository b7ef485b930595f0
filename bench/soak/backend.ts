// A process of its own: `node backend.ts PORT`. Its answers carry the id of their request all through the body, so
// that a client sees at once when it was given another's.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

const SIZES = [0, 200, 20_000, 2_000_000] as const;

function answer(request: IncomingMessage, response: ServerResponse): void {
  const id = request.url?.slice(1) ?? '';
  const size = SIZES[Number(id) % SIZES.length] ?? 0;
  const line = `${id}\n`;
  response.setHeader('X-Id', id);
  response.end(line.repeat(Math.ceil(size / line.length)));
}

const port = Number(process.argv[2]);
const server = createServer((request, response) => {
  if (request.url === '/health') {
    response.end('ok');
    return;
  }
  request.resume();
  request.on('end', () => answer(request, response));
});
server.keepAliveTimeout = 3000;
server.listen(port, '127.0.0.1', () => process.stdout.write(`listening on ${port}\n`));
process.on('SIGTERM', () => server.close(() => process.exit(0)));
