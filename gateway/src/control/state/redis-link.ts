import type { Clock, Random } from '../../time.ts';
import { after, within } from './deadline.ts';
import { describeFailure, RedisFailure } from './redis-failure.ts';
import { COMMAND_TIMEOUT_MS, redisAddress } from './redis-options.ts';
import { openSession, type RedisClient, type RedisSession } from './redis-session.ts';

/** Through sentinels it is several connections, one after the other. */
const CONNECT_TIMEOUT_MS = 3_000;
const MIN_BACKOFF_MS = 50;
const MAX_BACKOFF_MS = 2_000;

export interface LinkDeps {
  readonly url: string;
  readonly channel: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly listener: LinkListener;
}

interface LinkListener {
  /** Connected, and the channel is heard: the time to catch up. The link is up once this resolves; a rejection ends it. */
  onConnected(): Promise<void>;
  onUp(): void;
  /** `reason` is fit for logs. Told after each attempt that came to nothing, too. */
  onDown(reason: string): void;
  onMessage(text: string): void;
}

/**
 * Redis, as long as it is there. What fails ends the link, and another is made after a pause of 50 ms to 2 s; so there
 * is one way back from a crash, a hang, a failover and a wrong password.
 */
export class RedisLink {
  readonly #deps: LinkDeps;
  /** Host and port, without user and password. */
  readonly label: string;
  #session: RedisSession | undefined;
  #attempts = 0;
  #up = false;
  #closed = false;
  #cancelRetry: (() => void) | undefined;

  /** @throws TypeError when the URL cannot be read */
  constructor(deps: LinkDeps) {
    this.#deps = deps;
    this.label = redisAddress(deps.url).label;
  }

  get up(): boolean {
    return this.#up;
  }

  start(): void {
    void this.#attempt();
  }

  /**
   * The outcome of `work` with Redis, in at most a second. A rejection is a RedisFailure fit for logs, and has ended
   * the link.
   */
  async run<T>(work: (client: RedisClient) => Promise<T>): Promise<T> {
    const session = this.#session;
    if (session === undefined) throw new RedisFailure('it is away');
    const { clock } = this.#deps;
    try {
      return await within(clock, COMMAND_TIMEOUT_MS, work(session.client), noAnswer);
    } catch (error) {
      this.#end(session, error);
      throw new RedisFailure(describeFailure(error));
    }
  }

  /** Ends what there is and connects anew. */
  reconnect(reason: string): void {
    if (this.#session !== undefined) this.#end(this.#session, new RedisFailure(reason));
  }

  close(): void {
    this.#closed = true;
    this.#up = false;
    this.#cancelRetry?.();
    this.#session?.destroy();
    this.#session = undefined;
  }

  async #attempt(): Promise<void> {
    const { url, channel, clock, listener } = this.#deps;
    const session = openSession(redisAddress(url, this.#attempts), channel, {
      onMessage: (text) => listener.onMessage(text),
      onEnd: (error) => this.#end(session, error),
    });
    this.#session = session;
    try {
      await within(clock, CONNECT_TIMEOUT_MS, session.connect(), noAnswer);
      if (this.#session !== session) return;
      await listener.onConnected();
      if (this.#session !== session) return;
      this.#attempts = 0;
      this.#up = true;
      listener.onUp();
    } catch (error) {
      this.#end(session, error);
    }
  }

  #end(session: RedisSession, error: unknown): void {
    if (this.#session !== session) return;
    this.#session = undefined;
    this.#up = false;
    session.destroy();
    const backoffMs = Math.min(MAX_BACKOFF_MS, MIN_BACKOFF_MS * 2 ** Math.min(this.#attempts, 10));
    this.#attempts += 1;
    const { clock, random, listener } = this.#deps;
    this.#cancelRetry = after(clock, backoffMs * (0.5 + random() / 2), () => {
      this.#cancelRetry = undefined;
      if (!this.#closed) void this.#attempt();
    });
    listener.onDown(describeFailure(error));
  }
}

function noAnswer(): Error {
  return new RedisFailure('no answer in time');
}
