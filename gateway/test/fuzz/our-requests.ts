import { type ClientSide, Exchange, type Line } from '../../src/data/exchange.ts';
import { RequestHead } from '../../src/data/http1/request-head.ts';
import { type ClientFacts, RequestHeaders } from '../../src/data/request-headers.ts';
import { RequestIds } from '../../src/data/request-id.ts';
import type { Input } from './input.ts';
import { CHUNKED, type OurBody, readChunked, readLength } from './our-body.ts';
import type { Message } from './reading.ts';

/** DESIGN §4. */
const LIMITS = { maxHeadBytes: 16 * 1024, maxTargetBytes: 8 * 1024, maxHeaders: 100 };
const NO_BODY: OurBody = { sent: '', end: 0, state: 'complete' };

/** A request as our codec reads it, and the head it would send on. */
export interface OurRequest extends Message {
  readonly start: number;
  readonly headEnd: number;
  readonly chunked: boolean;
  readonly framed: OurBody;
  readonly host: string;
  /** Path and query as they are sent on. */
  readonly sentTarget: string;
  readonly absolute: boolean;
  readonly sentHead: string;
}

export interface OurRequests {
  readonly requests: readonly OurRequest[];
  /** Why reading stopped: refused heads and broken bodies carry the code. */
  readonly stop: string;
  /** Where the first request that is not in `requests` starts. */
  readonly rest: number;
  /** The last request, when its head is whole and its body is not. */
  readonly unfinished: OurRequest | undefined;
}

/** Our side of the comparison: RequestHead, ChunkedDecoder and RequestHeaders, used as ClientConnection uses them. */
export class OurRequestReader {
  readonly head = new RequestHead(LIMITS);
  readonly #trusting: RequestHeaders;
  readonly #usual: RequestHeaders;

  constructor(random: () => number) {
    const ids = new RequestIds(random);
    this.#usual = new RequestHeaders(facts(false), ids);
    this.#trusting = new RequestHeaders(facts(true), ids);
  }

  read(input: Input, trusted: boolean): OurRequests {
    const requests: OurRequest[] = [];
    const { bytes, end } = input;
    let at = 0;
    while (at < end) {
      const failure = this.head.parse(bytes, at, end);
      if (failure !== undefined) return { requests, stop: failure, rest: at, unfinished: undefined };
      const request = this.#request(bytes, at, end, trusted);
      const { state } = request.framed;
      if (state !== 'complete') return { requests, stop: state, rest: at, unfinished: request };
      requests.push(request);
      at = request.framed.end;
      if (!request.keepAlive) return { requests, stop: 'closed', rest: at, unfinished: undefined };
    }
    return { requests, stop: 'end', rest: at, unfinished: undefined };
  }

  #request(bytes: Buffer, start: number, end: number, trusted: boolean): OurRequest {
    const { head } = this;
    const { fields, bodyLength } = head;
    const list: string[] = [];
    for (let i = 0; i < fields.count; i++) list.push(fields.name(i), fields.value(i));
    const sentHead = this.#sentHead(trusted);
    const chunked = bodyLength === CHUNKED;
    const bodyStart = head.end;
    const [, target = ''] = fields.text.slice(0, head.fieldsAt - 2).split(' ');
    const framed = this.#body(bytes, bodyStart, end);
    return {
      method: head.method,
      target,
      status: 0,
      minorVersion: head.minorVersion,
      fields: list,
      body: chunked ? readChunked(bytes, bodyStart, end, 'payload', undefined).sent : framed.sent,
      keepAlive: head.keepAlive,
      start,
      headEnd: bodyStart,
      chunked,
      framed,
      host: head.host,
      sentTarget: head.path + head.query,
      absolute: head.absolute,
      sentHead,
    };
  }

  #body(bytes: Buffer, start: number, end: number): OurBody {
    const { bodyLength } = this.head;
    if (bodyLength === 0) return { ...NO_BODY, end: start };
    return bodyLength === CHUNKED
      ? readChunked(bytes, start, end, 'framed', undefined)
      : readLength(bytes, start, end, bodyLength);
  }

  /** As Forward has it written for a route that changes nothing. */
  #sentHead(trusted: boolean): string {
    const { head } = this;
    const exchange = new Exchange(NO_CLIENT, NO_LINE, 0, head);
    if (head.minorVersion === 1 && head.bodyLength === 0) exchange.upgrade = head.upgrade;
    const line =
      head.minorVersion === 1 && !head.absolute
        ? undefined
        : `${head.method} ${head.path}${head.query} HTTP/1.1\r\n`;
    return (trusted ? this.#trusting : this.#usual).write(exchange, head, line);
  }
}

function facts(trusted: boolean): ClientFacts {
  return { peerIp: '192.0.2.1', trusted, proto: 'http', clientIp: () => '192.0.2.1' };
}

const nothing = (): void => {};
const NO_LINE: Line = {
  responseHead: nothing,
  responseEnd: nothing,
  connected: () => undefined,
  attemptFailed: nothing,
  clientLeft: nothing,
};
const NO_CLIENT: ClientSide = {
  facts: facts(false),
  speaksChunked: true,
  bytesOut: 0,
  interim: nothing,
  startResponse: nothing,
  endResponse: nothing,
  breakResponse: nothing,
  flush: () => false,
  pauseBody: nothing,
  resumeBody: nothing,
  startTunnel: () => {
    throw new Error('nothing here is a tunnel');
  },
  bodyText: nothing,
  bodyBytes: nothing,
};
