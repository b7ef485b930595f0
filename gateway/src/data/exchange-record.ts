import { FAILURES, type FailureCode } from '../errors.ts';
import type { Backend } from './backend.ts';
import type { Exchange } from './exchange.ts';
import { ExchangeTrace } from './exchange-trace.ts';
import type { RequestHead } from './http1/request-head.ts';
import type { ExchangePhase, ExchangeReport, ExchangeWatcher, TunnelReport } from './port.ts';
import type { ClientFacts } from './request-headers.ts';
import { type RequestIds, traceparentOf } from './request-id.ts';

/** What a record needs of a head; a TCP connection has one of nothing but a name. */
type RecordedHead = Pick<RequestHead, 'host' | 'path' | 'query' | 'minorVersion' | 'fields'>;

/** What an attempt waits for while it has no connection. */
type Waiting = 'no' | 'admission' | 'slot' | 'connect';

/**
 * What is kept of an exchange for whoever watches exchanges, on top of what it keeps for itself. Where nobody watches there
 * is none; where somebody does, what it costs is fields: no clock is read that would not be read anyway, but for exchanges
 * that waited or are traced.
 */
export class ExchangeRecord implements ExchangeReport {
  readonly #exchange: Exchange;
  readonly #watcher: ExchangeWatcher;
  readonly #bytesOutBefore: number;
  readonly #bodyBefore: number;
  readonly host: string;
  readonly path: string;
  readonly query: string;
  readonly minorVersion: number;
  readonly traceId: string;
  /** What the ids that are made for it are made of; empty where the client has made the trace id. */
  readonly idHalf: string;
  readonly trace: ExchangeTrace | undefined;
  #waiting: Waiting = 'no';
  /** When the attempt began, or the wait for admission. */
  #sinceMs = 0;
  /** Where it was when it was cut short. */
  #cutShort: ExchangePhase | undefined = undefined;
  /** When the head of the answer came; 0 before that. */
  #headMs = 0;
  #tries = 0;
  hedged = false;
  queueMs = 0;
  connectMs = 0;
  durationMs = 0;
  bytesOut = 0;

  constructor(exchange: Exchange, head: RecordedHead, ids: RequestIds, watcher: ExchangeWatcher) {
    this.#exchange = exchange;
    this.#watcher = watcher;
    this.#bytesOutBefore = exchange.client.bytesOut;
    this.#bodyBefore = exchange.body.length;
    this.host = head.host;
    this.path = head.path;
    this.query = head.query;
    this.minorVersion = head.minorVersion;
    const parent = traceparentOf(head.fields);
    this.idHalf = parent === '' ? ids.next() : '';
    this.traceId = parent === '' ? ids.traceId(this.idHalf) : parent.slice(3, 35);
    // nobody would be told of the trace of a TCP connection, nor is there a request to tell of
    this.trace = head.minorVersion < 0 ? undefined : ExchangeTrace.begin(watcher, ids, this.traceId, parent);
  }

  // --- told on the way ---

  /** Waits for a concurrency limit to let it in. */
  waitsForAdmission(): void {
    this.#waiting = 'admission';
    this.#sinceMs = this.#exchange.startedMs;
  }

  admitted(nowMs: number): void {
    this.#stopWaiting(nowMs);
  }

