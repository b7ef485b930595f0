import { Agent, createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { CONNECTIONS_PER_BACKEND, peerPackage, relayArguments } from './relay.ts';

interface Proxy {
  web(request: IncomingMessage, response: ServerResponse, options: { target: string }): Promise<void>;
}

const { createProxyServer } = peerPackage<{ createProxyServer: (options: object) => Proxy }>('httpxy');
const { port, next } = relayArguments(process.argv);
const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS_PER_BACKEND });
const proxy = createProxyServer({ agent, xfwd: true });

const server = createServer((request, response) => {
  proxy.web(request, response, { target: next() }).catch(() => {
    if (!response.headersSent) response.writeHead(502).end();
  });
});
server.listen(port, '127.0.0.1', 4096, () => process.stdout.write(`listening on ${port}\n`));
