import { constants, type ServerHttp2Stream } from 'node:http2';
import type { FailureCode } from '../../errors.ts';
import { type ClientSide, Exchange, type TunnelEnd } from '../exchange.ts';
import type { ListenerContext } from '../http-listener.ts';
import { ChunkedDecoder } from '../http1/chunked.ts';
import { problemFor } from '../problem.ts';
import type { ClientFacts, RequestHeaders } from '../request-headers.ts';
import type { ResponseFraming } from '../response-headers.ts';
import type { ByteEnd } from '../tunnel/byte-end.ts';
import type { RequestText } from './request-text.ts';
import { resetStream } from './reset-stream.ts';
import { addFields, fieldsObject, responseFields, statusOf } from './response-fields.ts';
import { StreamTunnelEnd } from './stream-tunnel-end.ts';
import { StreamUpload, type UploadOwner } from './stream-upload.ts';
import { StreamWriter } from './stream-writer.ts';
import { webSocketAccept, webSocketKey } from './web-socket-key.ts';

const { NGHTTP2_CANCEL, NGHTTP2_INTERNAL_ERROR } = constants;

// shared, since node:http2 only reads them
const WHOLE = { endStream: true };
const WITH_BODY = {};
/**
 * For what is not complete yet. Without it node:http2 would end a stream before it resets it, and what was broken off would
 * look complete: `close(code)` calls `end()` first.
 */
const OPEN_ENDED = { waitForTrailers: true };

/** What the streams of one connection share. */
export interface StreamOwner extends UploadOwner {
  readonly context: ListenerContext;
  readonly facts: ClientFacts;
  readonly headers: RequestHeaders;
  readonly reader: RequestText;
  /** @param early whether its client broke it off before it was answered */
  closed(stream: ClientStream, early: boolean): void;
}

/**
 * - `exchange`: a request is being answered; its body may still be arriving
 * - `answered`: all of the answer was given to the stream, and some of it may still be there
 * - `tunnel`: bytes both ways
 */
type Phase = 'exchange' | 'answered' | 'tunnel' | 'closed';

/** One stream of a client's HTTP/2 connection: one request, and its answer or the tunnel that comes of it. */
export class ClientStream implements ClientSide {
  readonly facts: ClientFacts;
  readonly speaksChunked = true;
  readonly http2 = true;
  bytesOut = 0;
  readonly #owner: StreamOwner;
  readonly #stream: ServerHttp2Stream;
  readonly #writer: StreamWriter;
  #phase: Phase = 'exchange';
  #exchange: Exchange | undefined;
  #upload: StreamUpload | undefined;
  /** Fields of an answer that has begun and not been sent: a small body leaves with them. */
  #fields: string[] | undefined;
  #framing: ResponseFraming = 'none';
  #decoder: ChunkedDecoder | undefined;
  #webSocketKey = '';
  #tunnel: TunnelEnd | undefined;
  #refusedTunnel = false;
  /** When the client is known to have taken something of its answer. */
  #tookMs: number;
  #slicesSeen = 0;

