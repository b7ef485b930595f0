import { Agent, createServer, type IncomingMessage, ServerResponse } from 'node:http';
import { CONNECTIONS_PER_BACKEND, peerPackage, relayArguments } from './relay.ts';

interface Proxy {
  web(request: IncomingMessage, response: ServerResponse, options: { target: string }): void;
  on(event: 'error', listener: (error: Error, request: IncomingMessage, response: unknown) => void): void;
}

const { createProxyServer } = peerPackage<{ createProxyServer: (options: object) => Proxy }>('http-proxy-3');
const { port, next } = relayArguments(process.argv);
// without an agent the package opens a connection per request
const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS_PER_BACKEND });
const proxy = createProxyServer({ agent, xfwd: true });
proxy.on('error', (_error, _request, response) => {
  if (response instanceof ServerResponse && !response.headersSent) response.writeHead(502).end();
});

const server = createServer((request, response) => proxy.web(request, response, { target: next() }));
server.listen(port, '127.0.0.1', 4096, () => process.stdout.write(`listening on ${port}\n`));
