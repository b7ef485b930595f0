import { createServer, type ServerHttp2Stream } from 'node:http2';

// A backend that a test starts as a process of its own, to kill it. Tells its port; /endless begins an answer that never
// ends, anything else gets none.

const server = createServer();
server.on('stream', (stream: ServerHttp2Stream, headers) => {
  stream.on('error', () => {});
  if (headers[':path'] !== '/endless') return;
  stream.respond({ ':status': 200 });
  stream.write('begun');
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') process.stdout.write(`${address.port}\n`);
});
// ends with the test, even one that was killed itself
process.stdin.on('end', () => process.exit()).resume();
