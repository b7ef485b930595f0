import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type ClientSessionOptions,
  constants,
  connect as openSession,
} from 'node:http2';
import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, TLSSocket } from 'node:tls';
import type { FailureCode } from '../../errors.ts';
import { type Expirable, Timer, type TimerWheel } from '../../time.ts';
import { connectFailureOf } from '../connect-failure.ts';
import type { Exchange } from '../exchange.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import type { TimeoutsPlan } from '../plan.ts';
import type { AnswerReader } from './backend-answer.ts';
import { BackendStream } from './backend-stream.ts';
import { closedByUs } from './own-close.ts';
import { resetStream } from './reset-stream.ts';

/** What a session needs of the agent it belongs to, and what it tells it. */
export interface SessionOwner {
  readonly wheel: TimerWheel;
  readonly timeouts: TimeoutsPlan;
  readonly head: ResponseHead;
  readonly answers: AnswerReader;
  /** How long a session without streams is kept. */
  readonly idleMs: number;
  /** Its backend has said what it allows: requests may be sent. */
  ready(session: BackendSession): void;
  connectFailed(session: BackendSession, code: FailureCode): void;
  /** There is room for another stream. */
  freed(session: BackendSession): void;
  /** It takes no further streams. */
  retiring(session: BackendSession): void;
  /** It is over. */
  gone(session: BackendSession, reason: string): void;
}

export interface SessionOptions {
  /** The address dialled, to find sessions with addresses that are gone. */
  readonly ip: string;
  readonly port: number;
  /** Left out for HTTP/2 in the clear. */
  readonly tls?: ConnectionOptions;
  /** `:authority` of requests that name no host. */
  readonly authority: string;
  /** When it is to serve no further request. */
  readonly expiresMs: number;
}

/** Streams at once, however many a backend allows: beyond that another session shares the load better. */
const MAX_STREAMS = 1_000;
/** What a backend may send ahead on one stream: what a client that does not read costs, and what a round trip can carry. */
const STREAM_WINDOW_BYTES = 256 * 1024;
/** The session's own is refilled as bytes arrive, whoever reads them: it only has to be no bottleneck. */
const SESSION_WINDOW_BYTES = 16 * 1024 * 1024;
const MAX_HEADER_LIST_BYTES = 64 * 1024;
const MAX_HEADER_PAIRS = 500;
/** Of node:http2 for one session, in MB: frames on their way out, above all. */
const MAX_MEMORY_MB = 64;
const OPTIONS: ClientSessionOptions & { readonly strictSingleValueFields: boolean } = {
  maxHeaderListPairs: MAX_HEADER_PAIRS,
  maxSessionMemory: MAX_MEMORY_MB,
  maxReservedRemoteStreams: 0,
  // a client may send two fields of a name that usually comes once: the backend's to judge
  strictSingleValueFields: false,
  settings: {
    enablePush: false,
    initialWindowSize: STREAM_WINDOW_BYTES,
    maxHeaderListSize: MAX_HEADER_LIST_BYTES,
  },
};
/**
 * Requests that were given up: backends take many on one session for an attack (CVE-2023-44487) and end it, with all that
 * others have on it. nghttp2 bears 1000 at once, Envoy 500.
 */
const MAX_RESETS = 200;
/** A backend that says nothing for so long, while it is expected to, is asked whether it is there. */
const QUIET_MS = 10_000;
/** Asked again without having sent anything: gRPC servers take more often for abuse (grpc-go's and grpc-core's default). */
const PING_AGAIN_MS = 300_000;
const PING_ANSWER_MS = 5_000;

/**
 * - `connecting`: up to the backend's SETTINGS, before which nothing is sent
 * - `open`
 * - `retiring`: takes no further streams, and ends with its last one
 */
type Phase = 'connecting' | 'open' | 'retiring' | 'closed';

/** One HTTP/2 connection to a backend. */
export class BackendSession implements Expirable {
  readonly owner: SessionOwner;
  readonly ip: string;
  readonly authority: string;
  readonly scheme: 'http' | 'https';
  readonly socket: Socket;
  expiresMs: number;
  /** Requests sent so far, and those under way. */
  served = 0;
  streams = 0;
  /** How often it has said something. */
  heardCount = 0;
  /** Streams above that one are not processed (GOAWAY); undefined before that is said. */
  lastStreamId: number | undefined = undefined;
  #phase: Phase = 'connecting';
  #session: ClientHttp2Session | undefined;
  #maxStreams = 0;
  #resets = 0;
  #takesWebSockets = false;
  readonly #timer = new Timer(this);
  #heardMs = 0;
  #pingedMs = Number.NEGATIVE_INFINITY;
  #pinging = false;
  #reason = 'backend';
  #unflushed: BackendStream[] = [];
  #error: Error | undefined;

