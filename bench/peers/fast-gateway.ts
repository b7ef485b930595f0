import { CONNECTIONS_PER_BACKEND, peerPackage, relayArguments } from './relay.ts';

interface Gateway {
  start(port: number, host: string): Promise<unknown>;
}

interface Destroyable {
  destroy(): void;
}

const gateway = peerPackage<(options: object) => Gateway>('fast-gateway');
const { port, backends } = relayArguments(process.argv);
// a route has one target: the package does not balance
const app = gateway({
  routes: [
    {
      prefix: '',
      target: backends[0],
      proxyConfig: { maxSockets: CONNECTIONS_PER_BACKEND * backends.length },
      hooks: {
        // left alone, the answer for a client that has gone keeps its connection for good, until none is left
        onClientConnectionTerminated: (
          _response: unknown,
          _error: unknown,
          answer?: { stream: Destroyable },
        ) => answer?.stream.destroy(),
        rewriteRequestHeaders: (
          request: { socket: { remoteAddress: string } },
          headers: Record<string, string>,
        ) => {
          headers['x-forwarded-for'] = request.socket.remoteAddress;
          headers['x-forwarded-proto'] = 'http';
          return headers;
        },
      },
    },
  ],
});
await app.start(port, '127.0.0.1');
process.stdout.write(`listening on ${port}\n`);
