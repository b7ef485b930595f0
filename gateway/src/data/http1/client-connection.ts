import type { FailureCode } from '../../errors.ts';
import { type Expirable, Timer } from '../../time.ts';
import { type ClientSide, Exchange, type TunnelEnd } from '../exchange.ts';
import type { ListenerContext } from '../http-listener.ts';
import { problemFor } from '../problem.ts';
import { BULK_BODY_BYTES } from '../read-buffers.ts';
import { type ClientFacts, RequestHeaders } from '../request-headers.ts';
import type { ResponseFraming } from '../response-headers.ts';
import type { Wire, WireReader } from '../wire.ts';
import { Carry, MAX_CARRY_BYTES } from './carry.ts';
import { HalfClose, LINGER_BYTES, LINGER_MS, PROCESSING, SILENT_MS } from './half-close.ts';
import { RequestBody } from './request-body.ts';

/**
 * - `head`: between requests, or in the middle of a head
 * - `exchange`: a request is being answered; its body may still be arriving
 * - `linger`: the last answer is out; what still arrives is thrown away so that the client reads its answer, not a reset
 * - `tunnel`: bytes both ways
 */
type Phase = 'head' | 'exchange' | 'linger' | 'tunnel' | 'closed';

/** One client's HTTP/1.x connection: reads requests, one at a time and in order, and writes their answers. */
export class ClientConnection implements WireReader, ClientSide, Expirable {
  readonly facts: ClientFacts;
  readonly headers: RequestHeaders;
  speaksChunked = true;
  readonly #wire: Wire;
  readonly #context: ListenerContext;
  readonly #timer: Timer;
  #phase: Phase = 'head';
  readonly #carry = new Carry();
  /** Whether part of the next head is there: its deadline counts from its first byte. */
  #headBegun = false;
  #exchange: Exchange | undefined;
  readonly #body = new RequestBody();
  #bodyPaused = false;
  #bodyBulk = false;
  #keepAlive = true;
  #halfClosed = false;
  readonly #halfClose = new HalfClose();
  #pendingSeen = 0;
  #lingered = 0;
  #reading = false;
  #tunnel: TunnelEnd | undefined;

