import { join } from 'node:path';

const KIB = 1024;
const lua = (name: string): string => join(import.meta.dirname, 'lua', name);

/** Connections of the usual case, as in the measurements that DESIGN.md quotes. */
const USUAL_CONNECTIONS = 64;

/** One kind of load. */
export interface Case {
  readonly name: string;
  readonly about: string;
  /** Target of the checking request and, without a script, of all requests. */
  readonly path: string;
  readonly connections: number;
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
  path: '/small',
  connections: USUAL_CONNECTIONS,
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
