// The least a Node gateway on node:http can do: no balancing but round robin, no health, no limits.
import { createServer, type ServerResponse } from 'node:http';
import { CONNECTIONS_PER_BACKEND, peerPackage, relayArguments } from './relay.ts';

interface Head {
  readonly statusCode: number;
  readonly headers: Record<string, string | string[]>;
}
interface Pool {
  stream(options: object, toBody: (head: Head) => ServerResponse, done: (error: Error | null) => void): void;
}

const { Pool: UndiciPool } = peerPackage<{ Pool: new (origin: string, options: object) => Pool }>('undici');
const { port, backends } = relayArguments(process.argv);
const pools = backends.map((origin) => new UndiciPool(origin, { connections: CONNECTIONS_PER_BACKEND }));
let at = 0;

const server = createServer((request, response) => {
  at = (at + 1) % pools.length;
  const { connection: _hop, ...headers } = request.headers;
  headers['x-forwarded-for'] = request.socket.remoteAddress ?? '';
  headers['x-forwarded-proto'] = 'http';
  headers['x-forwarded-host'] = request.headers.host ?? '';
  const hasBody = request.method !== 'GET' && request.method !== 'HEAD';
  pools[at]?.stream(
    { method: request.method, path: request.url, headers, body: hasBody ? request : null },
    (head) => {
      delete head.headers['connection'];
      delete head.headers['keep-alive'];
      return response.writeHead(head.statusCode, head.headers);
    },
    (error) => {
      if (error === null) return;
      if (response.headersSent) response.destroy();
      else response.writeHead(502).end();
    },
  );
});
server.listen(port, '127.0.0.1', 4096, () => process.stdout.write(`listening on ${port}\n`));
