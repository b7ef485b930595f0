import { Agent, type IncomingMessage, type ServerResponse } from 'node:http';
import { CONNECTIONS_PER_BACKEND, peerPackage, relayArguments, serveRelay } from './relay.ts';

interface Proxy {
  web(request: IncomingMessage, response: ServerResponse, options: { target: string }): Promise<void>;
}

const { createProxyServer } = peerPackage<{ createProxyServer: (options: object) => Proxy }>('httpxy');
const relay = relayArguments(process.argv);
const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS_PER_BACKEND });
const proxy = createProxyServer({ agent, xfwd: true });

serveRelay(relay, (request, response) => {
  proxy.web(request, response, { target: relay.next() }).catch(() => {
    if (!response.headersSent) response.writeHead(502).end();
  });
});
