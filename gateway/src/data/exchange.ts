import type { FailureCode } from '../errors.ts';
import type { Admission } from './admission.ts';
import { type Backend, NO_TICKET } from './backend.ts';
import type { PickRequest } from './balancers/balancer.ts';
import { cookieValue } from './balancers/cookie.ts';
import type { ExchangeRecord } from './exchange-record.ts';
import type { ExchangeTimers } from './exchange-timers.ts';
import type { GrpcCall } from './grpc/grpc-call.ts';
import type { Hedge } from './hedge.ts';
import type { BodySink } from './http1/chunked.ts';
import type { RequestHead } from './http1/request-head.ts';
import type { ResponseHead } from './http1/response-head.ts';
import { latin1 } from './latin1.ts';
import type { ClientFacts } from './request-headers.ts';
import type { ResponseFraming } from './response-headers.ts';
import type { Route } from './route.ts';
import type { ByteEnd } from './tunnel/byte-end.ts';
import type { EventStream } from './tunnel/event-stream.ts';
import type { Tunnel } from './tunnel/tunnel.ts';

/** The end an exchange answers to: a client connection of any protocol. */
export interface ClientSide extends BodySink {
  readonly facts: ClientFacts;
  /** False for HTTP/1.0: no chunks, no 1xx. */
  readonly speaksChunked: boolean;
  /** Whether it is a stream of HTTP/2, whose requests are HTTP/1.1 text all the same. */
  readonly http2?: boolean;
  /** Bytes given to the connection so far. */
  readonly bytesOut: number;
  interim(text: string): void;
  /** @param head status line and fields, without the empty line and without Connection */
  startResponse(head: string, framing: ResponseFraming): void;
  endResponse(): void;
  /** The response cannot be completed: the client must see that it is broken. */
  breakResponse(): void;
  /** Sends what was gathered; true when the kernel has not taken all of it. */
  flush(): boolean;
  /** The backend takes no more for now, or takes more again. */
  pauseBody(): void;
  resumeBody(): void;
  /** Hands the connection over to a tunnel. */
  startTunnel(tunnel: TunnelEnd): ByteEnd;
}

/** What of a tunnel an end feeds. */
export interface TunnelEnd {
  onClientBytes(bytes: Buffer, start: number, end: number): void;
  onClientEnd(): void;
  onClientDrain(): void;
  onClientClose(): void;
  onBackendBytes(bytes: Buffer, start: number, end: number): void;
  onBackendEnd(): void;
  onBackendDrain(): void;
  onBackendClose(): void;
}

/** The end that carries an exchange to a backend. */
export interface BackendSide extends BodySink {
  /** What a tunnel writes to. */
  readonly wire: ByteEnd;
  /** The request body is complete. */
  endRequest(): void;
  /** Nobody waits for the answer any more: the connection ends with it. */
  cancel(): void;
  flush(): boolean;
  pauseResponse(): void;
  resumeResponse(): void;
  startTunnel(tunnel: TunnelEnd): void;
  /**
   * The answer whose head has come is a stream of events: what is in its body goes to `events`, without chunks, and it may
   * be silent for as long as its route allows that. Its end still goes to the client. Left out where that is not done.
   */
  startEvents?(events: BodySink): void;
  /** The answer whose head has come is not wanted: what is left of it is thrown away, and the connection kept if that is little. */
  discard(): void;
}

/** What happens to an exchange, told to the line it runs on. */
export interface Line {
  /** A raw exchange has the connection it asked for. */
  connected(exchange: Exchange): void;
  responseHead(exchange: Exchange, head: ResponseHead): void;
  responseEnd(exchange: Exchange): void;
  attemptFailed(exchange: Exchange, code: FailureCode, attempt: FailedAttempt): void;
  clientLeft(exchange: Exchange): void;
}

/** What was sent decides what may be tried again. */
export interface FailedAttempt {
  /** Whether a byte of the request was handed to the kernel. */
  readonly sent: boolean;
  /** Whether the connection had served a request before. */
  readonly reused: boolean;
  /** Whether a byte of the answer arrived. */
  readonly answered: boolean;
  /**
   * Who said that nothing of it has been processed, so that any request may go again: the connection's end (GOAWAY), or the
   * refusal of this request alone. Undefined: nobody did.
   */
  readonly refused?: 'connection' | 'request';
}

export const NOT_SENT: FailedAttempt = { sent: false, reused: false, answered: false };

/** Backends say 100, 102 or 103 once or a few times; more would pile up in front of a client that does not read. */
const MAX_INTERIMS = 100;

/** One request and its answer, from the parsed head to the last byte. A new one each: late events are told by identity. */
export class Exchange implements PickRequest, BodySink {
  readonly client: ClientSide;
  readonly line: Line;
  readonly startedMs: number;
  readonly method: string;
  /** The canonical path, once forward has read it. */
  path: string;
  /** The client's head as it came, to look fields up in. */
  #head: string;

