import { type ClientHttp2Stream, constants } from 'node:http2';
import type { FailureCode } from '../../errors.ts';
import { type Expirable, Timer } from '../../time.ts';
import {
  type BackendSide,
  type Exchange,
  type FailedAttempt,
  NOT_SENT,
  type TunnelEnd,
} from '../exchange.ts';
import { grpcStatusIn } from '../grpc/grpc-call.ts';
import type { BodySink } from '../http1/chunked.ts';
import { CHUNKED } from '../http1/request-head.ts';
import { writeChunk } from '../http1/write-chunk.ts';
import type { TimeoutsPlan } from '../plan.ts';
import type { ByteEnd } from '../tunnel/byte-end.ts';
import { asExtendedConnect, requestFields } from './backend-request.ts';
import type { BackendSession } from './backend-session.ts';
import { BackendUpload } from './backend-upload.ts';
import { onWholeEnd } from './end-of-stream.ts';
import { trailerLines } from './request-trailers.ts';
import { StreamTunnelEnd } from './stream-tunnel-end.ts';
import type { RoomListener } from './stream-writer.ts';

/** RFC 9113 §7. */
const { NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_PROTOCOL_ERROR, NGHTTP2_REFUSED_STREAM } = constants;

const END_STREAM = constants.NGHTTP2_FLAG_END_STREAM;
const NO_BODY: ReadonlySet<number> = new Set([204, 304]);

/**
 * - `head`: the request is out (or going out), its answer's head is not there yet
 * - `body`: the answer's body is arriving
 * - `tunnel`
 */
type Phase = 'head' | 'body' | 'tunnel' | 'closed';

/** One exchange with a backend on a stream of HTTP/2. */
export class BackendStream implements BackendSide, Expirable, RoomListener {
  readonly #session: BackendSession;
  readonly #timer = new Timer(this);
  #exchange: Exchange | undefined;
  #phase: Phase = 'head';
  #stream: ClientHttp2Stream | undefined;
  #upload: BackendUpload | undefined;
  #wire: StreamTunnelEnd | undefined;
  #tunnel: TunnelEnd | undefined;
  /** Where the body goes that is a stream of events. */
  #events: BodySink | undefined;
  #webSocketKey = '';
  #requestEnded: boolean;
  #answered = false;
  /** Whether the answer has come to its end, as far as the backend is concerned. */
  #whole = false;
  /** Whether the client needs chunks. */
  #wraps = false;
  /** Bytes of the body still to come, where that is known. */
  #remaining = Number.POSITIVE_INFINITY;
  #trailers: readonly string[] | undefined;
  #paused = false;
  #unflushed = false;
  readonly #onUsed: boolean;
  /** What its session had heard by its start. */
  readonly #heardBefore: number;

  constructor(session: BackendSession, exchange: Exchange) {
    this.#session = session;
    this.#exchange = exchange;
    this.#requestEnded = exchange.bodyComplete;
    this.#onUsed = session.served > 1;
    this.#heardBefore = session.heardCount;
  }

  /** Sends the request; its answer goes to the exchange's client. */
  start(): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    exchange.backendSide = this;
    const { scheme, authority } = this.#session;
    const { fields, chunked } = requestFields(exchange.requestHead, scheme, authority);
    const upgrade = exchange.upgrade !== '';
    if (exchange.raw || (upgrade && !this.#mayUpgrade(exchange.upgrade))) {
      this.#abandon(exchange, 'no_upgrade');
      return;
    }
    if (upgrade) this.#webSocketKey = asExtendedConnect(fields);
    const bodiless = exchange.bodyComplete && exchange.body === '';
    try {
      // open-ended, or what is broken off would look complete: node:http2 ends a stream before it resets it
      const stream = this.#session.open(fields, bodiless && !upgrade, !bodiless);
      this.#stream = stream;
      this.#listen(stream);
      this.#upload = new BackendUpload(stream, chunked, this);
    } catch {
      this.#abandon(exchange, 'internal');
      return;
    }
    this.#armWaiting();
    if (exchange.body !== '') this.#upload.bodyText(exchange.body);
    if (!exchange.bodyComplete) exchange.client.resumeBody();
    else if (!bodiless) this.#upload.end();
  }

