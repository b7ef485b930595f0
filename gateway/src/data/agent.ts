import type { FailureCode } from '../errors.ts';
import type { Clock, Random, TimerWheel } from '../time.ts';
import type { AgentCounters, AgentStats, BackendAgent } from './backend-agent.ts';
import { backendTlsOptions } from './backend-tls.ts';
import { deepEqualPlan } from './changed-fields.ts';
import { ConnectionQueue } from './connection-queue.ts';
import { type Dial, lifeOf, untried } from './dial.ts';
import { type Exchange, NOT_SENT } from './exchange.ts';
import { BackendConnection } from './http1/backend-connection.ts';
import { FIELD_ID } from './http1/field-names.ts';
import type { ResponseHead } from './http1/response-head.ts';
import { LearnedIdle } from './learned-idle.ts';
import type { BackendPlan, PoolPlan, TimeoutsPlan, TlsPlan } from './plan.ts';
import type { ReadBuffers } from './read-buffers.ts';
import { NoAddress, type Resolver } from './resolver.ts';

/** What every agent of a gateway shares. */
export interface AgentContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly wheel: TimerWheel;
  readonly buffers: ReadBuffers;
  readonly resolver: Pick<Resolver, 'resolve' | 'invalidate'>;
  readonly head: ResponseHead;
}

/**
 * The pool of keep-alive connections to one backend: at most `maxConnections`, the one used last is used first (so that
 * the others can grow old and go), and a bounded queue for what finds none free.
 */
export class Agent implements BackendAgent {
  readonly wheel: TimerWheel;
  readonly buffers: ReadBuffers;
  readonly head: ResponseHead;
  timeouts: TimeoutsPlan;
  readonly counters: AgentCounters = { connects: 0, connectFailures: 0, reuses: 0, closed: new Map() };
  readonly #context: AgentContext;
  readonly #backend: BackendPlan;
  #plan: PoolPlan;
  #tls: TlsPlan;
  readonly #idle: BackendConnection[] = [];
  readonly #all = new Set<BackendConnection>();
  /** Those that are no requests' any more: how many there may be is their routes' affair. */
  readonly #upgraded = new Set<BackendConnection>();
  /** Those of `all` that are being dialled. */
  readonly #dials = new Map<BackendConnection, Dial>();
  readonly #queue: ConnectionQueue;
  readonly #learned: LearnedIdle;
  /** Connections on their way, from the look-up of the name on. */
  #connecting = 0;
  #tlsSession: Buffer | undefined;
  #closed = false;

  constructor(
    context: AgentContext,
    backend: BackendPlan,
    plan: PoolPlan,
    timeouts: TimeoutsPlan,
    tls: TlsPlan,
  ) {
    this.#context = context;
    this.wheel = context.wheel;
    this.#queue = new ConnectionQueue(context.wheel);
    this.buffers = context.buffers;
    this.head = context.head;
    this.#backend = backend;
    this.#plan = plan;
    this.timeouts = timeouts;
    this.#tls = tls;
    this.#learned = new LearnedIdle(plan.idleTimeoutMs);
  }

  get stats(): AgentStats {
    const idle = this.#idle.length;
    return {
      active: this.#all.size - idle - this.#dials.size,
      idle,
      connecting: this.#connecting,
      queued: this.#queue.size,
    };
  }

  get maxConnections(): number {
    return this.#plan.maxConnections;
  }

