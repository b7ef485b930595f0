import { latin1 } from '../../src/data/latin1.ts';
import { type ExceptionCounts, knownMethod } from './exceptions.ts';
import { Input } from './input.ts';
import { Llhttp, type LlhttpMessage } from './llhttp.ts';
import { bodyOnCuts, isPlainChunked } from './our-body.ts';
import { type OurRequest, OurRequestReader } from './our-requests.ts';
import { hashOf, Random } from './random.ts';
import { difference, type Failure } from './reading.ts';
import { sentHeadFault } from './sent-request.ts';

const EMPTY_LINES = /^[\r\n]*/;
const EARLY_REFUSALS: ReadonlySet<string> = new Set([
  'HPE_INVALID_CONTENT_LENGTH',
  'HPE_INVALID_TRANSFER_ENCODING',
]);
const CONNECTION_TRAILER = /\n(?:proxy-)?connection:/i;

/** What we accept of a client's bytes, llhttp reads the same way, before and after we have written it anew. */
export class RequestCheck {
  readonly #input = new Input();
  readonly #substituted = new Input();
  readonly #sent = new Input();
  readonly #random = new Random();
  readonly #reader: OurRequestReader;
  readonly #oracle = new Llhttp('request');
  readonly #exceptions: ExceptionCounts;
  /** Requests that both accepted. */
  agreed = 0;

  constructor(exceptions: ExceptionCounts) {
    this.#exceptions = exceptions;
    this.#reader = new OurRequestReader(() => this.#random.next() / 2 ** 32);
  }

  /**
   * @param text one character a byte
   * @param thorough tries every cut and every variant instead of a few drawn from the input
   */
  check(text: string, thorough: boolean): Failure | undefined {
    const seed = hashOf(this.#input.set(text).bytes, this.#input.end);
    this.#random.reseed(seed, 0);
    const trusted = [(seed & 1) === 1, (seed & 1) === 0];
    for (const trust of thorough ? trusted : trusted.slice(1)) {
      const failure = this.#checkAs(trust, thorough);
      if (failure !== undefined) return failure;
    }
    return undefined;
  }

  #checkAs(trusted: boolean, thorough: boolean): Failure | undefined {
    const input = this.#input;
    const ours = this.#reader.read(input, trusted);
    for (const request of ours.requests) {
      const failure = this.#request(request) ?? this.#cuts(request, thorough);
      if (failure !== undefined) return failure;
      this.agreed += 1;
    }
    const { unfinished } = ours;
    if (unfinished !== undefined) return this.#unfinished(unfinished, ours.stop);
    if (ours.stop === 'incomplete') return this.#incomplete(ours.rest);
    return ours.requests.length > 1 ? this.#sequence(ours.requests) : undefined;
  }

  /** The bytes of a request with a method llhttp knows, where it does not know its own. */
  #forOracle(request: OurRequest): { readonly bytes: Buffer; readonly start: number; readonly end: number } {
    const { start, framed, method } = request;
    const known = knownMethod(method);
    if (known === method) return { bytes: this.#input.bytes, start, end: framed.end };
    this.#exceptions.count('unknown-method');
    const text = latin1(this.#input.bytes, start, framed.end);
    const lead = EMPTY_LINES.exec(text)?.[0] ?? '';
    const { bytes, end } = this.#substituted.set(lead + known + text.slice(lead.length + method.length));
    return { bytes, start: 0, end };
  }

  /** llhttp ends the request with our last byte and not before, and reads it the same way. */
  #request(request: OurRequest): Failure | undefined {
    const { bytes, start, end } = this.#forOracle(request);
    const connect = request.method === 'CONNECT';
    const { messages, error } = this.#oracle.read(bytes, start, [end - 1], end);
    const [received] = messages;
    if (error !== undefined && !connect)
      return { what: `llhttp refuses it: ${error}`, ours: request, llhttp: messages };
    if (received === undefined) return { what: 'llhttp sees no message', ours: request, llhttp: messages };
    if (connect) {
      this.#exceptions.count('connect');
      return request.keepAlive
        ? { what: 'CONNECT is not the last', ours: request, llhttp: messages }
        : undefined;
    }
    if (!received.complete) return { what: 'for llhttp it is not complete', ours: request, llhttp: messages };
    if (messages.length > 1)
      return { what: 'llhttp sees more than one message', ours: request, llhttp: messages };
    if (received.endedIn !== 1)
      return { what: 'for llhttp it ends earlier', ours: request, llhttp: messages };
    const method = knownMethod(request.method);
    return (
      difference({ ...request, method }, received) ??
      this.#keepAlive(request, received) ??
      this.#resent(request, received)
    );
  }

