import { createServer } from 'node:http';

// A backend that tests start as a process of its own, to kill it: `node backend-process.ts PORT`. Tells its port, then
// answers every request with its process id.

const server = createServer((message, response) => {
  message.resume().on('end', () => response.end(String(process.pid)));
});
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') process.stdout.write(`${address.port}\n`);
});
// ends with the test, even one that was killed itself
process.stdin.on('end', () => process.exit()).resume();
