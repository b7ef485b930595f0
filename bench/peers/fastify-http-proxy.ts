import { CONNECTIONS_PER_BACKEND, peerPackage, relayArguments } from './relay.ts';

interface Fastify {
  register(plugin: unknown, options: object): void;
  listen(options: { port: number; host: string; backlog: number }): Promise<string>;
}
interface Request {
  readonly ip: string;
  readonly host: string;
}
type Headers = Record<string, string>;

const fastify = peerPackage<(options: object) => Fastify>('fastify');
const proxy = peerPackage<unknown>('@fastify/http-proxy');
const { port, protocol, tls, next } = relayArguments(process.argv);
const server =
  protocol === 'h2' ? { http2: true, https: { ...tls, allowHTTP1: true } } : { https: tls ?? null };
const proto = tls === undefined ? 'http' : 'https';

const app = fastify({ ...server, logger: false, bodyLimit: 10 * 1024 * 1024 });
app.register(proxy, {
  upstream: '',
  undici: { connections: CONNECTIONS_PER_BACKEND, pipelining: 1 },
  replyOptions: {
    getUpstream: next,
    // left alone, the backend's `connection: keep-alive` goes to a client whose connection is then closed
    rewriteHeaders: ({ connection: _hop, 'keep-alive': _advice, ...headers }: Headers): Headers => headers,
    rewriteRequestHeaders: (request: Request, headers: Headers): Headers => {
      headers['x-forwarded-for'] = request.ip;
      headers['x-forwarded-proto'] = proto;
      headers['x-forwarded-host'] = request.host;
      return headers;
    },
  },
});
await app.listen({ port, host: '127.0.0.1', backlog: 4096 });
process.stdout.write(`listening on ${port}\n`);