  #mayUpgrade(upgrade: string): boolean {
    return this.#session.takesWebSockets && upgrade.toLowerCase() === 'websocket';
  }

  /** Before anything was sent. */
  #abandon(exchange: Exchange, code: FailureCode): void {
    this.#exchange = undefined;
    this.#phase = 'closed';
    exchange.backendSide = undefined;
    this.#session.streamClosed();
    exchange.line.attemptFailed(exchange, code, NOT_SENT);
  }

  #listen(stream: ClientHttp2Stream): void {
    // 'close' follows, with the code
    stream.on('error', () => {});
    stream.on('close', () => this.#onClose(stream));
    stream.on('headers', (_fields, _flags, raw) => this.#onInterim(raw ?? []));
    stream.on('response', (_fields, flags, raw) => this.#onResponse(stream, flags, raw ?? []));
    stream.on('trailers', (_fields, _flags, raw) => {
      this.#trailers = raw;
    });
    onWholeEnd(stream, () => {
      this.#whole = true;
    });
  }

  // --- the request's body ---

  get wire(): ByteEnd {
    const { writer } = this.#upload ?? {};
    if (this.#wire !== undefined) return this.#wire;
    if (writer === undefined || this.#stream === undefined) throw new Error('a stream that was not opened');
    this.#wire = new StreamTunnelEnd(this.#stream, writer);
    return this.#wire;
  }

  bodyText(text: string): void {
    this.#upload?.bodyText(text);
  }

  bodyBytes(bytes: Buffer, start: number, end: number): void {
    this.#upload?.bodyBytes(bytes, start, end);
  }

  flush(): boolean {
    const upload = this.#upload;
    if (upload === undefined) return false;
    if (upload.broken) this.#fail('internal');
    upload.writer.flush();
    return upload.writer.full;
  }

  endRequest(): void {
    this.#requestEnded = true;
    if (this.#upload?.broken === true) this.#fail('internal');
    this.#upload?.end();
    this.#armWaiting();
  }

  onRoom(): void {
    if (this.#phase === 'tunnel') this.#tunnel?.onBackendDrain();
    else if (this.#exchange !== undefined && !this.#requestEnded) {
      this.#armWaiting();
      this.#exchange.client.resumeBody();
    }
  }

  #armWaiting(): void {
    const { owner } = this.#session;
    const timeouts: TimeoutsPlan = this.#exchange?.route?.timeouts ?? owner.timeouts;
    if (this.#phase === 'head' && this.#requestEnded) owner.wheel.arm(this.#timer, timeouts.headMs);
    else owner.wheel.arm(this.#timer, this.#silenceMs(timeouts));
  }

  /** A stream of gRPC is one of events: it says something when there is something to say. */
  #silenceMs(timeouts: TimeoutsPlan): number {
    const call = this.#phase === 'body' && this.#exchange?.grpc !== undefined;
    return call || this.#events !== undefined ? timeouts.eventStreamMs : timeouts.idleMs;
  }

  // --- the answer ---

  #onInterim(raw: readonly string[]): void {
    const exchange = this.#heard();
    if (exchange === undefined || this.#phase !== 'head') return;
    const { answers, head } = this.#session.owner;
    const facts = { ended: false, toHead: false, grpc: false, webSocketKey: '' };
    const failure = answers.read(raw, facts);
    if (failure !== undefined || head.status >= 200) this.#fail(failure ?? 'bad_response');
    else exchange.line.responseHead(exchange, head);
  }

  #onResponse(stream: ClientHttp2Stream, flags: number, raw: readonly string[]): void {
    const exchange = this.#heard();
    if (exchange === undefined || this.#phase !== 'head') return;
    const { answers, head } = this.#session.owner;
    const ended = (flags & END_STREAM) !== 0;
    const toHead = exchange.method === 'HEAD';
    const facts = { ended, toHead, grpc: exchange.grpc !== undefined, webSocketKey: this.#webSocketKey };
    const failure = answers.read(raw, facts);
    if (failure !== undefined || (head.status < 200 && head.status !== 101)) {
      this.#fail(failure ?? 'bad_response');
      return;
    }
    const bodiless = ended || toHead || NO_BODY.has(head.status);
    if (head.status !== 101) this.#startBody(exchange, head.bodyLength, bodiless);
    exchange.line.responseHead(exchange, head);
    // it has failed, is not wanted, or has become a tunnel
    if (this.#exchange !== exchange) return;
    if (bodiless) this.#finish(exchange, stream);
    else this.#readBody(stream);
  }

  #heard(): Exchange | undefined {
    this.#answered = true;
    this.#session.heard();
    return this.#exchange;
  }

  #startBody(exchange: Exchange, bodyLength: number, bodiless: boolean): void {
    this.#phase = 'body';
    this.#wraps = !bodiless && bodyLength === CHUNKED && exchange.client.speaksChunked;
    if (exchange.grpc !== undefined) exchange.grpc.takesTrailers = this.#wraps;
    if (bodiless) this.#remaining = 0;
    else if (bodyLength >= 0) this.#remaining = bodyLength;
    this.#armWaiting();
  }

  #readBody(stream: ClientHttp2Stream): void {
    stream.on('data', (bytes: Buffer) => this.#onData(bytes));
    stream.on('end', () => this.#onEnd(stream));
    this.#flushLater();
  }

  /** Head, body and trailers of a small answer come one by one in one turn of the event loop: they leave together. */
  #flushLater(): void {
    if (this.#unflushed) return;
    this.#unflushed = true;
    this.#session.flushLater(this);
  }

  /** Sends the client what was gathered for it in this turn. */
  flushClient(): void {
    this.#unflushed = false;
    if (this.#exchange?.client.flush() === true) this.pauseResponse();
  }

  #onData(bytes: Buffer): void {
    const exchange = this.#heard();
    const { length } = bytes;
    if (exchange === undefined || length === 0) return;
    this.#remaining -= length;
    if (this.#remaining < 0) {
      this.#fail('backend_truncated');
      return;
    }
    const { client } = exchange;
    if (this.#events !== undefined) this.#events.bodyBytes(bytes, 0, length);
    else if (this.#wraps) writeChunk(client, bytes, 0, length);
    else client.bodyBytes(bytes, 0, length);
    this.#armWaiting();
    this.#flushLater();
  }

  #onEnd(stream: ClientHttp2Stream): void {
    const exchange = this.#exchange;
    // what ends otherwise than with END_STREAM is closed next
    if (exchange === undefined || !this.#whole) return;
    const lacking = this.#remaining > 0 && this.#remaining !== Number.POSITIVE_INFINITY;
    const lines = this.#trailers === undefined ? '' : trailerLines(this.#trailers);
    if (lacking || lines === undefined) {
      this.#fail('backend_truncated');
      return;
    }
    if (exchange.grpc !== undefined && this.#trailers !== undefined)
      exchange.grpc.status = grpcStatusIn(this.#trailers);
    if (this.#wraps) exchange.client.bodyText(`0\r\n${lines}\r\n`);
    this.#finish(exchange, stream);
  }

  #finish(exchange: Exchange, stream: ClientHttp2Stream): void {
    this.#release();
    exchange.backendSide = undefined;
    // RFC 9113 §8.1: an answer may be complete before its request is
    if (!this.#whole || !this.#requestEnded) this.#session.reset(stream);
    else stream.resume();
    exchange.line.responseEnd(exchange);
  }

  #release(): void {
    this.#phase = 'closed';
    this.#exchange = undefined;
    this.#session.owner.wheel.release(this.#timer);
  }

  pauseResponse(): void {
    this.#paused = true;
    this.#timer.disarm();
    this.#stream?.pause();
  }

  resumeResponse(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#exchange !== undefined) this.#armWaiting();
    this.#stream?.resume();
  }

  startEvents(events: BodySink): void {
    this.#events = events;
    this.#armWaiting();
  }

  startTunnel(tunnel: TunnelEnd): void {
    const stream = this.#stream;
    if (stream === undefined) return;
    this.#release();
    this.#phase = 'tunnel';
    this.#tunnel = tunnel;
    stream.on('data', (bytes: Buffer) => tunnel.onBackendBytes(bytes, 0, bytes.length));
    stream.on('end', () => tunnel.onBackendEnd());
  }

  discard(): void {
    this.cancel();
  }

  // --- the end ---

  cancel(): void {
    this.#release();
    const stream = this.#stream;
    if (stream === undefined) return;
    if (this.#whole && this.#requestEnded) stream.resume();
    else this.#session.reset(stream);
  }

  /** Ends the attempt with `code`, and the stream with it. */
  #fail(code: FailureCode, refused?: FailedAttempt['refused']): void {
    const exchange = this.#exchange;
    const answered = this.#answered;
    this.cancel();
    if (exchange === undefined) return;
    exchange.backendSide = undefined;
    // what came before the end is not lost with it
    if (this.#unflushed) exchange.client.flush();
    // a session that says something after that, or goes on, has not been kept too long
    const { dead, heardCount } = this.#session;
    const reused = this.#onUsed && dead && heardCount === this.#heardBefore;
    const attempt = { sent: true, reused, answered };
    exchange.line.attemptFailed(exchange, code, refused === undefined ? attempt : { ...attempt, refused });
  }

  #onClose(stream: ClientHttp2Stream): void {
    const phase = this.#phase;
    this.#session.streamClosed();
    if (phase === 'tunnel') {
      this.#phase = 'closed';
      this.#tunnel?.onBackendClose();
    } else if (phase === 'body') this.#fail('backend_truncated');
    else if (phase === 'head') this.#failHead(stream);
  }

  #failHead(stream: ClientHttp2Stream): void {
    if (this.#session.isUnprocessed(stream.id)) this.#fail('backend_closed', 'connection');
    else if (stream.rstCode === NGHTTP2_REFUSED_STREAM) this.#fail('stream_refused', 'request');
    else if (stream.rstCode === NGHTTP2_PROTOCOL_ERROR) this.#fail('bad_response');
    else if (stream.rstCode === NGHTTP2_ENHANCE_YOUR_CALM) this.#fail('response_head_too_large');
    else this.#fail('backend_closed');
  }

  onDeadline(): void {
    if (this.#phase === 'head') {
      if (this.#requestEnded) this.#failSilent('response_timeout');
      else if (this.#upload?.writer.empty === false) this.#failSilent('idle_timeout');
      else this.#armWaiting();
    } else if (this.#phase === 'body' && !this.#paused) this.#failSilent('idle_timeout');
  }

  /** Either the backend is slow with this request, or it is gone: then all others need not wait as long. */
  #failSilent(code: FailureCode): void {
    this.#session.checkAlive();
    this.#fail(code);
  }
}
