import type { FailureCode } from '../../errors.ts';
import type { TimerWheel } from '../../time.ts';
import type { AgentContext } from '../agent.ts';
import type { AgentCounters, AgentStats, BackendAgent } from '../backend-agent.ts';
import { backendTlsOptions } from '../backend-tls.ts';
import { deepEqualPlan } from '../changed-fields.ts';
import { ConnectionQueue } from '../connection-queue.ts';
import { type Dial, lifeOf, untried } from '../dial.ts';
import { type Exchange, NOT_SENT } from '../exchange.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import type { BackendPlan, PoolPlan, TimeoutsPlan, TlsPlan } from '../plan.ts';
import { NoAddress } from '../resolver.ts';
import { AnswerReader } from './backend-answer.ts';
import { BackendSession, type SessionOptions, type SessionOwner } from './backend-session.ts';

/** Streams that a session being opened is taken to allow, as long as none has told otherwise. */
const USUAL_STREAMS = 100;

/**
 * The sessions of HTTP/2 to one backend: as many streams on each as the backend allows, the oldest session filled first (so
 * that those which are needed no more can rest and go), further ones up to `maxConnections`, and a bounded queue for what
 * finds no room.
 */
export class Http2Agent implements BackendAgent, SessionOwner {
  readonly wheel: TimerWheel;
  readonly head: ResponseHead;
  readonly answers: AnswerReader;
  readonly counters: AgentCounters = { connects: 0, connectFailures: 0, reuses: 0, closed: new Map() };
  timeouts: TimeoutsPlan;
  readonly #context: AgentContext;
  readonly #backend: BackendPlan;
  #plan: PoolPlan;
  #tls: TlsPlan;
  readonly #queue: ConnectionQueue;
  /** Those that take requests, in the order in which they were opened; and those that only end what they carry. */
  readonly #open = new Set<BackendSession>();
  readonly #leaving = new Set<BackendSession>();
  readonly #dials = new Map<BackendSession, Dial>();
  /** Sessions on their way, from the look-up of the name on. */
  #connecting = 0;
  #usualStreams = USUAL_STREAMS;
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
    this.head = context.head;
    this.answers = new AnswerReader(context.head);
    this.#queue = new ConnectionQueue(context.wheel);
    this.#backend = backend;
    this.#plan = plan;
    this.timeouts = timeouts;
    this.#tls = tls;
  }

  get stats(): AgentStats {
    let idle = 0;
    for (const session of this.#open) if (session.streams === 0) idle += 1;
    const active = this.#open.size + this.#leaving.size - idle;
    return { active, idle, connecting: this.#connecting, queued: this.#queue.size };
  }

  get maxConnections(): number {
    return this.#plan.maxConnections;
  }

  get idleMs(): number {
    return this.#plan.idleTimeoutMs;
  }

  update(plan: PoolPlan, timeouts: TimeoutsPlan, tls: TlsPlan): void {
    const replaced = !deepEqualPlan(this.#tls, tls);
    this.#tls = tls;
    this.#plan = plan;
    this.timeouts = timeouts;
    if (replaced) {
      this.#tlsSession = undefined;
      for (const session of [...this.#open]) session.retire('replaced');
    }
    // those that rest go first
    const byUse = [...this.#open].sort((one, other) => one.streams - other.streams);
    for (const session of byUse.slice(0, Math.max(0, this.#size - plan.maxConnections)))
      session.retire('replaced');
    this.#serve();
  }

  take(exchange: Exchange, fresh: boolean): FailureCode | undefined {
    // where none can be opened, one that is there is better than none
    const anew = fresh && this.#mayOpen(true);
    const session = anew ? undefined : this.#roomy();
    if (session !== undefined) {
      this.#start(session, exchange);
      return undefined;
    }
    const opening = anew || this.#mayOpen(false);
    if (!opening && this.#queue.size - this.#expected >= this.#plan.maxQueue) return 'queue_full';
    const limitMs = (opening ? this.timeouts.connectMs : 0) + this.#plan.queueTimeoutMs;
    this.#queue.add(exchange, anew, limitMs, () => this.#giveUp(exchange, opening));
    exchange.record?.waitsForConnection(opening);
    this.#grow();
    return undefined;
  }

  cancel(exchange: Exchange): void {
    this.#queue.remove(exchange);
  }

  closeIdle(): void {
    for (const session of [...this.#open]) if (session.streams === 0) session.retire('shutdown');
  }

  destroy(): void {
    this.#closed = true;
    for (const session of [...this.#dials.keys(), ...this.#open, ...this.#leaving])
      session.destroy('shutdown');
  }

  addressesChanged(host: string, addresses: readonly string[]): void {
    if (host !== this.#backend.host) return;
    for (const session of [...this.#open])
      if (!addresses.includes(session.ip)) session.retire('address-gone');
  }

  // --- told by its sessions ---

  ready(session: BackendSession): void {
    const dial = this.#dials.get(session);
    this.#dials.delete(session);
    this.#connecting -= 1;
    this.counters.connects += 1;
    this.#open.add(session);
    this.#usualStreams = session.maxStreams;
    while (session.room) {
      const next = this.#queue.next(true);
      if (next === undefined) break;
      this.#queue.remove(next);
      next.record?.connected(this.wheel.look(), dial?.sinceMs);
      this.#start(session, next);
    }
    this.#grow();
  }

  freed(session: BackendSession): void {
    this.#usualStreams = session.maxStreams;
    this.#serve();
  }

  retiring(session: BackendSession): void {
    this.#open.delete(session);
    this.#leaving.add(session);
    this.#serve();
  }

  gone(session: BackendSession, reason: string): void {
    this.#open.delete(session);
    this.#leaving.delete(session);
    this.counters.closed.set(reason, (this.counters.closed.get(reason) ?? 0) + 1);
    this.#serve();
  }

  connectFailed(session: BackendSession, code: FailureCode): void {
    const dial = this.#dials.get(session);
    if (dial === undefined) return;
    this.#dials.delete(session);
    this.#context.resolver.invalidate(this.#backend.host, session.ip);
    // the time for connecting is over; or one address fails, but the name may have others, or new ones
    if (code === 'connect_timeout') this.#connectEnded(code);
    else this.#dialNext({ tried: [...dial.tried, session.ip], sinceMs: dial.sinceMs }, code);
  }

  // --- streams ---

  #start(session: BackendSession, exchange: Exchange): void {
    if (session.served > 0) this.counters.reuses += 1;
    session.start(exchange);
  }

  /** The oldest session with room for another stream. */
  #roomy(): BackendSession | undefined {
    for (const session of this.#open) {
      const old = session.served >= this.#plan.maxRequests || this.wheel.nowMs >= session.expiresMs;
      if (old) session.retire('aged');
      else if (session.room) return session;
    }
    return undefined;
  }

  /** Gives those who wait to sessions that have room, and opens others for the rest. */
  #serve(): void {
    while (this.#queue.size > 0) {
      const next = this.#queue.next(false);
      const session = next === undefined ? undefined : this.#roomy();
      if (next === undefined || session === undefined) break;
      this.#queue.remove(next);
      next.record?.connected(this.wheel.look(), undefined);
      this.#start(session, next);
    }
    this.#grow();
  }

  // --- opening ---

  get #size(): number {
    return this.#open.size + this.#connecting;
  }

  /** How many of those who wait the sessions on their way have room for. */
  get #expected(): number {
    return this.#connecting * this.#usualStreams;
  }

  /** Whether a session is on its way for one more that waits, or may be opened for it. */
  #mayOpen(fresh: boolean): boolean {
    if (this.#queue.size < this.#expected || this.#size < this.#plan.maxConnections) return true;
    if (!fresh) return false;
    // one that rests makes room for a new one
    for (const session of this.#open) {
      if (session.streams > 0) continue;
      session.retire('replaced');
      return true;
    }
    return false;
  }

  #grow(): void {
    // one more session would allow none either
    if (this.#usualStreams === 0 && this.#open.size > 0) return;
    while (this.#expected < this.#queue.size && this.#size < this.#plan.maxConnections && !this.#closed)
      this.#dialNext(this.#newDial(), 'dns_failed');
  }

  #newDial(): Dial {
    this.#connecting += 1;
    return { tried: [], sinceMs: this.wheel.look() };
  }

  /** Dials the first address not yet tried; with none left the connect has failed, for the reason given. */
  #dialNext(dial: Dial, failure: FailureCode): void {
    this.#context.resolver.resolve(this.#backend.host, (error, addresses) => {
      const next = untried(dial, addresses);
      if (this.#closed) this.#connectEnded('shutting_down');
      else if (next === undefined) this.#connectEnded(error instanceof NoAddress ? error.code : failure);
      else this.#dial(next, dial);
    });
  }

  #dial(ip: string, dial: Dial): void {
    const { host, port, protocol, name } = this.#backend;
    const tls = protocol === 'h2' ? { tls: backendTlsOptions(this.#tls, host, 'h2', this.#tlsSession) } : {};
    const expiresMs = this.wheel.nowMs + lifeOf(this.#plan.maxAgeMs, this.#context.random);
    const session = this.#newSession({ ip, port, authority: name, expiresMs, ...tls });
    if (session === undefined) {
      this.#connectEnded('tls_failed');
      return;
    }
    this.#dials.set(session, dial);
    session.socket.on('session', (tlsSession: Buffer) => {
      this.#tlsSession = tlsSession;
    });
  }

  /** Undefined for authorities that cannot be parsed. */
  #newSession(options: SessionOptions): BackendSession | undefined {
    try {
      return new BackendSession(this, options);
    } catch {
      return undefined;
    }
  }

  /** A connect failed: it takes as many with it as it would have served, which may then try another backend. */
  #connectEnded(code: FailureCode): void {
    this.#connecting -= 1;
    this.counters.connectFailures += 1;
    const alone = this.#open.size === 0 && this.#connecting === 0;
    const failed: Exchange[] = [];
    for (let left = alone ? this.#queue.size : 1; left > 0; left--) {
      const next = this.#queue.next(true);
      if (next === undefined) break;
      this.#queue.remove(next);
      failed.push(next);
    }
    this.#grow();
    for (const exchange of failed) exchange.line.attemptFailed(exchange, code, NOT_SENT);
  }

  /** @param opening whether a session was being opened for it: then that is what took too long (a look-up, say) */
  #giveUp(exchange: Exchange, opening: boolean): void {
    this.cancel(exchange);
    const code = opening && this.#connecting > 0 ? 'connect_timeout' : 'queue_timeout';
    exchange.line.attemptFailed(exchange, code, NOT_SENT);
  }
}
