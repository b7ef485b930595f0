import {
  constants,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerOptions,
} from 'node:http2';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { type Expirable, Timer } from '../../time.ts';
import type { ClientLink } from '../client-links.ts';
import type { ListenerContext } from '../http-listener.ts';
import type { Http2Plan, HttpListenerPlan } from '../plan.ts';
import { type ClientFacts, RequestHeaders } from '../request-headers.ts';
import { ClientStream, type StreamOwner } from './client-stream.ts';
import { FloodGuard } from './flood-guard.ts';
import { sayWhy } from './goaway-code.ts';
import { closedByUs } from './own-close.ts';
import { RequestText } from './request-text.ts';

const { NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_FLAG_END_STREAM } = constants;

/** How often a connection is looked at: for floods, and for streams and silences that have lasted too long. */
const LOOK_MS = 1_000;
/** How long a client may take to read what it is told last. */
const LINGER_MS = 2_000;
/** An answer's fields may come to 64 KiB (response-head.ts), which HPACK may not shorten at all. */
const MAX_SEND_HEADER_BYTES = 256 * 1024;
const MIN_CONNECTION_WINDOW_BYTES = 1024 * 1024;
const MIB = 1024 * 1024;

/** One client's HTTP/2 connection. */
export class Http2ClientSession implements ClientLink, StreamOwner, Expirable {
  readonly context: ListenerContext;
  readonly facts: ClientFacts;
  readonly headers: RequestHeaders;
  readonly reader: RequestText;
  readonly #socket: Socket;
  readonly #session: ServerHttp2Session;
  /** Gently, with GOAWAY. */
  readonly #close: () => void;
  readonly #timer: Timer;
  readonly #guard: FloodGuard;
  readonly #streams = new Set<ClientStream>();
  #state: 'greeting' | 'open' | 'last-streams' | 'over' = 'greeting';
  /** What streams held at the last look. */
  #unread = 0;
  /** Since when there is no stream, or the connection is in its state. */
  #sinceMs: number;

