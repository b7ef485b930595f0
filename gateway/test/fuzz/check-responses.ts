import { trailerFault } from './check-requests.ts';
import type { ExceptionCounts } from './exceptions.ts';
import { Input } from './input.ts';
import { Llhttp, type LlhttpMessage } from './llhttp.ts';
import { bodyOnCuts, isPlainChunked } from './our-body.ts';
import { type Audience, type OurResponse, OurResponseReader } from './our-responses.ts';
import { hashOf, Random } from './random.ts';
import { difference, type Failure } from './reading.ts';
import { sentResponseFault } from './sent-response.ts';

const AUDIENCES: readonly [Audience, ...Audience[]] = [
  { method: 'GET', speaksChunked: true },
  { method: 'GET', speaksChunked: false },
  { method: 'HEAD', speaksChunked: true },
];

/** What we accept of a backend's bytes, llhttp reads the same way, before and after we have written it anew. */
export class ResponseCheck {
  readonly #input = new Input();
  readonly #sent = new Input();
  readonly #random = new Random();
  readonly #reader = new OurResponseReader();
  readonly #oracle = new Llhttp('response');
  readonly #exceptions: ExceptionCounts;
  /** Responses that both accepted. */
  agreed = 0;

  constructor(exceptions: ExceptionCounts) {
    this.#exceptions = exceptions;
  }

  /**
   * @param text one character a byte
   * @param thorough tries every cut and every variant instead of a few drawn from the input
   */
  check(text: string, thorough: boolean): Failure | undefined {
    this.#random.reseed(hashOf(this.#input.set(text).bytes, this.#input.end), 0);
    const audiences = thorough ? AUDIENCES : [this.#random.pick([AUDIENCES[0], ...AUDIENCES])];
    for (const audience of audiences) {
      const failure = this.#checkFor(audience, thorough);
      if (failure !== undefined) return failure;
    }
    return undefined;
  }

  #checkFor(audience: Audience, thorough: boolean): Failure | undefined {
    const ours = this.#reader.read(this.#input, audience);
    for (const response of ours.responses) {
      const failure = this.#response(response, audience) ?? this.#cuts(response, audience, thorough);
      if (failure !== undefined) return failure;
      this.agreed += 1;
    }
    if (ours.unfinished !== undefined) return this.#unfinished(ours.unfinished, ours.stop);
    if (ours.stop !== 'incomplete') return undefined;
    const { bytes, end } = this.#input;
    const { messages } = this.#oracle.read(bytes, ours.rest, [], end, audience.method === 'HEAD');
    return messages[0]?.complete === true
      ? { what: 'we wait where llhttp has a message', ours: ours.rest, llhttp: messages }
      : undefined;
  }