  constructor(owner: StreamOwner, stream: ServerHttp2Stream) {
    this.#owner = owner;
    this.facts = owner.facts;
    this.#stream = stream;
    this.#writer = new StreamWriter(stream, this);
    this.#tookMs = owner.context.wheel.nowMs;
    stream.on('error', ignore);
    stream.on('aborted', () => this.#left());
    stream.on('close', () => this.#closed());
  }

  /**
   * Answers the request that the stream began with.
   * @param raw names and values of its HEADERS
   * @param complete whether they were all of it
   */
  begin(raw: readonly string[], complete: boolean): void {
    const { context, reader, headers } = this.#owner;
    const { head } = context;
    const makeKey = (): string => {
      this.#webSocketKey = webSocketKey(context.random);
      return this.#webSocketKey;
    };
    const failure = reader.read(raw, complete, head, context.buffers.shared, makeKey);
    if (failure !== undefined) {
      this.#refuse(failure);
      return;
    }
    this.#owner.used(reader.length);
    const exchange = new Exchange(this, context.line, context.wheel.look(), head);
    this.#exchange = exchange;
    exchange.bodyComplete = complete || reader.kind !== 'plain';
    if (!exchange.bodyComplete)
      this.#upload = new StreamUpload(this.#owner, this.#stream, exchange, head.bodyLength);
    const upload = this.#upload;
    const maxBytes = context.forward(exchange, head, headers);
    upload?.limit(maxBytes);
  }

  /** Answers what is not a request, without anything having been sent to any backend. */
  #refuse(code: FailureCode): void {
    this.#owner.context.malformed(this.facts, code);
    const problem = problemFor(code, undefined, '');
    this.startResponse(problem.head + (this.facts.hstsLine ?? ''), 'length');
    this.bodyText(problem.body);
    this.endResponse();
  }

  pauseBody(): void {
    this.#upload?.pause();
  }

  resumeBody(): void {
    this.#upload?.resume();
  }

  // --- ClientSide: the answer ---

  interim(text: string): void {
    const status = statusOf(text);
    this.bytesOut += text.length;
    if (this.#gone || this.#stream.headersSent) return;
    if (status !== 101 && status < 200) {
      this.#stream.additionalHeaders(fieldsObject(responseFields(text, String(status))));
      return;
    }
    // the answer that makes a tunnel: 200 here, whatever it is in HTTP/1.1 (RFC 8441 §5)
    const fields = responseFields(text, '200');
    if (status === 101 && !this.#accepts(fields)) this.#refusedTunnel = true;
    else this.#respondOpen(fields);
  }

  /** Whether a 101 answers our handshake. What it is seen by stays between the backend and us. */
  #accepts(fields: string[]): boolean {
    const at = fields.indexOf('sec-websocket-accept');
    if (at < 0 || this.#webSocketKey === '') return false;
    const [, accept] = fields.splice(at, 2);
    return accept === webSocketAccept(this.#webSocketKey);
  }

  startResponse(head: string, framing: ResponseFraming): void {
    const status = head.slice(9, 12);
    this.bytesOut += head.length;
    this.#fields = responseFields(head, status);
    this.#framing = framing;
    if (framing === 'chunked') this.#decoder = new ChunkedDecoder('payload');
  }

  bodyText(text: string): void {
    this.bytesOut += text.length;
    if (this.#decoder === undefined) this.#writer.bodyText(text);
    else this.#decode(Buffer.from(text, 'latin1'), 0, text.length);
  }

  bodyBytes(bytes: Buffer, start: number, end: number): void {
    this.bytesOut += end - start;
    if (this.#decoder === undefined) this.#writer.bodyBytes(bytes, start, end);
    else this.#decode(bytes, start, end);
  }

  #decode(bytes: Buffer, start: number, end: number): void {
    this.#decoder?.decode(bytes, start, end, this.#writer);
  }

  get #gone(): boolean {
    return this.#stream.destroyed || this.#stream.closed;
  }

  flush(): boolean {
    if (this.#gone) return false;
    this.#sendHead();
    this.#writer.flush();
    return this.#writer.full;
  }

  /** The head of an answer of which more is to come. */
  #sendHead(): void {
    const fields = this.#fields;
    if (fields === undefined) return;
    this.#fields = undefined;
    if (this.#framing === 'none') this.#stream.respond(fields, WHOLE);
    else this.#respondOpen(fields);
  }

  #respondOpen(fields: readonly string[]): void {
    this.#writer.waitForTrailers();
    this.#stream.on('wantTrailers', () => this.#sendTrailers());
    this.#stream.respond(fields, OPEN_ENDED);
  }

  #sendTrailers(): void {
    // node:http2 may ask for them when it has been told to break the stream off, and throws at who then answers
    if (this.#gone) return;
    const trailers: string[] = [];
    addFields(trailers, this.#decoder?.trailers ?? '', 0);
    this.#stream.sendTrailers(fieldsObject(trailers));
    this.#writer.trailersSent();
  }

  endResponse(): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    this.#upload?.drop();
    this.#phase = 'answered';
    if (this.#gone) return;
    // what the client has not sent of its request it need not send any more
    const unfinished = !this.#stream.endAfterHeaders && exchange?.bodyComplete !== true;
    const fields = this.#fields;
    this.#fields = undefined;
    const trailers = this.#decoder !== undefined && this.#decoder.trailers !== '';
    if (fields !== undefined) {
      if (trailers || !this.#writer.isOneWrite) this.#respondOpen(fields);
      else this.#stream.respond(fields, this.#writer.empty ? WHOLE : WITH_BODY);
    }
    // node:http2 drops the head of a stream that is closed in the turn in which it ended with its head
    const headAlone = fields !== undefined && !trailers && this.#writer.empty;
    this.#writer.end(unfinished && !headAlone);
    if (headAlone && unfinished) setImmediate(closeLater, this.#stream);
    // what is not read keeps a stream from closing
    if (unfinished || this.#upload !== undefined) this.#stream.resume();
    this.#tookMs = this.#owner.context.wheel.nowMs;
    if (unfinished) this.#excuseRest();
  }

  breakResponse(): void {
    this.#exchange = undefined;
    this.#upload?.drop();
    this.#phase = 'answered';
    this.#reset(NGHTTP2_INTERNAL_ERROR);
  }

  #reset(code: number): void {
    resetStream(this.#stream, code);
    this.#stream.resume();
  }

  onRoom(): void {
    if (this.#phase === 'tunnel') this.#tunnel?.onClientDrain();
    else this.#exchange?.backendSide?.resumeResponse();
  }

  // --- tunnels ---

  startTunnel(tunnel: TunnelEnd): ByteEnd {
    this.#phase = 'tunnel';
    this.#exchange = undefined;
    this.#tunnel = tunnel;
    const end = new StreamTunnelEnd(this.#stream, this.#writer);
    if (this.#refusedTunnel && !this.#gone) this.#refuseTunnel();
    if (this.#gone) {
      // it left before its tunnel was there, which learns of it once it has this end
      process.nextTick(() => tunnel.onClientClose());
      return end;
    }
    this.#stream.on('data', (bytes: Buffer) => this.#onTunnelData(bytes));
    // it may have ended its half before there was anything to end
    if (this.#stream.readableEnded) process.nextTick(() => this.#tunnel?.onClientEnd());
    else this.#stream.on('end', () => this.#tunnel?.onClientEnd());
    this.#stream.resume();
    return end;
  }

  #onTunnelData(bytes: Buffer): void {
    this.#owner.used(bytes.length);
    this.#tunnel?.onClientBytes(bytes, 0, bytes.length);
  }

  #refuseTunnel(): void {
    const { head, body } = problemFor('bad_upgrade', undefined, '');
    this.#stream.respond(responseFields(head, '502'), WITH_BODY);
    this.#stream.end(body, 'latin1');
    this.#reset(constants.NGHTTP2_NO_ERROR);
  }

  // --- the client leaves, or must ---

  /** What has come and nobody has taken yet. */
  get unreadBytes(): number {
    return this.#stream.readableLength + (this.#upload?.heldBytes ?? 0);
  }

  /** Whatever was on its way when a body was cut short was sent in good faith. */
  #excuseRest(): void {
    this.#owner.used(this.#owner.context.plan.http2?.initialWindowBytes ?? 0);
  }

  /**
   * Milliseconds that the client has left to send or take something; infinite while nothing is expected of it. Asked now and
   * then, it sees what has been taken since.
   */
  msLeft(nowMs: number): number {
    const { slices, empty } = this.#writer;
    const answered = this.#phase === 'answered';
    if (slices !== this.#slicesSeen || (empty && !answered)) {
      this.#slicesSeen = slices;
      this.#tookMs = nowMs;
    }
    const { bodyTimeoutMs } = this.#owner.context.plan;
    if (answered || !empty) return this.#tookMs + bodyTimeoutMs - nowMs;
    const upload = this.#upload;
    if (upload?.reading !== true || this.#exchange?.bodyComplete !== false) return Number.POSITIVE_INFINITY;
    return upload.heardMs + bodyTimeoutMs - nowMs;
  }

  /** It had the time that it has. */
  stalled(): void {
    const exchange = this.#exchange;
    if (exchange !== undefined && this.#writer.empty) {
      this.#owner.context.refuse(exchange, 'body_timeout');
      return;
    }
    this.#left();
    this.#reset(NGHTTP2_CANCEL);
  }

  #left(): void {
    const exchange = this.#exchange;
    const tunnel = this.#tunnel;
    this.#exchange = undefined;
    this.#tunnel = undefined;
    this.#upload?.drop();
    if (exchange !== undefined) {
      if (!exchange.bodyComplete) this.#excuseRest();
      this.#owner.context.line.clientLeft(exchange);
    }
    tunnel?.onClientClose();
  }

  #closed(): void {
    this.#left();
    const early = this.#phase === 'exchange';
    this.#phase = 'closed';
    this.#owner.closed(this, early);
  }
}

function ignore(): void {}

function closeLater(stream: ServerHttp2Stream): void {
  stream.close(constants.NGHTTP2_NO_ERROR);
}