  route: Route | undefined = undefined;
  /** The protocol asked for by Upgrade; empty for none. */
  upgrade = '';
  /** Whether its bytes go to the backend as they are, once a new connection is there. */
  raw = false;
  /** What both connections have become; undefined before that. */
  tunnel: Tunnel | undefined = undefined;
  /** What passes the answer on, where it is a stream of events. */
  events: EventStream | undefined = undefined;
  requestId = '';
  /** The whole request head for the backend, with its empty line. */
  requestHead = '';
  /** What is known of the body, as it is sent; empty again once it is too large to keep. */
  body = '';
  /** Whether the client has sent all of its request. */
  bodyComplete = false;
  /** Whether some of the body left without being kept, so that the request cannot be sent again. */
  bodyLost = false;
  keepBodyBytes = 0;
  /** Bytes of the body that came after the head. */
  bodyBytesIn = 0;

  attempts = 0;
  /** 1xx that backends have answered. */
  interims = 0;
  races = 0;
  replays = 0;
  attemptStartedMs = 0;
  /** Whether `backend` counts this exchange as pending. */
  attempting = false;
  backend: Backend | undefined = undefined;
  tried: Backend[] | undefined = undefined;
  /** The connection that carries the attempt; undefined while it waits for one. */
  backendSide: BackendSide | undefined = undefined;

  /** The final status sent to the client; 0 before that. */
  status = 0;
  failure: FailureCode | undefined = undefined;
  ended = false;
  /** What the breaker of `backend` knows the attempt by; NO_TICKET once its outcome is settled. */
  ticket = NO_TICKET;
  /** Its way through concurrency limits, where there are any. */
  admission: Admission | undefined = undefined;
  timers: ExchangeTimers | undefined = undefined;
  hedge: Hedge | undefined = undefined;
  /** Where it is a call of gRPC, to a service that may speak it. */
  grpc: GrpcCall | undefined = undefined;
  /** What was decided so far, for a client that may ask; undefined for all others. */
  decisions: string[] | undefined = undefined;
  /** What is kept for those who watch; undefined where nobody does. */
  record: ExchangeRecord | undefined = undefined;

  constructor(
    client: ClientSide,
    line: Line,
    startedMs: number,
    {
      method,
      path,
      fields,
    }: Pick<RequestHead, 'method' | 'path'> & { readonly fields: { readonly text: string } },
  ) {
    this.client = client;
    this.line = line;
    this.startedMs = startedMs;
    this.method = method;
    this.path = path;
    this.#head = fields.text;
  }

  /** The same request, complete, for a second attempt beside the first. */
  static twin(first: Exchange, line: Line, startedMs: number): Exchange {
    const { method, path } = first;
    const twin = new Exchange(first.client, line, startedMs, { method, path, fields: { text: first.#head } });
    twin.route = first.route;
    twin.requestId = first.requestId;
    twin.requestHead = first.requestHead;
    twin.body = first.body;
    twin.bodyComplete = true;
    twin.grpc = first.grpc;
    return twin;
  }

  /** As the traceparent that goes to the backend has it; empty when none does. */
  get traceId(): string {
    return /\r\ntraceparent: ?[0-9a-f]{2}-([0-9a-f]{32})-/i.exec(this.requestHead)?.[1] ?? '';
  }

  /** Whether one more 1xx of a backend is no more than there may be. */
  countInterim(): boolean {
    this.interims += 1;
    return this.interims <= MAX_INTERIMS;
  }

  /** Request line and fields as the client sent them. */
  get head(): string {
    return this.#head;
  }

  get clientIp(): string {
    return this.client.facts.clientIp(this.header('x-forwarded-for'));
  }

  /** The value of a field of the client's head, several joined by `, `. `name` is in lower case. */
  header(name: string): string | undefined {
    let found: string | undefined;
    for (const line of this.#head.split('\r\n')) {
      if (line.charCodeAt(name.length) !== 0x3a || line.slice(0, name.length).toLowerCase() !== name)
        continue;
      const value = line.slice(name.length + 1).trim();
      found = found === undefined ? value : `${found}, ${value}`;
    }
    return found;
  }

  cookie(name: string): string | undefined {
    const header = this.header('cookie');
    return header === undefined ? undefined : cookieValue(header, name);
  }

  bodyText(text: string): void {
    this.#keep(text.length, () => text);
    this.backendSide?.bodyText(text);
  }

  bodyBytes(bytes: Buffer, start: number, end: number): void {
    this.#keep(end - start, () => latin1(bytes, start, end));
    this.backendSide?.bodyBytes(bytes, start, end);
  }

  #keep(length: number, text: () => string): void {
    this.bodyBytesIn += length;
    if (this.bodyLost) return;
    if (this.body.length + length <= this.keepBodyBytes) this.body += text();
    else {
      this.bodyLost = true;
      this.body = '';
    }
  }

  /** Both connections are a tunnel's from here on: what only a request needs would stay for as long as that is open. */
  becomeTunnel(tunnel: Tunnel): void {
    this.tunnel = tunnel;
    this.requestHead = '';
    this.timers?.close();
    this.timers = undefined;
    if (this.record === undefined) this.#head = '';
  }

  /** The whole body has been read from the client. */
  endBody(): void {
    this.bodyComplete = true;
    this.backendSide?.endRequest();
  }
}