  #response(response: OurResponse, audience: Audience): Failure | undefined {
    const { start, untilClose } = response;
    const { end } = response.bodyRead;
    const skipBody = audience.method === 'HEAD';
    // a body that ends with its connection is complete only then
    const cuts = untilClose ? [] : [end - 1];
    const { messages, error } = this.#oracle.read(this.#input.bytes, start, cuts, end, skipBody, untilClose);
    const [received] = messages;
    const failed = (what: string): Failure => ({ what, ours: response, llhttp: messages });
    if (error !== undefined) return failed(`llhttp refuses it: ${error}`);
    if (received === undefined || messages.length !== 1) return failed('llhttp sees not one message');
    if (!received.complete) return failed('for llhttp it is not complete');
    if (!untilClose && received.endedIn !== 1) return failed('for llhttp it ends earlier');
    if (response.keepAlive && response.status === 204 && framesBody(response))
      return failed('we go on after a 204 that frames a body');
    const fault = this.#keepAlive(response, received, audience);
    if (fault !== undefined) return failed(fault);
    return difference(response, received) ?? this.#resent(response, received, audience);
  }

  #keepAlive(response: OurResponse, received: LlhttpMessage, audience: Audience): string | undefined {
    if (response.keepAlive === received.keepAlive) return undefined;
    if (!response.keepAlive) this.#exceptions.count('we-close');
    else if (hasProxyConnection(response)) this.#exceptions.count('proxy-connection');
    else if (answersHeadWithoutLength(response, audience)) this.#exceptions.count('head-without-length');
    else return 'we go on where llhttp closes';
    return undefined;
  }

  /** What the client is sent for it is one response of the same meaning. */
  #resent(response: OurResponse, received: LlhttpMessage, audience: Audience): Failure | undefined {
    const { bytes, end } = this.#sent.set(response.sent);
    const closes = response.framing === 'close';
    const skipBody = audience.method === 'HEAD';
    const { messages, error } = this.#oracle.read(bytes, 0, closes ? [] : [end - 1], end, skipBody, closes);
    const [sent] = messages;
    const failed = (what: string): Failure => ({
      what: `what we send: ${what}`,
      ours: response,
      llhttp: messages,
    });
    if (error !== undefined) return failed(`llhttp refuses it: ${error}`);
    if (sent === undefined || messages.length !== 1 || !sent.complete) return failed('is not one message');
    if (!closes && sent.endedIn !== 1) return failed('ends early');
    if (sent.status !== received.status || sent.body !== received.body)
      return failed('has another status or body');
    if (audience.speaksChunked && audience.method === 'GET' && !sent.keepAlive)
      return failed('ends the connection');
    if (response.framing === 'chunked' && response.chunked && !isPlainChunked(response.bodyRead.sent))
      return failed('a chunk size is not plain');
    const fault = sentResponseFault(response.sent, received, sent) ?? trailerFault(received, sent);
    return fault === undefined ? undefined : failed(fault);
  }

  #cuts(response: OurResponse, audience: Audience, thorough: boolean): Failure | undefined {
    const { start, headEnd } = response;
    const { bytes, end } = this.#input;
    const first = thorough ? start + 1 : start + 1 + this.#random.below(headEnd - start - 1);
    const last = thorough ? headEnd - 1 : first;
    for (let cut = first; cut <= last; cut++) {
      const found = this.#input.before(cut, () => this.#reader.head.parse(bytes, start, cut));
      if (found !== 'incomplete')
        return { what: `a part of the head is ${found ?? 'complete'}`, ours: response, llhttp: cut };
    }
    if (!audience.speaksChunked) return undefined;
    for (let i = thorough ? 50 : 1; response.chunked && i > 0; i--) {
      const fault = bodyOnCuts(bytes, headEnd, end, response.bodyRead, this.#random);
      if (fault !== undefined) return { what: fault, ours: response, llhttp: undefined };
    }
    return undefined;
  }

  /** A body we find broken or not whole has not been passed on as a whole one. */
  #unfinished(response: OurResponse, stop: string): Failure | undefined {
    if (response.framing === 'close') return undefined;
    const { bytes, end } = this.#sent.set(response.sent);
    const sent = this.#oracle.read(bytes, 0, [], end).messages[0];
    return sent?.complete === false
      ? undefined
      : { what: `a body that is ${stop} is sent as a whole one`, ours: response, llhttp: sent };
  }
}

function hasProxyConnection({ fields }: OurResponse): boolean {
  return fields.some((name, i) => i % 2 === 0 && name.toLowerCase() === 'proxy-connection');
}

function framesBody({ fields }: OurResponse): boolean {
  return fields.some((name, i) => {
    if (i % 2 !== 0) return false;
    return (
      /^transfer-encoding$/i.test(name) || (/^content-length$/i.test(name) && Number(fields[i + 1]) !== 0)
    );
  });
}

function answersHeadWithoutLength({ fields }: OurResponse, audience: Audience): boolean {
  const framed = fields.some(
    (name, i) => i % 2 === 0 && /^(?:content-length|transfer-encoding)$/i.test(name),
  );
  return audience.method === 'HEAD' && !framed;
}