  constructor(owner: SessionOwner, options: SessionOptions) {
    const { ip, port, tls } = options;
    this.owner = owner;
    this.ip = ip;
    this.authority = options.authority;
    this.expiresMs = options.expiresMs;
    this.scheme = tls === undefined ? 'http' : 'https';
    owner.wheel.arm(this.#timer, owner.timeouts.connectMs);
    const address = { host: ip, port, noDelay: true, keepAlive: true };
    const socket =
      tls === undefined
        ? connect({ ...address, autoSelectFamily: false })
        : connectTls({ ...address, ...tls });
    this.socket = socket;
    // before anything else can happen; node:http2 has listeners of its own later
    socket.on('error', (error) => {
      this.#error ??= error;
    });
    socket.on('close', () => this.#onSocketClose());
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => this.#onConnect());
  }

  get room(): boolean {
    return this.#phase === 'open' && this.streams < this.#maxStreams && this.#session?.closed === false;
  }

  get maxStreams(): number {
    return this.#maxStreams;
  }

  /** Whether its connection is over, with all streams there were. */
  get dead(): boolean {
    return this.#phase === 'closed' || this.#session?.destroyed === true;
  }

  /** Whether it lets WebSockets be opened (RFC 8441 §3). */
  get takesWebSockets(): boolean {
    return this.#takesWebSockets;
  }

  #onConnect(): void {
    const { socket } = this;
    if (this.#phase !== 'connecting') return;
    if (socket instanceof TLSSocket && socket.alpnProtocol !== 'h2') {
      this.#failConnect('no_http2');
      return;
    }
    try {
      this.#open();
    } catch {
      this.#failConnect('connect_failed');
    }
  }

  /** @throws Error for a socket that is closing already */
  #open(): void {
    const { socket, scheme } = this;
    const session = openSession(`${scheme}://backend`, { ...OPTIONS, createConnection: () => socket });
    this.#session = session;
    session.on('error', (error) => {
      this.#error ??= error;
    });
    session.on('close', () => this.#onClose());
    // its streams are its last by `retire`
    closedByUs(session, () => {});
    session.on('goaway', (_code, lastStreamId) => this.#onGoaway(lastStreamId));
    session.on('remoteSettings', () => this.#onSettings(session));
    session.on('connect', () => {
      if (!session.destroyed) session.setLocalWindowSize(SESSION_WINDOW_BYTES);
    });
  }

  #onSettings(session: ClientHttp2Session): void {
    const { maxConcurrentStreams = Number.POSITIVE_INFINITY, enableConnectProtocol } = session.remoteSettings;
    this.#maxStreams = Math.min(maxConcurrentStreams, MAX_STREAMS);
    this.#takesWebSockets = enableConnectProtocol === true;
    if (this.#phase === 'connecting') {
      this.#phase = 'open';
      this.owner.ready(this);
      if (this.streams === 0) this.rest();
    } else if (this.room) this.owner.freed(this);
  }

  // --- streams ---

  /** Sends the request of `exchange` on a stream of its own. */
  start(exchange: Exchange): void {
    this.streams += 1;
    this.served += 1;
    if (this.streams === 1) {
      this.#heardMs = this.owner.wheel.nowMs;
      this.owner.wheel.arm(this.#timer, QUIET_MS);
    }
    new BackendStream(this, exchange).start();
  }

  /** @throws Error for fields that node:http2 refuses */
  open(fields: readonly string[], endStream: boolean, waitForTrailers: boolean): ClientHttp2Stream {
    if (this.#session === undefined)
      throw new Error('a session that is not connected was asked for a stream');
    return this.#session.request(fields, { endStream, waitForTrailers });
  }

  /** A stream of its is over. */
  streamClosed(): void {
    this.streams -= 1;
    if (this.#phase === 'closed') return;
    if (this.#phase === 'open') this.owner.freed(this);
    if (this.streams > 0) return;
    if (this.#phase === 'retiring') this.#end();
    else this.rest();
  }

  /** Calls `flushClient` at the end of this turn of the event loop. */
  flushLater(stream: BackendStream): void {
    if (this.#unflushed.length === 0) setImmediate(this.#flush);
    this.#unflushed.push(stream);
  }

  readonly #flush = (): void => {
    const streams = this.#unflushed;
    this.#unflushed = [];
    for (const stream of streams) stream.flushClient();
  };

  /** The backend has sent something. */
  heard(): void {
    this.heardCount += 1;
    this.#heardMs = this.owner.wheel.nowMs;
  }

  /** Whether a stream that the backend closed has not been processed by it, since its GOAWAY says so (RFC 9113 §6.8). */
  isUnprocessed(streamId: number | undefined): boolean {
    // without a number it was never sent: the session had been closed already
    if (streamId === undefined) return true;
    return this.lastStreamId !== undefined && streamId > this.lastStreamId;
  }

  /** A stream of its is given up. */
  reset(stream: ClientHttp2Stream): void {
    if (stream.closed) return;
    resetStream(stream, constants.NGHTTP2_CANCEL);
    this.#resets += 1;
    if (this.#resets === MAX_RESETS) this.retire('resets');
  }

  // --- the end ---

  /** Without streams it is closed after a while. */
  rest(): void {
    if (this.#phase === 'open') this.owner.wheel.arm(this.#timer, this.owner.idleMs);
  }

  /** Takes no further streams, and closes after the last one; now, if there is none. */
  retire(reason: string): void {
    if (this.#phase !== 'open') return;
    this.#phase = 'retiring';
    this.#reason = reason;
    this.owner.retiring(this);
    if (this.streams === 0) this.#end();
  }

  /** Ends it, whatever it carries. */
  destroy(reason: string): void {
    if (this.#phase === 'closed') return;
    this.#reason = reason;
    this.#session?.destroy();
    this.socket.destroy();
  }

  /** With GOAWAY and FIN; what is closed gently would wait for the backend's. */
  #end(): void {
    this.#session?.destroy();
  }

  #onGoaway(lastStreamId: number): void {
    this.lastStreamId = lastStreamId;
    this.retire('goaway');
  }

  onDeadline(): void {
    if (this.#phase === 'connecting') this.#failConnect('connect_timeout');
    else if (this.streams > 0) this.#watch();
    else if (this.#phase === 'open') this.retire('idle');
  }

  /** A backend that is gone without a word would keep every stream waiting: it is asked for a sign of life. */
  #watch(): void {
    const { wheel } = this.owner;
    const nowMs = wheel.nowMs;
    if (this.#pinging) {
      this.destroy('dead');
      return;
    }
    const since = Math.max(this.#heardMs + QUIET_MS, this.#askedInVain ? this.#pingedMs + PING_AGAIN_MS : 0);
    if (nowMs < since) wheel.arm(this.#timer, since - nowMs);
    else this.checkAlive();
  }

  /** Whether nothing but the answer to a ping came since the last one. */
  get #askedInVain(): boolean {
    return this.#heardMs < this.#pingedMs;
  }

  /** Asks the backend for a sign of life now, if it has not been asked since it last sent something. */
  checkAlive(): void {
    const { wheel } = this.owner;
    if (this.#pinging || this.#session === undefined || this.#session.closed || this.dead) return;
    this.#pinging = true;
    this.#pingedMs = wheel.nowMs;
    wheel.arm(this.#timer, PING_ANSWER_MS);
    this.#session.ping((error) => {
      this.#pinging = false;
      if (error === null && this.streams > 0) wheel.arm(this.#timer, QUIET_MS);
    });
  }

  #failConnect(code: FailureCode): void {
    this.#phase = 'closed';
    this.owner.wheel.release(this.#timer);
    this.#session?.destroy();
    this.socket.destroy();
    this.owner.connectFailed(this, code);
  }

  #onSocketClose(): void {
    // once there is a session, it closes after its socket
    if (this.#session === undefined) this.#onClose();
  }

  #onClose(): void {
    if (this.#phase === 'closed') return;
    if (this.#phase === 'connecting') {
      this.#failConnect(this.#connectFailure());
      return;
    }
    this.#phase = 'closed';
    this.owner.wheel.release(this.#timer);
    this.owner.gone(this, this.#reason);
  }

  #connectFailure(): FailureCode {
    if (this.#session === undefined) return connectFailureOf(this.#error, this.scheme === 'https');
    const { code = '' } = (this.#error ?? {}) as NodeJS.ErrnoException;
    return code.startsWith('ERR_HTTP2_') ? 'no_http2' : 'backend_closed';
  }
}