  /** Takes over new settings; connections stay, but those that TLS would make otherwise now serve no further request. */
  update(plan: PoolPlan, timeouts: TimeoutsPlan, tls: TlsPlan): void {
    if (!deepEqualPlan(this.#tls, tls)) {
      for (const connection of this.#idle.splice(0)) connection.close('replaced');
      for (const connection of this.#all) connection.expiresMs = this.wheel.nowMs;
      this.#tlsSession = undefined;
    }
    this.#tls = tls;
    this.#plan = plan;
    this.timeouts = timeouts;
    this.#learned.maxMs = plan.idleTimeoutMs;
    this.#shrink();
    this.#grow();
  }

  /** More connections than there may be now: those that rest go first, the others after use. */
  #shrink(): void {
    const { maxConnections } = this.#plan;
    while (this.#size > maxConnections && this.#idle[0] !== undefined) this.#idle[0].close('replaced');
    let surplus = this.#size - maxConnections;
    for (const connection of this.#all) {
      if (surplus-- <= 0) break;
      connection.expiresMs = this.wheel.nowMs;
    }
  }

  /**
   * Sends `exchange` on a connection now, or as soon as one is free or opened.
   * @param fresh only on a connection that has served nothing yet
   * Returns 'queue_full' when it cannot even wait.
   */
  take(exchange: Exchange, fresh: boolean): FailureCode | undefined {
    if (!fresh) {
      const connection = this.#popIdle();
      if (connection !== undefined) {
        this.counters.reuses += 1;
        connection.start(exchange);
        return undefined;
      }
    }
    // one that has rested longest makes room for a new one
    if (fresh && this.#size >= this.#plan.maxConnections) this.#idle[0]?.close('replaced');
    const room = this.#size < this.#plan.maxConnections;
    if (!room && this.#queue.size >= this.#plan.maxQueue) return 'queue_full';
    const limitMs = (room ? this.timeouts.connectMs : 0) + this.#plan.queueTimeoutMs;
    this.#queue.add(exchange, fresh, limitMs, () => this.#giveUp(exchange, room));
    exchange.record?.waitsForConnection(room);
    if (room) this.#open();
    return undefined;
  }

  /** Takes `exchange` out of the queue; its client left. */
  cancel(exchange: Exchange): void {
    this.#queue.remove(exchange);
  }

  /** Closes idle connections now and the others when their answer is complete. */
  close(): void {
    this.#closed = true;
    this.closeIdle();
  }

  closeIdle(): void {
    for (const connection of this.#idle.splice(0)) connection.close('shutdown');
  }

  /** Ends every connection, whatever it carries. */
  destroy(): void {
    this.close();
    for (const connection of [...this.#all, ...this.#upgraded]) connection.wire.destroy();
  }

  /** Closes connections to addresses that the backend's name no longer has: idle ones now, the others after use. */
  addressesChanged(host: string, addresses: readonly string[]): void {
    if (host !== this.#backend.host) return;
    for (const connection of [...this.#all]) {
      if (addresses.includes(connection.ip)) continue;
      if (this.#idle.includes(connection)) connection.close('address-gone');
      else connection.expiresMs = this.wheel.nowMs;
    }
  }

  // --- told by its connections ---

  connected(connection: BackendConnection): void {
    const dial = this.#dials.get(connection);
    this.#connecting -= 1;
    this.#dials.delete(connection);
    this.counters.connects += 1;
    this.offer(connection, dial?.sinceMs);
  }

  /** Learns from the answer whose head has just been read. */
  learn(): void {
    const fields = this.head.fields;
    if (fields.has(FIELD_ID['keep-alive'])) this.#learned.hint(fields.list(FIELD_ID['keep-alive']));
  }

  /** Whether a connection whose answer is complete may serve again. */
  keeps(connection: BackendConnection): boolean {
    if (this.#closed || connection.served >= this.#plan.maxRequests) return false;
    if (this.wheel.nowMs >= connection.expiresMs) return false;
    return this.#learned.timeoutMs(this.wheel.nowMs) > 0;
  }

  /**
   * Puts a free connection to work, or to rest.
   * @param dialledMs since when it was being opened, if it is new
   */
  offer(connection: BackendConnection, dialledMs?: number): void {
    const next = this.#queue.size === 0 ? undefined : this.#queue.next(connection.served === 0);
    if (next !== undefined) {
      this.cancel(next);
      next.record?.connected(this.wheel.look(), dialledMs);
      connection.start(next);
      return;
    }
    // only new ones are taken of those: whoever it was opened for has left
    if (this.#backend.protocol === 'tcp') {
      connection.close('unused');
      return;
    }
    const idleMs = this.#learned.timeoutMs(this.wheel.nowMs);
    connection.rest(idleMs, this.wheel.nowMs);
    this.#idle.push(connection);
  }

  /** The backend closed an idle connection. */
  closedByBackend(connection: BackendConnection): void {
    const nowMs = this.wheel.nowMs;
    this.#learned.closedAfter(nowMs - connection.idleSinceMs, nowMs);
  }

  /** It carries a WebSocket or its like from here on, and another may be opened in its place. */
  upgraded(connection: BackendConnection): void {
    if (!this.#all.delete(connection)) return;
    this.#upgraded.add(connection);
    this.#grow();
  }

  retired(connection: BackendConnection, reason: string): void {
    if (!this.#all.delete(connection) && !this.#upgraded.delete(connection)) return;
    this.counters.closed.set(reason, (this.counters.closed.get(reason) ?? 0) + 1);
    const at = this.#idle.lastIndexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
    this.#grow();
  }

  connectFailed(connection: BackendConnection, code: FailureCode): void {
    if (!this.#all.delete(connection)) return;
    this.#context.resolver.invalidate(this.#backend.host, connection.ip);
    const { tried, sinceMs } = this.#dials.get(connection) ?? { tried: [], sinceMs: this.wheel.nowMs };
    this.#dials.delete(connection);
    // the time for connecting is over; or one address fails, but the name may have others, or new ones
    if (code === 'connect_timeout') this.#failOldest(code);
    else this.#dialNext({ tried: [...tried, connection.ip], sinceMs }, code);
  }

  // --- opening ---

  /** Connections there are and those being opened. */
  get #size(): number {
    return this.#all.size + this.#connecting - this.#dials.size;
  }

  #popIdle(): BackendConnection | undefined {
    for (;;) {
      const connection = this.#idle.pop();
      if (connection === undefined) return undefined;
      if (!connection.wire.closed && this.wheel.nowMs < connection.expiresMs) return connection;
      connection.close('aged');
    }
  }

  /** Opens connections for those who wait and have none coming. */
  #grow(): void {
    while (this.#connecting < this.#queue.size && this.#size < this.#plan.maxConnections && !this.#closed)
      this.#open();
  }

  #open(): void {
    this.#connecting += 1;
    this.#dialNext({ tried: [], sinceMs: this.wheel.look() }, 'dns_failed');
  }

  /** Dials the first address not yet tried; with none left the connect has failed, for the reason given. */
  #dialNext(dial: Dial, failure: FailureCode): void {
    this.#context.resolver.resolve(this.#backend.host, (error, addresses) => {
      const next = untried(dial, addresses);
      if (this.#closed) this.#failOldest('shutting_down');
      else if (next === undefined) this.#failOldest(error instanceof NoAddress ? error.code : failure);
      else this.#dial(next, dial);
    });
  }

  #dial(ip: string, dial: Dial): void {
    const options = { host: ip, port: this.#backend.port };
    const { protocol, host } = this.#backend;
    const tls =
      protocol === 'https' ? { tls: backendTlsOptions(this.#tls, host, 'http/1.1', this.#tlsSession) } : {};
    const expiresMs = this.wheel.nowMs + lifeOf(this.#plan.maxAgeMs, this.#context.random);
    const connection = new BackendConnection(this, { ...options, ...tls }, expiresMs);
    this.#all.add(connection);
    this.#dials.set(connection, dial);
    connection.wire.socket.on('session', (session: Buffer) => {
      this.#tlsSession = session;
    });
  }

  /** A connect failed: it takes the request that has waited longest with it, which may then try another backend. */
  #failOldest(code: FailureCode): void {
    this.#connecting -= 1;
    this.counters.connectFailures += 1;
    const next = this.#queue.next(true);
    if (next === undefined) return;
    this.cancel(next);
    this.#grow();
    next.line.attemptFailed(next, code, NOT_SENT);
  }

  /** @param opening whether a connection was being opened for it: then that is what took too long (a look-up, say) */
  #giveUp(exchange: Exchange, opening: boolean): void {
    this.cancel(exchange);
    const code = opening && this.#connecting > 0 ? 'connect_timeout' : 'queue_timeout';
    exchange.line.attemptFailed(exchange, code, NOT_SENT);
  }
}
