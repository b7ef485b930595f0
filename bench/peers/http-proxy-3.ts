import { Agent, type IncomingMessage, ServerResponse } from 'node:http';
import { CONNECTIONS_PER_BACKEND, peerPackage, relayArguments, serveRelay } from './relay.ts';

interface Proxy {
  web(request: IncomingMessage, response: ServerResponse, options: { target: string }): void;
  on(event: 'error', listener: (error: Error, request: IncomingMessage, response: unknown) => void): void;
}

const { createProxyServer } = peerPackage<{ createProxyServer: (options: object) => Proxy }>('http-proxy-3');
const relay = relayArguments(process.argv);
// without an agent the package opens a connection per request
const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS_PER_BACKEND });
const proxy = createProxyServer({ agent, xfwd: true });
proxy.on('error', (_error, _request, response) => {
  if (response instanceof ServerResponse && !response.headersSent) response.writeHead(502).end();
});

serveRelay(relay, (request, response) => proxy.web(request, response, { target: relay.next() }));
