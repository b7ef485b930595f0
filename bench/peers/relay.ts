import { createRequire } from 'node:module';
import { join } from 'node:path';

/** What a Node peer is told on its command line: `node peer.ts PORT BACKEND-PORT…`. */
export interface RelayArguments {
  readonly port: number;
  /** Origins without a slash at the end. */
  readonly backends: readonly string[];
  /** The next origin, round robin. */
  readonly next: () => string;
}

/** Reads the command line. Throws when a port is missing. */
export function relayArguments(argv: readonly string[]): RelayArguments {
  const [port, ...backendPorts] = argv.slice(2).map(Number);
  const backends = backendPorts.map((each) => `http://127.0.0.1:${each}`);
  const [first] = backends;
  if (port === undefined || first === undefined) throw new Error('usage: PORT BACKEND-PORT…');
  let at = 0;
  const next = (): string => {
    at = (at + 1) % backends.length;
    return backends[at] ?? first;
  };
  return { port, backends, next };
}

/**
 * Loads a rival's package from bench/out/peers, where `--install-peers` puts them: they are no dependencies of ours.
 * The shape is the caller's word for it. Throws when it is not installed.
 */
export function peerPackage<T>(name: string): T {
  return createRequire(join(import.meta.dirname, '..', 'out', 'peers', 'package.json'))(name) as T;
}

/** Connections to each backend that a Node peer may hold, as Portway's default. */
export const CONNECTIONS_PER_BACKEND = 128;
