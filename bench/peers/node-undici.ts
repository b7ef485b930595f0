// The least a Node gateway on node:http can do: no balancing but round robin, no health, no limits.
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { CONNECTIONS_PER_BACKEND, peerPackage, relayArguments, serveRelay } from './relay.ts';

interface Head {
  readonly statusCode: number;
  readonly headers: Record<string, string | string[]>;
}
interface Pool {
  stream(options: object, toBody: (head: Head) => ServerResponse, done: (error: Error | null) => void): void;
}

const { Pool: UndiciPool } = peerPackage<{ Pool: new (origin: string, options: object) => Pool }>('undici');
const relay = relayArguments(process.argv);
const { backends, tls } = relay;
const proto = tls === undefined ? 'http' : 'https';
const pools = backends.map((origin) => new UndiciPool(origin, { connections: CONNECTIONS_PER_BACKEND }));
let at = 0;

/** The names of HTTP/2's own start with a colon. */
function withoutPseudo({ ':authority': authority, ...headers }: IncomingHttpHeaders): IncomingHttpHeaders {
  for (const name of [':method', ':path', ':scheme']) delete headers[name];
  return { host: String(authority), ...headers };
}

serveRelay(relay, (request, response) => {
  at = (at + 1) % pools.length;
  const { connection: _hop, ...headers } =
    request.httpVersionMajor === 2 ? withoutPseudo(request.headers) : request.headers;
  headers['x-forwarded-for'] = request.socket.remoteAddress ?? '';
  headers['x-forwarded-proto'] = proto;
  headers['x-forwarded-host'] = headers.host ?? '';
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