  constructor(context: ListenerContext, facts: ClientFacts, open: (reader: WireReader) => Wire) {
    this.#context = context;
    this.#timer = new Timer(this);
    this.#wire = open(this);
    this.facts = facts;
    this.headers = new RequestHeaders(facts, context.ids);
    context.wheel.arm(this.#timer, context.plan.headTimeoutMs);
  }

  onConnect(): void {}

  onBytes(bytes: Buffer, length: number): void {
    if (this.#phase === 'tunnel') this.#tunnel?.onClientBytes(bytes, 0, length);
    else if (this.#phase === 'linger') this.#discard(length);
    else if (this.#carry.empty) this.#process(bytes, 0, length);
    else {
      this.#carry.add(bytes, 0, length);
      this.#processCarry();
    }
  }

  #processCarry(): void {
    if (this.#phase === 'head' && !this.#carry.mayHoldHead(this.#context.plan.maxHeadBytes)) {
      this.#awaitHead();
      return;
    }
    const { bytes, end } = this.#carry.take();
    this.#process(bytes, 0, end);
  }

  #process(bytes: Buffer, start: number, end: number): void {
    let at = start;
    this.#reading = true;
    while (at < end) {
      if (this.#phase === 'head' && this.#wire.pendingBytes === 0) {
        const next = this.#readHead(bytes, at, end);
        if (next < 0) break;
        at = next;
        // an empty body is complete with its head, and the answer may already be out
        if (at === end) break;
      } else if (this.#phase === 'exchange' && this.#exchange?.bodyComplete === false) {
        if (this.#exchange.backendSide === undefined) {
          this.#hold(bytes, at, end);
          break;
        }
        at = this.#readBody(this.#exchange, bytes, at, end);
        if (at < 0) break;
      } else if (this.#phase === 'exchange' || this.#phase === 'head') {
        // one request at a time, and none before the last answer has left: who reads none makes none
        this.#hold(bytes, at, end);
        break;
      } else {
        this.#discard(end - at);
        break;
      }
    }
    this.#reading = false;
    const exchange = this.#exchange;
    if (exchange?.backendSide?.flush() === true && !exchange.bodyComplete) this.pauseBody();
    if (this.#halfClosed) this.#afterEnd();
  }

  /** Keeps bytes for later, and stops reading when they are many. */
  #hold(bytes: Buffer, start: number, end: number): void {
    this.#carry.add(bytes, start, end);
    if (this.#carry.size >= MAX_CARRY_BYTES) this.#wire.pause();
  }

  #awaitHead(): void {
    if (this.#halfClosed) this.close();
    else if (!this.#headBegun) this.#context.wheel.arm(this.#timer, this.#context.plan.headTimeoutMs);
    this.#headBegun = true;
  }

  /** Returns where the body starts, or -1 when there is no whole head or the connection is done for. */
  #readHead(bytes: Buffer, start: number, end: number): number {
    const head = this.#context.head;
    const failure = head.parse(bytes, start, end);
    if (failure === 'incomplete') {
      this.#awaitHead();
      this.#carry.addHead(bytes, start, end);
      return -1;
    }
    if (failure !== undefined) {
      this.#refuse(failure);
      return -1;
    }
    this.#headBegun = false;
    this.#timer.disarm();
    // of CONNECT even HTTP/1.0 clients know the answer, which is sent like a 1xx
    this.speaksChunked = head.minorVersion === 1 || head.method === 'CONNECT';
    this.#keepAlive = head.keepAlive && !this.#context.draining;
    const exchange = new Exchange(this, this.#context.line, this.#context.wheel.look(), head);
    this.#exchange = exchange;
    this.#phase = 'exchange';
    const next = this.#body.start(exchange, head.bodyLength, bytes, head.end, end);
    this.#body.maxBytes = this.#context.forward(exchange, head, this.headers);
    if (!exchange.bodyComplete && this.#body.remaining > BULK_BODY_BYTES) {
      this.#bodyBulk = true;
      this.#wire.startBulk();
    }
    return next;
  }

  #readBody(exchange: Exchange, bytes: Buffer, start: number, end: number): number {
    this.#context.wheel.arm(this.#timer, this.#context.plan.bodyTimeoutMs);
    const next = this.#body.read(exchange, bytes, start, end);
    if (typeof next !== 'number') return this.#failBody(exchange, next);
    if (!this.#body.done) return next;
    this.#endBulk(exchange.backendSide?.flush() !== true);
    this.#timer.disarm();
    exchange.endBody();
    return next;
  }

  #failBody(exchange: Exchange, code: FailureCode): -1 {
    this.#keepAlive = false;
    this.#context.refuse(exchange, code);
    return -1;
  }

  #endBulk(settled: boolean): void {
    if (this.#bodyBulk) this.#wire.stopBulk(settled);
    this.#bodyBulk = false;
  }

  /** Answers what is not a request, without anything having been sent to any backend. */
  #refuse(code: FailureCode): void {
    this.#keepAlive = false;
    this.speaksChunked = true;
    this.#timer.disarm();
    this.#phase = 'exchange';
    this.#context.malformed(this.facts, code);
    const problem = problemFor(code, undefined, '');
    this.startResponse(problem.head + (this.facts.hstsLine ?? ''), 'length');
    this.bodyText(problem.body);
    this.endResponse();
  }

  // --- ClientSide: the answer ---

  get bytesOut(): number {
    return this.#wire.bytesAdded;
  }

  interim(text: string): void {
    if (!this.speaksChunked) return;
    this.#wire.text(text);
    this.#wire.flush();
  }

  startResponse(head: string, framing: ResponseFraming): void {
    // what the client has not sent by now it need not send, and nobody could tell where the next request starts
    if (framing === 'close' || this.#last || this.#context.draining) this.#keepAlive = false;
    if (this.#exchange !== undefined && !this.#exchange.bodyComplete) this.#keepAlive = false;
    if (!this.#keepAlive) this.#wire.text(`${head}Connection: close\r\n\r\n`);
    else this.#wire.text(this.speaksChunked ? `${head}\r\n` : `${head}Connection: keep-alive\r\n\r\n`);
  }

  /** Whether the client has sent FIN, and no request that is still to be read. */
  get #last(): boolean {
    return this.#halfClosed && this.#carry.empty && !this.#reading;
  }

  bodyText(text: string): void {
    this.#wire.text(text);
  }

  bodyBytes(bytes: Buffer, start: number, end: number): void {
    this.#halfClose.answering = true;
    this.#wire.bytes(bytes, start, end);
  }

  flush(): boolean {
    this.#wire.flush();
    const pending = this.#wire.pendingBytes;
    if (pending === 0) return false;
    if (!this.#halfClosed) this.#watchPending(pending);
    return true;
  }

  /** A client that stops reading is given up like one that stops sending. */
  #watchPending(pending: number): void {
    this.#pendingSeen = pending;
    this.#context.wheel.arm(this.#timer, this.#context.plan.bodyTimeoutMs);
  }

  endResponse(): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    this.#wire.flush();
    if (this.#phase === 'closed') return;
    if (!this.#keepAlive || this.#last) {
      this.#linger(exchange?.bodyComplete === true);
      return;
    }
    this.#phase = 'head';
    this.#context.wheel.arm(this.#timer, this.#context.plan.keepAliveTimeoutMs);
    this.#nextRequest();
  }

  #nextRequest(): void {
    if (this.#carry.empty || this.#reading || this.#wire.pendingBytes > 0) return;
    this.#wire.resume();
    this.#processCarry();
  }

  breakResponse(): void {
    this.#exchange = undefined;
    this.#wire.reset();
  }

  pauseBody(): void {
    this.#bodyPaused = true;
    this.#wire.pause();
  }

  resumeBody(): void {
    this.#bodyPaused = false;
    const exchange = this.#exchange;
    if (exchange === undefined || this.#phase !== 'exchange') return;
    if (exchange.bodyComplete) return;
    this.#context.wheel.arm(this.#timer, this.#context.plan.bodyTimeoutMs);
    if (!this.#reading) {
      if (!this.#carry.empty) this.#processCarry();
      else if (exchange.backendSide?.flush() === true) this.pauseBody();
    }
    if (!this.#bodyPaused) this.#wire.resume();
  }

  startTunnel(tunnel: TunnelEnd): Wire {
    this.#phase = 'tunnel';
    this.#exchange = undefined;
    this.#timer.disarm();
    this.#tunnel = tunnel;
    if (!this.#carry.empty) {
      const { bytes, end } = this.#carry.take();
      tunnel.onClientBytes(bytes, 0, end);
    }
    if (this.#halfClosed) tunnel.onClientEnd();
    else this.#wire.resume();
    return this.#wire;
  }

  // --- the client leaves, or must ---

  onDrain(): void {
    if (this.#phase === 'tunnel') this.#tunnel?.onClientDrain();
    else if (this.#phase === 'head') this.#nextRequest();
    else this.#exchange?.backendSide?.resumeResponse();
  }

  /**
   * FIN: the client sends no more. It may have left, or only have closed its half (RFC 9112 §9.6) and still wait for its
   * answer; TCP tells the two apart only by what comes back when we send. So while the answer is not there yet, an
   * HTTP/1.1 client is sent 102 (Processing), which means nothing to one that waits and draws a reset from one that left.
   */
  onEnd(): void {
    this.#halfClosed = true;
    if (this.#phase === 'tunnel') this.#tunnel?.onClientEnd();
    else if (this.#phase === 'exchange' && (!this.speaksChunked || this.#wire.broken)) this.#leave();
    else this.#afterEnd();
  }

  /** FIN has come: a request that lacks something is given up, one that waits is watched. */
  #afterEnd(): void {
    if (this.#phase === 'head') {
      if (this.#carry.empty || this.#wire.pendingBytes === 0) this.close();
    } else if (this.#exchange?.bodyComplete === true) this.#probe();
    else if (this.#exchange !== undefined && this.#carry.empty) this.#leave();
  }

  #probe(): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    if (exchange.status === 0) this.interim(PROCESSING);
    this.#context.wheel.arm(this.#timer, exchange.status === 0 ? this.#halfClose.nextMs() : SILENT_MS);
  }

  #leave(): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    this.#phase = 'closed';
    this.#wire.destroy();
    if (exchange !== undefined) this.#context.line.clientLeft(exchange);
  }

  onClose(): void {
    const exchange = this.#exchange;
    const tunnel = this.#tunnel;
    this.#exchange = undefined;
    this.#tunnel = undefined;
    this.#carry.clear();
    this.#phase = 'closed';
    this.#context.wheel.release(this.#timer);
    this.#context.closed(this);
    if (tunnel !== undefined) tunnel.onClientClose();
    if (exchange !== undefined) this.#context.line.clientLeft(exchange);
  }

  onDeadline(): void {
    const exchange = this.#exchange;
    if (this.#phase === 'linger') this.#leaveIfStalled();
    else if (this.#phase === 'exchange' && this.#halfClosed) this.#halfClosedDeadline();
    else if (this.#wire.pendingBytes > 0) this.#leaveIfStalled();
    else if (this.#phase === 'head' && !this.#carry.empty) this.#refuse('head_timeout');
    else if (this.#phase === 'head') this.close();
    else if (exchange?.bodyComplete === false && !this.#bodyPaused) this.#failBody(exchange, 'body_timeout');
  }

  /** There is nothing left to send to the client, or it took none of it since the last look. */
  #leaveIfStalled(): void {
    const pending = this.#wire.pendingBytes;
    if (pending === 0 || pending === this.#pendingSeen) this.#leave();
    else this.#watchPending(pending);
  }

  #halfClosedDeadline(): void {
    const waiting = this.#exchange?.status === 0 || this.#halfClose.answering;
    this.#halfClose.answering = false;
    if (waiting) this.#probe();
    else this.#leaveIfStalled();
  }

  /** Ends an idle connection, or lets the exchange under way be its last. */
  close(): void {
    this.#keepAlive = false;
    if (this.#phase !== 'head') return;
    this.#phase = 'linger';
    this.#wire.end();
    this.#context.wheel.arm(this.#timer, LINGER_MS);
  }

  destroy(): void {
    this.#wire.destroy();
  }

  /** RFC 9112 §9.6: close in stages, since a full close with unread bytes makes a reset that can eat the answer. */
  #linger(requestComplete: boolean): void {
    this.#phase = 'linger';
    this.#endBulk(false);
    this.#wire.end();
    this.#carry.clear();
    if (!this.#halfClosed || !requestComplete) this.#wire.resume();
    const pending = this.#wire.pendingBytes;
    if (pending > 0) this.#watchPending(pending);
    else this.#context.wheel.arm(this.#timer, LINGER_MS);
  }

  #discard(length: number): void {
    this.#lingered += length;
    if (this.#lingered > LINGER_BYTES) this.#wire.destroy();
  }
}
