import { isIPv6 } from 'node:net';
import { whyNoHostName } from './addresses.ts';
import type { Parsed } from './parsed.ts';
import { bad, good, show } from './parsed.ts';

/** Where Redis is, as its URL says. */
export interface RedisTarget {
  /** One server; or sentinels that know where `master` is; or nodes of a cluster. */
  readonly kind: 'server' | 'sentinel' | 'cluster';
  readonly tls: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** Host name, or IP address without brackets. */
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  readonly master: string | undefined;
  readonly database: number;
}

const PARTS = /^(rediss?(?:\+[a-z]+)?):\/\/([^/?#]*)([^?#]*)(.*)$/s;

/**
 * `redis://user:password@host:port/db`, `redis+sentinel://host:port,host:port/MASTER/db`,
 * `redis+cluster://host:port,host:port`, and `rediss` of each. Ports left out are 6379, a sentinel's 26379.
 * Complaints never show any part of the URL: with one sign out of place, any part may be the password.
 */
export function parseRedisUrl(text: string): Parsed<RedisTarget> {
  const match = PARTS.exec(text);
  const kind = kindOf(match?.[1] ?? '');
  if (match === null || kind === undefined) {
    return bad(
      'the URL of Redis starts with redis://, rediss:// (TLS), redis+sentinel:// or redis+cluster://',
    );
  }
  const [, scheme = '', authority = '', path = '', rest = ''] = match;
  if (path.includes('@') || rest.includes('@')) {
    return bad(
      'in the URL of Redis, write a / in the user or password as %2F, a ? as %3F, a # as %23, an @ as %40',
    );
  }
  if (rest !== '') return bad('the URL of Redis has no query or fragment');
  const at = authority.lastIndexOf('@');
  const user = readUser(authority.slice(0, Math.max(0, at)), at !== -1);
  const nodes = readNodes(authority.slice(at + 1), kind);
  const place = readPath(path, kind);
  if (!user.ok) return user;
  if (!nodes.ok) return nodes;
  if (!place.ok) return place;
  return good({ kind, tls: scheme.startsWith('rediss'), ...user.value, nodes: nodes.value, ...place.value });
}

function kindOf(scheme: string): RedisTarget['kind'] | undefined {
  if (/^rediss?$/.test(scheme)) return 'server';
  const kind = scheme.split('+')[1];
  return kind === 'sentinel' || kind === 'cluster' ? kind : undefined;
}

function readUser(text: string, isThere: boolean): Parsed<Pick<RedisTarget, 'username' | 'password'>> {
  if (!isThere) return good({ username: undefined, password: undefined });
  const colon = text.indexOf(':');
  if (colon === -1 || colon === text.length - 1) {
    return bad('the URL of Redis has a user without a password; write :password@ or user:password@');
  }
  try {
    const username = decodeURIComponent(text.slice(0, colon));
    const password = decodeURIComponent(text.slice(colon + 1));
    return good({ username: username === '' ? undefined : username, password });
  } catch {
    return bad('in the URL of Redis, write a % in the user or password as %25');
  }
}

function readNodes(text: string, kind: RedisTarget['kind']): Parsed<RedisTarget['nodes']> {
  const parts = text.split(',');
  if (kind === 'server' && parts.length > 1) {
    return bad(
      'the URL of Redis names several servers; that is redis+sentinel://…/MASTER or redis+cluster://…',
    );
  }
  const nodes: { readonly host: string; readonly port: number }[] = [];
  for (const [index, part] of parts.entries()) {
    const which = parts.length === 1 ? 'the host' : `host ${index + 1}`;
    const match = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::([0-9]{1,9}))?$/.exec(part);
    if (match === null) return bad(`${which} in the URL of Redis is not host:port`);
    const [, six, name = '', digits = kind === 'sentinel' ? '26379' : '6379'] = match;
    const host = six ?? name.toLowerCase();
    const isHost = six === undefined ? whyNoHostName(host) === undefined : isIPv6(six);
    if (host === '') return bad(`${which} in the URL of Redis is missing`);
    if (!isHost) return bad(`${which} in the URL of Redis is neither a host name nor an IP address`);
    const port = Number(digits);
    if (!(port >= 1 && port <= 65_535))
      return bad(`${which} in the URL of Redis has a port that is not 1 to 65535`);
    nodes.push({ host, port });
  }
  return good(nodes);
}

function readPath(path: string, kind: RedisTarget['kind']): Parsed<Pick<RedisTarget, 'master' | 'database'>> {
  const plain = path === '/' ? '' : path;
  if (kind === 'cluster') {
    if (plain === '') return good({ master: undefined, database: 0 });
    return bad('a Redis cluster has no databases: its URL ends after the hosts');
  }
  if (kind === 'server') {
    if (!/^(\/[0-9]{1,4})?$/.test(plain))
      return bad('the path in the URL of Redis is a database number, such as /0');
    return good({ master: undefined, database: Number(plain.slice(1)) });
  }
  const match = /^\/([A-Za-z0-9._-]{1,128})(?:\/([0-9]{1,4})?)?$/.exec(path);
  if (match === null) {
    return bad('the URL of Redis sentinels ends in the name of the master, such as /mymaster or /mymaster/0');
  }
  return good({ master: match[1], database: Number(match[2] ?? 0) });
}

/** Of `redis.fleet`, for the JSON Schema. */
export const FLEET_PATTERN = '^[A-Za-z0-9_.-]{1,64}$';

/** The name of a fleet: it becomes part of keys, `portway:{fleet}:…`. */
export function parseFleetName(text: string): Parsed<string> {
  if (new RegExp(FLEET_PATTERN).test(text)) return good(text);
  return bad(`${show(text)} is not a name of 1 to 64 letters, digits, "-", "_" and "."`);
}
