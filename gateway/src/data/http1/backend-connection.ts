import type { FailureCode } from '../../errors.ts';
import { type Expirable, Timer } from '../../time.ts';
import type { Agent } from '../agent.ts';
import { connectFailureOf } from '../connect-failure.ts';
import type { BackendSide, Exchange, TunnelEnd } from '../exchange.ts';
import { BULK_BODY_BYTES } from '../read-buffers.ts';
import type { ConnectOptions } from '../wire.ts';
import { Wire, type WireReader } from '../wire.ts';
import { type BodySink, ChunkedDecoder } from './chunked.ts';
import { discarded } from './discarded.ts';
import { CHUNKED } from './request-head.ts';
import { UNTIL_CLOSE } from './response-head.ts';
import { writeChunk } from './write-chunk.ts';

/** More than that of an answer nobody wants costs more than a new connection. */
const WORTH_READING_BYTES = 64 * 1024;

const NO_BODY: ReadonlySet<number> = new Set([204, 304]);

/**
 * - `connecting`
 * - `idle`: in its agent's hands
 * - `head`: a request is out (or going out), its answer's head is not there yet
 * - `body`: the answer's body is arriving
 * - `tunnel`
 */
type Phase = 'connecting' | 'idle' | 'head' | 'body' | 'tunnel' | 'closed';

/** One keep-alive HTTP/1.1 connection to a backend: sends requests, one at a time, and reads their answers. */
export class BackendConnection implements WireReader, BackendSide, Expirable {
  readonly wire: Wire;
  readonly #agent: Agent;
  readonly #timer: Timer;
  /** When it is to serve no more; its agent may bring that forward. */
  expiresMs: number;
  /** The address dialled, to find connections to addresses that are gone. */
  readonly ip: string;
  #phase: Phase = 'connecting';
  #exchange: Exchange | undefined;
  #carry: Buffer | undefined;
  #decoder: ChunkedDecoder | undefined;
  /** Whether each read becomes a chunk: the body has no framing of its own, and the client needs one. */
  #wraps = false;
  #remaining = 0;
  #keepAlive = true;
  #requestEnded = true;
  #answered = false;
  #bulk = false;
  #paused = false;
  #tunnel: TunnelEnd | undefined;
  /** Where the body goes that is a stream of events. */
  #events: BodySink | undefined;
  /** Requests sent so far. */
  served = 0;
  idleSinceMs = 0;