  #keepAlive(request: OurRequest, received: LlhttpMessage): Failure | undefined {
    if (request.keepAlive === received.keepAlive) return undefined;
    if (!request.keepAlive) {
      this.#exceptions.count('we-close');
      return undefined;
    }
    if (request.fields.some((name, i) => i % 2 === 0 && name.toLowerCase() === 'proxy-connection')) {
      this.#exceptions.count('proxy-connection');
      return undefined;
    }
    return { what: 'we go on after it where llhttp closes', ours: request, llhttp: received };
  }

  /** What we send on for it is one request of the same meaning. */
  #resent(request: OurRequest, received: LlhttpMessage): Failure | undefined {
    const method = knownMethod(request.method);
    const head = method + request.sentHead.slice(request.method.length);
    const { bytes, end } = this.#sent.set(head + request.framed.sent);
    const { messages, error } = this.#oracle.read(bytes, 0, [end - 1], end);
    const [sent] = messages;
    const failed = (what: string): Failure => ({
      what: `what we send: ${what}`,
      ours: { request, sent: head + request.framed.sent },
      llhttp: messages,
    });
    if (error !== undefined) return failed(`llhttp refuses it: ${error}`);
    if (sent === undefined || messages.length !== 1 || !sent.complete || sent.endedIn !== 1)
      return failed('is not one message');
    if (sent.method !== received.method || sent.body !== received.body)
      return failed('has another method or body');
    if (!sent.keepAlive) return failed('asks the backend to close');
    if (request.chunked && !isPlainChunked(request.framed.sent)) return failed('a chunk size is not plain');
    const fault = sentHeadFault(request, received, sent) ?? trailerFault(received, sent);
    return fault === undefined ? undefined : failed(fault);
  }

  /** No part of the request is taken for a whole one, and a chunked body does not depend on how it arrives. */
  #cuts(request: OurRequest, thorough: boolean): Failure | undefined {
    const { start, headEnd } = request;
    const { bytes, end } = this.#input;
    const first = thorough ? start + 1 : start + 1 + this.#random.below(headEnd - start - 1);
    const last = thorough ? headEnd - 1 : first;
    for (let cut = first; cut <= last; cut++) {
      const found = this.#input.before(cut, () => this.#reader.head.parse(bytes, start, cut));
      if (found !== 'incomplete')
        return { what: `a part of the head is ${found ?? 'complete'}`, ours: request, llhttp: cut };
    }
    for (let i = thorough ? 50 : 1; request.chunked && i > 0; i--) {
      const fault = bodyOnCuts(bytes, headEnd, end, request.framed, this.#random);
      if (fault !== undefined) return { what: fault, ours: request, llhttp: undefined };
    }
    return undefined;
  }

  /** A body we find broken or not whole has not been passed on as a whole one. */
  #unfinished(request: OurRequest, stop: string): Failure | undefined {
    if (request.method === 'CONNECT') return undefined;
    const method = knownMethod(request.method);
    const { bytes, end } = this.#sent.set(
      method + request.sentHead.slice(request.method.length) + request.framed.sent,
    );
    const sent = this.#oracle.read(bytes, 0, [], end).messages[0];
    if (sent?.complete !== false)
      return { what: `a body that is ${stop} is sent as a whole one`, ours: request, llhttp: sent };
    if (stop === 'broken') return undefined;
    const oracle = this.#forOracle({ ...request, framed: { ...request.framed, end: this.#input.end } });
    const received = this.#oracle.read(oracle.bytes, oracle.start, [], oracle.end);
    if (EARLY_REFUSALS.has(received.error ?? '') && received.messages[0]?.body === request.body) {
      this.#exceptions.count('refused-earlier');
      return undefined;
    }
    if (received.error !== undefined)
      return {
        what: `llhttp refuses the unfinished body: ${received.error}`,
        ours: request,
        llhttp: received,
      };
    if (received.messages[0]?.complete !== false)
      return { what: 'for llhttp it is complete', ours: request, llhttp: received };
    return received.messages[0].body === request.body
      ? undefined
      : { what: 'another part of the body', ours: request, llhttp: received };
  }

  /** Where we wait for more of a head, llhttp does too, or refuses it. */
  #incomplete(rest: number): Failure | undefined {
    const { bytes, end } = this.#input;
    const { messages } = this.#oracle.read(bytes, rest, [], end);
    return messages[0]?.complete === true
      ? { what: 'we wait where llhttp has a message', ours: rest, llhttp: messages }
      : undefined;
  }

  /** On one connection llhttp sees as many requests as we do. */
  #sequence(requests: readonly OurRequest[]): Failure | undefined {
    if (!requests.every((request) => this.#isPlain(request))) return undefined;
    const { bytes } = this.#input;
    const { messages } = this.#oracle.read(bytes, 0, [], requests.at(-1)?.framed.end ?? 0);
    const complete = messages.filter((message) => message.complete).length;
    return complete === requests.length && messages.length === complete
      ? undefined
      : { what: 'llhttp sees another number of requests', ours: requests, llhttp: messages };
  }

  /** Whether llhttp goes on after it as after any other. */
  #isPlain({ method, fields, chunked, headEnd, framed }: OurRequest): boolean {
    if (knownMethod(method) !== method || method === 'CONNECT') return false;
    if (fields.some((name) => /^proxy-connection$/i.test(name))) return false;
    if (!chunked || !CONNECTION_TRAILER.test(latin1(this.#input.bytes, headEnd, framed.end))) return true;
    this.#exceptions.count('connection-trailer');
    return false;
  }
}

/** Names that a trailer must not bring to a backend: they frame, route or authenticate (RFC 9110 §6.5.1). */
const NOT_IN_TRAILERS =
  /^(?:host|connection|content-length|transfer-encoding|te|trailer|upgrade|expect|authorization|cookie|set-cookie|forwarded|x-forwarded-(?:for|host|proto)|x-real-ip|via|content-type|content-encoding|content-range|proxy-connection|proxy-authorization|keep-alive)$/i;

/** Trailers arrive in order, fewer at most, and none that must not. */
export function trailerFault(received: LlhttpMessage, sent: LlhttpMessage): string | undefined {
  let from = 0;
  for (let i = 0; i < sent.trailers.length; i += 2) {
    const name = sent.trailers[i] ?? '';
    if (NOT_IN_TRAILERS.test(name)) return 'a trailer is sent that must not be';
    while (
      from < received.trailers.length &&
      (received.trailers[from] !== name || received.trailers[from + 1] !== sent.trailers[i + 1])
    )
      from += 2;
    if (from >= received.trailers.length) return 'a trailer is sent that did not come';
    from += 2;
  }
  return undefined;
}
