import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createSecureServer } from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import { createRequire } from 'node:module';
import type { Server } from 'node:net';
import { join } from 'node:path';

/** What a Node peer is told on its command line: `node peer.ts PORT PROTOCOL CERT KEY BACKEND-PORT…`. */
export interface RelayArguments {
  readonly port: number;
  readonly protocol: string;
  /** Of the listener, where it speaks TLS. */
  readonly tls: { readonly cert: Buffer; readonly key: Buffer } | undefined;
  /** Origins without a slash at the end. */
  readonly backends: readonly string[];
  /** The next origin, round robin. */
  readonly next: () => string;
}

/** Reads the command line. Throws when a port is missing. */
export function relayArguments(argv: readonly string[]): RelayArguments {
  const [port = '', protocol = '', cert = '', key = '', ...backendPorts] = argv.slice(2);
  const backends = backendPorts.map((each) => `http://127.0.0.1:${each}`);
  const [first] = backends;
  if (first === undefined) throw new Error('usage: PORT PROTOCOL CERT KEY BACKEND-PORT…');
  let at = 0;
  const next = (): string => {
    at = (at + 1) % backends.length;
    return backends[at] ?? first;
  };
  const tls = protocol === 'http' ? undefined : { cert: readFileSync(cert), key: readFileSync(key) };
  return { port: Number(port), protocol, tls, backends, next };
}

/**
 * The server of what the command line asks for. Over HTTP/2 its requests and answers are those of node:http2's
 * compatibility API, which is all that these peers know of HTTP/2.
 */
export function serveRelay({ port, protocol, tls }: RelayArguments, handler: RequestListener): void {
  const ready = (): void => void process.stdout.write(`listening on ${port}\n`);
  const listenOn = (server: Server): void => void server.listen(port, '127.0.0.1', 4096, ready);
  if (tls === undefined) listenOn(createServer(handler));
  else if (protocol === 'https') listenOn(createHttpsServer(tls, handler));
  else listenOn(createSecureServer({ ...tls, allowHTTP1: true }, handler as unknown as Http2Listener));
}

type Http2Listener = Parameters<typeof createSecureServer>[1];

/**
 * Loads a rival's package from bench/out/peers, where `--install-peers` puts them: they are no dependencies of ours.
 * The shape is the caller's word for it. Throws when it is not installed.
 */
export function peerPackage<T>(name: string): T {
  return createRequire(join(import.meta.dirname, '..', 'out', 'peers', 'package.json'))(name) as T;
}

/** Connections to each backend that a Node peer may hold, as Portway's default. */
export const CONNECTIONS_PER_BACKEND = 128;
