import type { ClusterOptions, RedisOptions } from 'ioredis';
import { addressText } from '../../address-text.ts';
import { parseRedisUrl, type RedisTarget } from '../config/redis-url.ts';

import { DirectConnector, MasterConnector } from './redis-connectors.ts';

/** Replies in the shapes of RESP2, whichever protocol is spoken. */
type ServerOptions = RedisOptions & { readonly replyMapping: 'legacy' };

/** What ioredis is told of one Redis, and how Redis is called in logs: without user and password. */
export interface RedisAddress {
  readonly label: string;
  /** One server, that the channel is heard from; in a cluster any node will do. */
  readonly server: ServerOptions;
  /** In a cluster: where commands go. */
  readonly cluster:
    | {
        readonly nodes: RedisTarget['nodes'];
        readonly options: ClusterOptions & { readonly redisOptions: ServerOptions };
      }
    | undefined;
}

/** A command that has no answer after this long says that Redis hangs. */
export const COMMAND_TIMEOUT_MS = 1_000;

/**
 * How ioredis reaches the Redis of `url`. One client is one connection: it never reconnects, queues or resends by
 * itself (`redis-link.ts` makes a new one instead), so what is lost with a connection is known to be lost.
 * @param attempt counts the attempts to connect: what only trying can tell is tried in turn
 * @throws TypeError when the URL cannot be read; the message shows nothing of it
 */
export function redisAddress(url: string, attempt = 0): RedisAddress {
  const parsed = parseRedisUrl(url);
  if (!parsed.ok) throw new TypeError('the URL of Redis cannot be read');
  const target = parsed.value;
  const shared = connectionOptions(target);
  const label = target.nodes.map(({ host, port }) => addressText(host, port)).join(',');
  if (target.kind === 'sentinel') {
    // sentinels may or may not want the password of the Redis they watch, and the URL cannot say
    const server = { ...shared, ...sentinelOptions(target, attempt % 2 === 1) };
    return { label: `${target.master} of sentinels ${label}`, server, cluster: undefined };
  }
  const { host, port } = target.nodes[attempt % target.nodes.length] ?? { host: 'localhost', port: 6379 };
  const server = { ...shared, host, port };
  if (target.kind === 'server') return { label, server, cluster: undefined };
  return { label, server, cluster: { nodes: target.nodes, options: clusterOptions(shared) } };
}

function connectionOptions(target: RedisTarget): ServerOptions {
  return {
    replyMapping: 'legacy',
    username: target.username,
    password: target.password,
    db: target.database,
    ...(target.tls ? { tls: {} } : {}),
    lazyConnect: true,
    retryStrategy: () => null,
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: false,
    // the first command says better than INFO, which an ACL may forbid, whether the server can serve
    enableReadyCheck: false,
    maxRetriesPerRequest: 0,
    connectTimeout: COMMAND_TIMEOUT_MS,
    commandTimeout: COMMAND_TIMEOUT_MS,
    Connector: DirectConnector,
    connectionName: 'portway',
  };
}

function sentinelOptions(target: RedisTarget, auth: boolean): Omit<RedisOptions, 'replyMapping'> {
  return {
    Connector: MasterConnector,
    sentinels: target.nodes.map(({ host, port }) => ({ host, port })),
    name: target.master,
    sentinelRetryStrategy: () => null,
    sentinelCommandTimeout: COMMAND_TIMEOUT_MS,
    ...(auth ? { sentinelUsername: target.username, sentinelPassword: target.password } : {}),
    ...(target.tls ? { sentinelTLS: {}, enableTLSForSentinelMode: true } : {}),
  };
}

function clusterOptions(
  redisOptions: ServerOptions,
): ClusterOptions & { readonly redisOptions: ServerOptions } {
  return {
    redisOptions,
    lazyConnect: true,
    clusterRetryStrategy: () => null,
    enableOfflineQueue: false,
    maxRedirections: 4,
    slotsRefreshTimeout: COMMAND_TIMEOUT_MS,
    // names stay names, for the certificates; the connection looks them up
    dnsLookup: (name, callback) => callback(null, name),
  };
}