  constructor(agent: Agent, options: ConnectOptions, expiresMs: number) {
    this.#agent = agent;
    this.expiresMs = expiresMs;
    this.ip = options.host;
    this.#timer = new Timer(this);
    agent.wheel.arm(this.#timer, agent.timeouts.connectMs);
    this.wire = Wire.connect(options, this, agent.buffers);
  }

  /** Sends the request of `exchange`; its answer goes to the exchange's client. */
  start(exchange: Exchange): void {
    this.#exchange = exchange;
    this.#phase = 'head';
    this.#answered = false;
    this.#events = undefined;
    this.#requestEnded = exchange.bodyComplete;
    this.served += 1;
    exchange.backendSide = this;
    const { headMs, idleMs } = exchange.route?.timeouts ?? this.#agent.timeouts;
    this.#agent.wheel.arm(this.#timer, exchange.bodyComplete ? headMs : idleMs);
    this.wire.text(exchange.body === '' ? exchange.requestHead : exchange.requestHead + exchange.body);
    if (exchange.raw) {
      this.wire.flush();
      exchange.line.connected(exchange);
      return;
    }
    // the client's end flushes once it has passed on what it holds of the body, so that head and body leave together
    if (exchange.bodyComplete) this.wire.flush();
    else exchange.client.resumeBody();
  }

  // --- the request's body ---

  bodyText(text: string): void {
    this.wire.text(text);
  }

  bodyBytes(bytes: Buffer, start: number, end: number): void {
    this.wire.bytes(bytes, start, end);
  }

  flush(): boolean {
    this.wire.flush();
    return this.wire.pendingBytes > 0;
  }

  endRequest(): void {
    this.#requestEnded = true;
    this.wire.flush();
    this.#armWaiting();
  }

  onDrain(): void {
    if (this.#phase === 'tunnel') this.#tunnel?.onBackendDrain();
    else if (this.#exchange !== undefined && !this.#requestEnded) {
      this.#armWaiting();
      this.#exchange.client.resumeBody();
    }
  }

  #armWaiting(): void {
    const timeouts = this.#exchange?.route?.timeouts ?? this.#agent.timeouts;
    const waiting = this.#phase === 'head' && this.#requestEnded;
    const idleMs = this.#events === undefined ? timeouts.idleMs : timeouts.eventStreamMs;
    this.#agent.wheel.arm(this.#timer, waiting ? timeouts.headMs : idleMs);
  }

  // --- the answer ---

  onConnect(): void {
    this.#phase = 'idle';
    this.#agent.connected(this);
  }

  onBytes(bytes: Buffer, length: number): void {
    if (this.#phase === 'tunnel') {
      this.#tunnel?.onBackendBytes(bytes, 0, length);
      return;
    }
    const exchange = this.#exchange;
    if (exchange === undefined) {
      // an answer that nobody asked for: whatever it is, the next request must not get it (response splitting)
      this.#retire('unasked');
      return;
    }
    this.#answered = true;
    const carry = this.#carry;
    if (carry === undefined) this.#process(exchange, bytes, length);
    else {
      const all = Buffer.allocUnsafe(carry.length + length + 1);
      carry.copy(all);
      bytes.copy(all, carry.length, 0, length);
      all[carry.length + length] = 0;
      this.#carry = undefined;
      this.#process(exchange, all, carry.length + length);
    }
    if (this.#exchange === exchange && exchange.client.flush()) this.pauseResponse();
  }

  #process(exchange: Exchange, bytes: Buffer, end: number): void {
    let at = 0;
    while (this.#phase === 'head') {
      const next = this.#readHead(exchange, bytes, at, end);
      if (next < 0) return;
      at = next;
      // the exchange has failed, or a tunnel has begun: then what follows the head is its first bytes
      if (this.#exchange !== exchange) break;
    }
    if (this.#phase === 'body') this.#readBody(this.#exchange ?? exchange, bytes, at, end);
    else if (this.#phase === 'tunnel' && at < end) this.#tunnel?.onBackendBytes(bytes, at, end);
  }

  #readHead(exchange: Exchange, bytes: Buffer, start: number, end: number): number {
    if (start === end) return -1;
    const head = this.#agent.head;
    const failure = head.parse(bytes, start, end);
    if (failure === 'incomplete') {
      this.#carry = Buffer.from(bytes.subarray(start, end));
      return -1;
    }
    if (failure !== undefined) {
      this.#fail(failure === 'malformed' ? 'bad_response' : 'response_head_too_large');
      return -1;
    }
    if (head.status >= 200) this.#startBody(exchange, end - head.end);
    const bodyStart = head.end;
    exchange.line.responseHead(exchange, head);
    return bodyStart;
  }

  /** RFC 9112 §6.3: what the request was decides whether there is a body at all. */
  #startBody(exchange: Exchange, arrived: number): void {
    const head = this.#agent.head;
    this.#phase = 'body';
    this.#keepAlive = head.keepAlive;
    this.#agent.learn();
    this.#decoder = undefined;
    this.#wraps = false;
    if (exchange.method === 'HEAD' || NO_BODY.has(head.status)) this.#remaining = 0;
    else if (head.bodyLength === CHUNKED) {
      this.#decoder = new ChunkedDecoder(exchange.client.speaksChunked ? 'framed' : 'payload');
    } else if (head.bodyLength === UNTIL_CLOSE) {
      this.#wraps = exchange.client.speaksChunked;
      this.#remaining = Number.POSITIVE_INFINITY;
      this.#keepAlive = false;
    } else {
      this.#remaining = head.bodyLength;
      if (head.bodyLength - arrived > BULK_BODY_BYTES) this.#startBulk();
    }
  }

  #startBulk(): void {
    this.#bulk = true;
    this.wire.startBulk();
  }

  #readBody(exchange: Exchange, bytes: Buffer, start: number, end: number): void {
    const at =
      this.#decoder === undefined
        ? this.#readPlain(exchange, bytes, start, end)
        : this.#readChunked(exchange, bytes, start, end);
    if (at < 0) this.#fail('bad_response');
    else if (this.#decoder?.done ?? this.#remaining === 0) this.#finish(exchange, at === end);
    else this.#armWaiting();
  }

  #readPlain(exchange: Exchange, bytes: Buffer, start: number, end: number): number {
    const at = Math.min(end, start + this.#remaining);
    this.#remaining -= at - start;
    if (at === start) return at;
    if (this.#events !== undefined) this.#events.bodyBytes(bytes, start, at);
    else if (this.#wraps) writeChunk(exchange.client, bytes, start, at);
    else exchange.client.bodyBytes(bytes, start, at);
    return at;
  }

  #readChunked(exchange: Exchange, bytes: Buffer, start: number, end: number): number {
    const decoder = this.#decoder;
    if (decoder === undefined) return -1;
    if (this.#events !== undefined) return decoder.decode(bytes, start, end, this.#events);
    const at = decoder.decode(bytes, start, end, exchange.client);
    if (decoder.payloadBytes > BULK_BODY_BYTES && !this.#bulk && !decoder.done) this.#startBulk();
    return at;
  }

  /** @param clean whether the answer ended exactly where the bytes did */
  #finish(exchange: Exchange, clean: boolean): void {
    if (this.#wraps) exchange.client.bodyText('0\r\n\r\n');
    if (this.#bulk) {
      this.#bulk = false;
      this.wire.stopBulk(!exchange.client.flush());
    }
    this.#exchange = undefined;
    exchange.backendSide = undefined;
    this.resumeResponse();
    const reusable =
      clean && this.#keepAlive && this.#requestEnded && !this.wire.closed && this.#phase === 'body';
    if (reusable) this.#release();
    else this.#retire(clean ? 'not-reusable' : 'excess-bytes');
    exchange.line.responseEnd(exchange);
  }

  #release(): void {
    if (!this.#agent.keeps(this)) {
      this.#retire('aged');
      return;
    }
    this.#phase = 'idle';
    this.#agent.offer(this);
  }

  /** Waits in its agent's hands, for `idleMs` at most. */
  rest(idleMs: number, nowMs: number): void {
    this.idleSinceMs = nowMs;
    this.#agent.wheel.arm(this.#timer, idleMs);
  }

  #retire(reason: string): void {
    this.#phase = 'closed';
    this.#agent.retired(this, reason);
    this.wire.destroy();
  }

  pauseResponse(): void {
    this.#paused = true;
    this.#timer.disarm();
    this.wire.pause();
  }

  resumeResponse(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#exchange !== undefined) this.#armWaiting();
    this.wire.resume();
  }

  startTunnel(tunnel: TunnelEnd): void {
    if (this.#exchange?.raw === false) this.#agent.upgraded(this);
    this.#phase = 'tunnel';
    this.#tunnel = tunnel;
    this.#exchange = undefined;
    this.#timer.disarm();
  }

  startEvents(events: BodySink): void {
    this.#events = events;
    if (this.#decoder !== undefined) this.#decoder = new ChunkedDecoder('payload');
    this.#wraps = this.#exchange?.client.speaksChunked === true;
  }

  discard(): void {
    const exchange = this.#exchange;
    const little = this.#decoder === undefined && this.#remaining <= WORTH_READING_BYTES;
    if (exchange === undefined || !little || !this.#keepAlive || !this.#requestEnded) this.cancel();
    else this.#exchange = discarded(exchange);
  }

  // --- the end ---

  cancel(): void {
    this.#exchange = undefined;
    this.#retire('cancelled');
  }

  /** Ends the attempt with `code`, and the connection with it. */
  #fail(code: FailureCode): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    this.#retire(code);
    if (exchange === undefined) return;
    exchange.backendSide = undefined;
    exchange.line.attemptFailed(exchange, code, {
      sent: true,
      reused: this.served > 1 || this.idleSinceMs > 0,
      answered: this.#answered,
    });
  }

  onEnd(): void {
    if (this.#phase === 'tunnel') this.#tunnel?.onBackendEnd();
    else if (
      this.#phase === 'body' &&
      this.#remaining === Number.POSITIVE_INFINITY &&
      this.#exchange !== undefined
    ) {
      this.#finish(this.#exchange, true);
    } else this.#closed(undefined);
  }

  onClose(error: Error | undefined): void {
    const tunnel = this.#tunnel;
    this.#agent.wheel.release(this.#timer);
    if (this.#phase === 'tunnel') {
      this.#phase = 'closed';
      this.#agent.retired(this, 'tunnel-ended');
      tunnel?.onBackendClose();
    } else if (this.#phase !== 'closed') this.#closed(error);
  }

  #closed(error: Error | undefined): void {
    if (this.#phase === 'connecting') this.#connectFailed(error);
    else if (this.#phase === 'idle') {
      this.#agent.closedByBackend(this);
      this.#retire('backend');
    } else this.#fail(this.#phase === 'body' ? 'backend_truncated' : 'backend_closed');
  }

  #connectFailed(error: Error | undefined): void {
    this.#phase = 'closed';
    this.wire.destroy();
    this.#agent.connectFailed(this, connectFailureOf(error, this.wire.secure));
  }

  onDeadline(): void {
    switch (this.#phase) {
      case 'connecting':
        this.#phase = 'closed';
        this.wire.destroy();
        this.#agent.connectFailed(this, 'connect_timeout');
        return;
      case 'idle':
        this.#retire('idle');
        return;
      case 'head':
        if (this.#requestEnded) this.#fail('response_timeout');
        else if (this.wire.pendingBytes > 0) this.#fail('idle_timeout');
        else this.#armWaiting();
        return;
      case 'body':
        if (!this.#paused) this.#fail('idle_timeout');
    }
  }

  /** Closes an idle connection. */
  close(reason: string): void {
    this.#retire(reason);
  }
}
