import { ResponseHead, UNTIL_CLOSE } from '../../src/data/http1/response-head.ts';
import { type ResponseFraming, responseHeadText } from '../../src/data/response-headers.ts';
import type { Input } from './input.ts';
import { CHUNKED, type OurBody, readChunked, readLength } from './our-body.ts';
import type { Message } from './reading.ts';

/** Whom a response is for. */
export interface Audience {
  readonly method: 'GET' | 'HEAD';
  /** False for an HTTP/1.0 client. */
  readonly speaksChunked: boolean;
}

/** A response as our codec reads it, and what the client would be sent. */
export interface OurResponse extends Message {
  readonly start: number;
  readonly headEnd: number;
  readonly framing: ResponseFraming;
  readonly chunked: boolean;
  readonly untilClose: boolean;
  readonly bodyRead: OurBody;
  /** Head and body for the client, as far as the body came. */
  readonly sent: string;
}

export interface OurResponses {
  /** Interim ones, and the final one as the last; those that are complete. */
  readonly responses: readonly OurResponse[];
  readonly stop: string;
  readonly rest: number;
  readonly unfinished: OurResponse | undefined;
}

const date = (): string => 'Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n';

/** Our side for responses: ResponseHead, ChunkedDecoder and responseHeadText, used as BackendConnection and Forward do. */
export class OurResponseReader {
  readonly head = new ResponseHead();

  read(input: Input, audience: Audience): OurResponses {
    const responses: OurResponse[] = [];
    const { bytes, end } = input;
    let at = 0;
    while (at < end) {
      const failure = this.head.parse(bytes, at, end);
      if (failure !== undefined) return { responses, stop: failure, rest: at, unfinished: undefined };
      const response = this.#response(bytes, at, end, audience);
      const { state } = response.bodyRead;
      if (state !== 'complete') return { responses, stop: state, rest: at, unfinished: response };
      responses.push(response);
      at = response.bodyRead.end;
      if (response.status >= 200 || response.status === 101)
        return { responses, stop: 'end', rest: at, unfinished: undefined };
    }
    return { responses, stop: 'incomplete', rest: at, unfinished: undefined };
  }

  #response(bytes: Buffer, start: number, end: number, audience: Audience): OurResponse {
    const { head } = this;
    const { fields, status } = head;
    const list: string[] = [];
    for (let i = 0; i < fields.count; i++) list.push(fields.name(i), fields.value(i));
    const bodiless = audience.method === 'HEAD' || status < 200 || status === 204 || status === 304;
    const chunked = !bodiless && head.bodyLength === CHUNKED;
    const untilClose = !bodiless && head.bodyLength === UNTIL_CLOSE;
    const framing = status < 200 ? 'none' : framingOf(head, bodiless, audience);
    const sentHead = responseHeadText(head, framing, undefined, '', date);
    const headEnd = head.end;
    const length = bodiless ? 0 : untilClose ? end - headEnd : head.bodyLength;
    const bodyRead = chunked
      ? readChunked(bytes, headEnd, end, audience.speaksChunked ? 'framed' : 'payload', undefined)
      : readLength(bytes, headEnd, end, length);
    const body = chunked ? readChunked(bytes, headEnd, end, 'payload', undefined).sent : bodyRead.sent;
    const wrap = untilClose && audience.speaksChunked;
    const close = audience.speaksChunked || status < 200 ? '' : 'Connection: close\r\n';
    return {
      method: '',
      target: '',
      status,
      minorVersion: head.minorVersion,
      fields: list,
      body,
      keepAlive: head.keepAlive && !untilClose,
      start,
      headEnd,
      framing,
      chunked,
      untilClose,
      bodyRead,
      sent: `${sentHead}${close}\r\n${wrap ? wrapped(body) : bodyRead.sent}`,
    };
  }
}

/** As in forward.ts. */
function framingOf(head: ResponseHead, bodiless: boolean, audience: Audience): ResponseFraming {
  if (bodiless) return 'none';
  if (head.bodyLength !== CHUNKED && head.bodyLength !== UNTIL_CLOSE) return 'length';
  return audience.speaksChunked ? 'chunked' : 'close';
}

/** As BackendConnection does with a body that ends with its connection. */
function wrapped(body: string): string {
  return body === '' ? '0\r\n\r\n' : `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
}
