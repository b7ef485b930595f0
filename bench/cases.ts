import { join } from 'node:path';

const KIB = 1024;
const lua = (name: string): string => join(import.meta.dirname, 'lua', name);

/** Connections of the usual case, as in the measurements that DESIGN.md quotes. */
const USUAL_CONNECTIONS = 64;

/** Streams of one HTTP/2 connection at once, as the target figures have them. */
const STREAMS = 100;

/**
 * What is spoken between the load and the gateway. `https` is HTTP/1.1 over TLS, `h2` HTTP/2 over TLS; the backends behind
 * these three speak HTTP/1.1 in the clear.
 */
export type Protocol = 'http' | 'https' | 'h2' | 'websocket' | 'tcp' | 'udp';

/** One kind of load. */
export interface Case {
  readonly name: string;
  readonly about: string;
  readonly protocol: Protocol;
  /** What CPU time is counted for each of. */
  readonly unit: 'request' | 'message' | 'datagram' | 'MiB';
  /** Target of the checking request and, without a script, of all requests. */
  readonly path: string;
  /** Of udp: clients. */
  readonly connections: number;
  /** Requests of one connection under way at once. */
  readonly streams: number;
  /** A wrk script and its arguments. */
  readonly script: { readonly file: string; readonly args: readonly string[] } | undefined;
  readonly headers: readonly string[];
  /** Size of the body that is measured per MiB, 0 where the cost is per request. */
  readonly bodyBytes: number;
  readonly direction: 'down' | 'up';
  /** Size of a good answer's body; undefined where it varies. */
  readonly answerBytes: number | undefined;
  /** Routes that the gateway's config holds. */
  readonly routes: number;
  /** The case whose cost this one is compared with, besides Portway's own. */
  readonly comparedWith: string | undefined;
}

const small: Case = {
  name: 'small',
  about: '620-byte JSON GET, keep-alive, 64 connections',
  protocol: 'http',
  unit: 'request',
  path: '/small',
  connections: USUAL_CONNECTIONS,
  streams: 1,
  script: undefined,
  headers: [],
  bodyBytes: 0,
  direction: 'down',
  answerBytes: 620,
  routes: 1,
  comparedWith: undefined,
};

const down = (name: string, about: string, path: string, bodyBytes: number, connections: number): Case => ({
  ...small,
  name,
  about,
  path,
  bodyBytes,
  connections,
  answerBytes: bodyBytes,
});

const routes = (name: string, count: number, comparedWith: string | undefined): Case => ({
  ...small,
  name,
  about: `small GET spread over ${count} routes`,
  path: '/r0/item',
  script: { file: lua('routes.lua'), args: [String(count)] },
  routes: count,
  comparedWith,
});

/** What goes over the line as it is: no body, no routes. */
const raw: Case = { ...small, path: '/', answerBytes: undefined };

/** The protocols beyond HTTP/1.1 in the clear. */
const protocols: readonly Case[] = [
  {
    ...small,
    name: 'tls',
    about: 'small GET over TLS 1.3 (AES-128-GCM, P-256), HTTP/1.1 keep-alive, 64 connections',
    protocol: 'https',
  },
  {
    ...small,
    name: 'h2',
    about: `small GET over HTTP/2 and TLS 1.3, 4 connections of ${STREAMS} streams`,
    protocol: 'h2',
    connections: 4,
    streams: STREAMS,
  },
  {
    ...raw,
    name: 'websocket',
    about: '128-byte messages echoed, 64 WebSockets, one message at a time on each',
    protocol: 'websocket',
    unit: 'message',
  },
  {
    ...raw,
    name: 'tcp',
    about: 'endless streams from the backend, 8 connections',
    protocol: 'tcp',
    unit: 'MiB',
    connections: 8,
    bodyBytes: KIB * KIB,
  },
  {
    ...raw,
    name: 'udp',
    about: '128-byte datagrams echoed (each is relayed twice), 64 clients, one at a time each',
    protocol: 'udp',
    unit: 'datagram',
  },
];

/** Every case, in the order they run. */
export const CASES: readonly Case[] = [
  small,
  down('down64k', '64 KiB answer, 64 connections', '/64k', 64 * KIB, USUAL_CONNECTIONS),
  down('down1m', '1 MiB answer, 16 connections', '/1m', KIB * KIB, 16),
  {
    ...small,
    name: 'up64k',
    about: '64 KiB POST, 64 connections; the backend answers once it has read all of it',
    path: '/up',
    script: { file: lua('upload.lua'), args: [String(64 * KIB)] },
    bodyBytes: 64 * KIB,
    direction: 'up',
    answerBytes: undefined,
  },
  { ...small, name: 'conns1000', about: 'small GET, 1000 keep-alive connections', connections: 1000 },
  { ...small, name: 'newconn', about: 'small GET, a new connection each', headers: ['Connection: close'] },
  routes('routes10', 10, undefined),
  routes('routes10k', 10_000, 'routes10'),
  ...protocols,
];

/** The cases of those names, in running order, with those they are compared with. Throws on an unknown name. */
export function casesNamed(names: readonly string[]): readonly Case[] {
  const wanted = new Set<string>();
  for (const name of names) {
    const found = CASES.find((each) => each.name === name);
    if (found === undefined)
      throw new Error(`no case '${name}'; known: ${CASES.map((each) => each.name).join(', ')}`);
    wanted.add(name);
    if (found.comparedWith !== undefined) wanted.add(found.comparedWith);
  }
  return CASES.filter((each) => wanted.has(each.name));
}
