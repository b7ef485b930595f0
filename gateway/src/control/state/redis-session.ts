import { Cluster, Redis } from 'ioredis';
import { RedisFailure } from './redis-failure.ts';
import type { RedisAddress } from './redis-options.ts';

export type RedisClient = Redis | Cluster;

/** The connections of one attempt: to send commands, and to hear the channel. It ends as a whole and never reconnects. */
export interface RedisSession {
  readonly client: RedisClient;
  /** Rejects when a connection cannot be made or the channel not be heard. */
  connect(): Promise<void>;
  /** At once; nothing is heard of it after that. */
  destroy(): void;
}

export interface SessionListener {
  onMessage(text: string): void;
  /** A connection is gone. */
  onEnd(error: Error): void;
}

/** Connections to `address` that hear `channel`; none is made before `connect`. */
export function openSession(address: RedisAddress, channel: string, listener: SessionListener): RedisSession {
  const { server, cluster } = address;
  const subscriber = new Redis(server);
  const client = cluster === undefined ? new Redis(server) : new Cluster([...cluster.nodes], cluster.options);
  let live = true;
  let lastError: Error | undefined;
  for (const each of [client, subscriber]) {
    each.on('error', (error: Error) => {
      lastError = error;
    });
    each.on('end', () => {
      if (live) listener.onEnd(lastError ?? new Error('connection closed'));
    });
  }
  subscriber.on('message', (heard: string, text: string) => {
    if (live && heard === channel) listener.onMessage(text);
  });
  return {
    client,
    async connect() {
      try {
        await Promise.all([client.connect(), subscriber.connect()]);
        // ioredis throws where nobody can catch it when something that is no Redis answers SUBSCRIBE
        const greetings = await Promise.all([client.ping(), subscriber.ping()]);
        if (greetings.some((greeting) => greeting !== 'PONG')) throw new RedisFailure('it is not a Redis');
        await subscriber.subscribe(channel);
      } catch (error) {
        // what went wrong says more than "connection is closed", which came of it
        throw error instanceof RedisFailure ? error : (lastError ?? error);
      }
    },
    destroy() {
      live = false;
      client.disconnect();
      subscriber.disconnect();
    },
  };
}