  /** An attempt goes to `backend`. Before its head is sent, since the id of its span is written into that. */
  attempt(backend: Backend, startedMs: number): void {
    this.#tries += 1;
    this.#cutShort = undefined;
    this.#sinceMs = startedMs;
    this.trace?.attempt(this.#exchange, backend, startedMs, this.#tries === 1 ? 'first' : 'retry');
  }

  /** No connection is free: one is being opened for it, or none may be. */
  waitsForConnection(opening: boolean): void {
    this.#waiting = opening ? 'connect' : 'slot';
  }

  /** It has got one; dialled since `dialledMs` if it is new. */
  connected(nowMs: number, dialledMs: number | undefined): void {
    if (dialledMs === undefined) this.#stopWaiting(nowMs, 0);
    else if (this.#waiting === 'connect') this.#stopWaiting(nowMs);
    else this.#stopWaiting(nowMs, nowMs - Math.max(dialledMs, this.#sinceMs));
  }

  attemptFailed(code: FailureCode, nowMs: number): void {
    this.#stopWaiting(nowMs);
    this.trace?.attemptFailed(code, nowMs);
  }

  /** The head of an answer has come. */
  answered(status: number, nowMs: number): void {
    this.#stopWaiting(nowMs);
    this.#headMs = nowMs;
    this.trace?.answered(status, nowMs);
  }

  /** That answer is not wanted: another attempt follows. */
  answerDiscarded(): void {
    this.#headMs = 0;
    this.trace?.answerDiscarded();
  }

  /** What it waits for is not wanted any more: the client left, or time is up. */
  cutShort(): void {
    const { backendSide, status } = this.#exchange;
    if (backendSide !== undefined) this.#cutShort = status === 0 ? 'head' : 'body';
    else if (this.#waiting === 'connect') this.#cutShort = 'connect';
    else if (this.#waiting !== 'no') this.#cutShort = 'queue';
  }

  hedge(own: Exchange, backend: Backend): void {
    this.hedged = true;
    this.trace?.attempt(own, backend, own.attemptStartedMs, 'hedge');
  }

  /** @param status 0 where it came to none; with no failure either, it was not wanted any more */
  hedgeEnded(status: number, failure: FailureCode | undefined, nowMs: number): void {
    this.trace?.hedgeEnded(status, failure, nowMs);
  }

  /** The second attempt is the exchange's own now. */
  hedgeTakesOver(nowMs: number): void {
    this.#stopWaiting(nowMs);
    this.#sinceMs = nowMs;
    this.trace?.hedgeTakesOver(nowMs);
  }

  end(durationMs: number): void {
    const exchange = this.#exchange;
    const nowMs = exchange.startedMs + durationMs;
    this.durationMs = durationMs;
    this.bytesOut = exchange.client.bytesOut - this.#bytesOutBefore;
    this.#stopWaiting(nowMs);
    // what else ends an exchange in the middle of an attempt is not that attempt's fault
    const failure =
      exchange.failure === 'total_timeout' && exchange.status === 0 ? 'total_timeout' : undefined;
    this.trace?.end(exchange.attempting, failure, nowMs);
    this.#watcher.ended(this);
  }

  /** @param connectMs the part of the wait that was for a connect; the rest was for its turn */
  #stopWaiting(nowMs: number, connectMs = this.#waiting === 'connect' ? nowMs - this.#sinceMs : 0): void {
    if (this.#waiting === 'no') return;
    this.#waiting = 'no';
    this.connectMs += connectMs;
    this.queueMs += nowMs - this.#sinceMs - connectMs;
  }

  // --- ExchangeReport: read once it has ended ---

  get head(): string {
    return this.#exchange.head;
  }

  get method(): string {
    return this.#exchange.method;
  }

  get protocol(): ExchangeReport['protocol'] {
    if (this.minorVersion < 0) return this.method === '' ? 'TCP' : '';
    if (this.#exchange.client.http2 === true) return 'HTTP/2.0';
    return this.minorVersion === 1 ? 'HTTP/1.1' : 'HTTP/1.0';
  }

  get startedMs(): number {
    return this.#exchange.startedMs;
  }

  get requestId(): string {
    return this.#exchange.requestId;
  }

  get clientIp(): string {
    const { facts } = this.#exchange.client;
    // what others say of the client need not be looked for in every head
    return facts.trusted ? this.#exchange.clientIp : facts.peerIp;
  }

  get peerIp(): string {
    return this.#exchange.client.facts.peerIp;
  }

  get scheme(): 'http' | 'https' {
    return this.#exchange.client.facts.proto;
  }

  get status(): number {
    const { failure, status } = this.#exchange;
    return failure === undefined ? status : FAILURES[failure].status;
  }

  get failure(): FailureCode | undefined {
    return this.#exchange.failure;
  }

  get phase(): ExchangePhase {
    if (this.#headMs > 0) return 'body';
    if (this.#cutShort !== undefined) return this.#cutShort;
    return this.#exchange.attempts === 0 ? 'request' : 'head';
  }

  get route(): string | undefined {
    return this.#exchange.route?.name;
  }

  get routePath(): string | undefined {
    return this.#exchange.route?.plan.path;
  }

  get service(): string | undefined {
    return this.#exchange.route?.service.name;
  }

  get backend(): string | undefined {
    return this.#exchange.backend?.name;
  }

  get attempts(): number {
    return this.#tries + (this.hedged ? 1 : 0);
  }

  get retries(): number {
    return Math.max(0, this.#tries - 1);
  }

  get firstByteMs(): number | undefined {
    if (this.#headMs === 0) return undefined;
    return this.#headMs - this.#exchange.startedMs - this.queueMs - this.connectMs;
  }

  get tunnel(): TunnelReport | undefined {
    return this.#exchange.tunnel;
  }

  get bytesIn(): number {
    const { bodyBytesIn, tunnel } = this.#exchange;
    return this.head.length + this.#bodyBefore + bodyBytesIn + (tunnel?.bytesIn ?? 0);
  }
}

/** What was no request, and was answered all the same: nothing is known of it but who sent it. */
export function malformedReport(facts: ClientFacts, failure: FailureCode): ExchangeReport {
  const { status } = FAILURES[failure];
  return {
    ...{
      head: '',
      method: '',
      host: '',
      path: '',
      query: '',
      minorVersion: -1,
      protocol: '',
      requestId: '',
      traceId: '',
    },
    ...{
      clientIp: facts.peerIp,
      peerIp: facts.peerIp,
      scheme: facts.proto,
      status,
      failure,
      phase: 'request',
    },
    ...{ route: undefined, routePath: undefined, service: undefined, backend: undefined },
    ...{ attempts: 0, retries: 0, hedged: false, bytesIn: 0, bytesOut: 0 },
    ...{ startedMs: 0, durationMs: 0, queueMs: 0, connectMs: 0, firstByteMs: undefined },
    ...{ tunnel: undefined, trace: undefined },
  };
}