  /**
   * @param socket as a server accepted it, after ALPN chose `h2` or with the bytes that showed the preface put back
   * (`unshift`); nothing else reads it
   */
  constructor(context: ListenerContext, socket: Socket | TLSSocket, facts: ClientFacts) {
    this.context = context;
    this.facts = facts;
    this.headers = new RequestHeaders(facts, context.ids, '2.0');
    this.reader = new RequestText(context.plan);
    this.#socket = socket;
    this.#timer = new Timer(this);
    this.#sinceMs = context.wheel.look();
    this.#guard = new FloodGuard(this.#sinceMs);
    socket.on('error', ignore);
    socket.on('close', () => this.#gone());
    // a client that has closed its half has left: nothing it may need could be sent to us any more
    socket.allowHalfOpen = false;
    this.#session = performServerHandshake(socket, optionsOf(context.plan));
    sayWhy(this.#session);
    this.#close = closedByUs(this.#session, () => this.#left());
    this.#listen(this.#session, context.plan);
    context.wheel.arm(this.#timer, Math.min(LOOK_MS, context.plan.headTimeoutMs));
  }

  #listen(session: ServerHttp2Session, plan: HttpListenerPlan): void {
    session.on('error', ignore);
    session.on('stream', (stream, _fields, flags, raw) => this.#begin(stream, flags, raw));
    session.on('ping', () => this.#check(this.#guard.ping(this.context.wheel.nowMs)));
    session.on('remoteSettings', () => {
      if (this.#state === 'greeting') this.#enter('open');
      this.#check(this.#guard.settings(this.context.wheel.nowMs));
    });
    if (session.destroyed) return;
    const window = Math.max(MIN_CONNECTION_WINDOW_BYTES, (plan.http2?.initialWindowBytes ?? 0) * 4);
    session.setLocalWindowSize(window);
  }

  #begin(stream: ServerHttp2Stream, flags: number, raw: readonly string[]): void {
    const clientStream = new ClientStream(this, stream);
    this.#streams.add(clientStream);
    // it may have been broken off in the same read
    if (!stream.destroyed && !stream.closed) clientStream.begin(raw, (flags & NGHTTP2_FLAG_END_STREAM) !== 0);
  }

  // --- StreamOwner ---

  used(bytes: number): void {
    this.#guard.used(bytes);
  }

  closed(stream: ClientStream, early: boolean): void {
    this.#streams.delete(stream);
    const { nowMs } = this.context.wheel;
    if (this.#streams.size === 0) this.#sinceMs = nowMs;
    if (this.#streams.size === 0 && this.#state === 'last-streams') setImmediate(() => this.#endIfIdle());
    if (early) this.#check(this.#guard.reset(nowMs));
    else this.#guard.answered();
  }

  // --- limits ---

  #check(withinLimits: boolean): void {
    if (!withinLimits) this.#calm();
  }

  /** Too much of what is no request: the client is told so, and that is the end. */
  #calm(): void {
    if (this.#state === 'over') return;
    this.context.counters.refused('http2_flood');
    this.#enter('over');
    this.#session.destroy(new Error('too much that is no request'), NGHTTP2_ENHANCE_YOUR_CALM);
  }

  #enter(state: 'open' | 'last-streams' | 'over'): void {
    const { wheel } = this.context;
    this.#state = state;
    this.#sinceMs = wheel.look();
    if (state === 'over') wheel.arm(this.#timer, LINGER_MS);
  }

  onDeadline(): void {
    const { wheel } = this.context;
    const { nowMs } = wheel;
    if (this.#state === 'over') {
      this.#socket.destroy();
      return;
    }
    const { bytesRead, bytesWritten } = this.#socket;
    this.#countUnread();
    this.#check(this.#guard.look(bytesRead, bytesWritten, nowMs));
    const leftMs = Math.min(this.#ownMsLeft(nowMs), this.#streamsMsLeft(nowMs));
    if (this.#closed) return;
    wheel.arm(this.#timer, Math.min(LOOK_MS, Math.max(0, leftMs)));
  }

  /** What waits for a backend to take it is of use too; it is told of (`used`) only when it is read. */
  #countUnread(): void {
    let unread = 0;
    for (const stream of this.#streams) unread += stream.unreadBytes;
    this.#guard.used(Math.max(0, unread - this.#unread));
    this.#unread = unread;
  }

  /** Whether it ends by itself now; whoever asks may have ended it a moment ago. */
  get #closed(): boolean {
    return this.#state === 'over';
  }

  #streamsMsLeft(nowMs: number): number {
    let leftMs = Number.POSITIVE_INFINITY;
    for (const stream of this.#streams) {
      const itsMs = stream.msLeft(nowMs);
      if (itsMs <= 0) stream.stalled();
      else leftMs = Math.min(leftMs, itsMs);
    }
    return leftMs;
  }

  /** What is left of the time that the connection itself has; what it is out of, it does. */
  #ownMsLeft(nowMs: number): number {
    const { plan } = this.context;
    const waitedMs = nowMs - this.#sinceMs;
    if (this.#state === 'greeting') return this.#within(plan.headTimeoutMs - waitedMs, () => this.#end());
    if (this.#streams.size > 0) return Number.POSITIVE_INFINITY;
    if (this.#state === 'last-streams') return this.#within(LINGER_MS - waitedMs, () => this.#end());
    return this.#within(plan.keepAliveTimeoutMs - waitedMs, () => this.close());
  }

  #within(leftMs: number, otherwise: () => void): number {
    if (leftMs > 0) return leftMs;
    otherwise();
    return Number.POSITIVE_INFINITY;
  }

  // --- the end ---

  /**
   * Ends an idle connection, or lets the streams under way be its last: GOAWAY names the last that is answered, and what the
   * client began after that it may send again elsewhere (RFC 9113 §6.8).
   */
  close(): void {
    if (this.#state === 'last-streams' || this.#state === 'over') return;
    this.#enter('last-streams');
    // not two GOAWAY, of which the first names no stream yet: after any that node:http2 sends, nghttp2 takes no new streams
    this.#close();
  }

  /** The client has said that it goes (GOAWAY), or is gone. It may wait for what is under way. */
  #left(): void {
    if (this.#streams.size === 0) this.#end();
    else if (this.#state === 'greeting' || this.#state === 'open') this.#enter('last-streams');
  }

  #endIfIdle(): void {
    if (this.#streams.size === 0) this.#end();
  }

  #end(): void {
    if (this.#state === 'over') return;
    this.#enter('over');
    this.#session.destroy();
  }

  destroy(): void {
    this.#state = 'over';
    this.#session.destroy();
    this.#socket.destroy();
  }

  #gone(): void {
    this.#state = 'over';
    this.context.wheel.release(this.#timer);
    this.context.closed(this);
  }
}

function ignore(): void {}

function optionsOf(plan: HttpListenerPlan): ServerOptions {
  const { maxStreams, initialWindowBytes } = plan.http2 ?? DEFAULT_PLAN;
  return {
    settings: {
      maxConcurrentStreams: maxStreams,
      initialWindowSize: initialWindowBytes,
      // beyond that node:http2 breaks the stream off; up to there it is answered with 431
      maxHeaderListSize: 2 * plan.maxHeadBytes + 32 * plan.maxHeaders,
      // RFC 8441
      enableConnectProtocol: true,
    },
    // cookies may come one by one (RFC 9113 §8.2.3)
    maxHeaderListPairs: 2 * plan.maxHeaders,
    maxSessionMemory: Math.ceil((maxStreams * (initialWindowBytes + 128 * 1024)) / MIB) + 10,
    maxSendHeaderBlockLength: MAX_SEND_HEADER_BYTES,
    maxSettings: 32,
    // flood-guard.ts sets resets off against what was answered; these only stop what it would be too late for
    streamResetBurst: 10_000,
    streamResetRate: 1_000,
    // a backend may repeat what node:http2 takes for single
    strictSingleValueFields: false,
  };
}

const DEFAULT_PLAN: Http2Plan = { maxStreams: 128, initialWindowBytes: 256 * 1024 };
