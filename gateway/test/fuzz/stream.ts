import { createGateway, type Gateway } from '../../src/gateway.ts';
import { plan } from '../support/plans.ts';
import { knownMethod } from './exceptions.ts';
import { Input } from './input.ts';
import { Llhttp, type LlhttpMessage } from './llhttp.ts';
import { OurRequestReader, type OurRequests } from './our-requests.ts';
import { OurResponseReader, type OurResponses } from './our-responses.ts';
import { hashOf, Random } from './random.ts';
import type { Failure } from './reading.ts';
import { StreamBackend } from './stream-backend.ts';
import { StreamClient, sendPieces } from './stream-client.ts';

const NEXT = 'GET /next HTTP/1.1\r\nHost: a\r\n\r\n';
/** Reasons to stop reading that draw no answer. */
const WAITING: ReadonlySet<string> = new Set(['end', 'closed', 'incomplete']);
const NEXT_BODY = 'GET 0';

/** Inputs through a whole gateway on real sockets, one connection at a time, with a backend that reads with llhttp. */
export class Stream {
  readonly #gateway: Gateway;
  readonly #backend: StreamBackend;
  readonly #input = new Input();
  readonly #received = new Input();
  readonly #requests = new OurRequestReader(() => 0.5);
  readonly #responses = new OurResponseReader();
  readonly #oracle = new Llhttp('response');
  readonly #random = new Random();

  private constructor(gateway: Gateway, backend: StreamBackend) {
    this.#gateway = gateway;
    this.#backend = backend;
  }

  static async start(): Promise<Stream> {
    const backend = await StreamBackend.start();
    return new Stream(await createGateway(plan([backend.port])), backend);
  }

  stop(): void {
    this.#gateway.data.destroy();
    this.#backend.stop();
  }

  get #port(): number {
    return this.#gateway.data.listeners[0]?.port ?? 0;
  }

  /** A client sends `text`: the backend gets the requests that our codec reads in it, or fewer, and nothing else. */
  async checkRequests(text: string): Promise<Failure | undefined> {
    // a head that came in pieces is looked at again only when it may be whole
    const sent = `${text}\r\n\r\n`;
    this.#begin(sent);
    const ours = this.#requests.read(this.#input, false);
    if (
      [...ours.requests, ours.unfinished].some(
        (request) => request && knownMethod(request.method) !== request.method,
      )
    )
      return undefined;
    const refused =
      !WAITING.has(ours.stop) && (ours.unfinished !== undefined || sent.includes('\r\n\r\n', ours.rest));
    const answers = ours.requests.length + (refused ? 1 : 0);
    const client = await StreamClient.open(this.#port);
    await client.send(sent, this.#random);
    const methods = [...ours.requests.map(({ method }) => method), ours.unfinished?.method ?? ''];
    const settled = await client.until((received) => this.#answers(received, methods).length >= answers);
    const ends = refused || ours.stop === 'closed';
    const ended = !ends || (await client.until(() => false));
    client.destroy();
    const got = this.#answers(client.received, methods);
    const failed = (what: string): Failure => ({
      what: `stream: ${what}`,
      ours,
      llhttp: { client: client.received, backend: this.#backend },
    });
    if (!settled) return failed('not every request is answered');
    if (!ended) return failed('the connection stays open');
    // what was answered before its body had come is the last that is
    if (got.length < answers && got.at(-1)?.keepAlive !== false)
      return failed('the connection ends before every request is answered');
    if (this.#backend.faults.length > 0) return failed('the backend is sent what llhttp refuses');
    return this.#isFromThese(ours) ? undefined : failed('the backend is sent a request that nobody made');
  }

  /** A backend answers `text`: the client gets that answer, a 502 or a broken one, and the next answer is its own. */
  async checkResponses(text: string): Promise<Failure | undefined> {
    this.#begin(text);
    const ours = this.#responses.read(this.#input, { method: 'GET', speaksChunked: true });
    const whole = ours.stop === 'end';
    const excess = whole && ours.rest < text.length;
    const ends = !excess && (!whole || ours.responses.at(-1)?.untilClose === true || this.#random.oneIn(2));
    this.#backend.script = (socket) => {
      // in one piece, or the excess might arrive when the next request is under way, which nobody could tell apart
      if (excess) {
        socket.write(text, 'latin1');
        return;
      }
      void sendPieces(socket, text, this.#random).then(() => (ends ? socket.end() : undefined));
    };
    const client = await StreamClient.open(this.#port);
    await client.send('GET /fuzz HTTP/1.1\r\nHost: a\r\n\r\n', this.#random);
    const settled = await client.until((received) => this.#finals(received).length > 0);
    const [first] = this.#finals(client.received);
    if (first !== undefined && !client.closed) await client.send(NEXT, this.#random);
    const answered = await client.until((received) => this.#finals(received).length > 1);
    client.destroy();
    const failed = (what: string): Failure => ({ what: `stream: ${what}`, ours, llhttp: client.received });
    if (!settled || !answered) return failed('a request is not answered');
    const mayReuse = whole && !excess && ours.responses.at(-1)?.keepAlive === true;
    if (this.#backend.reused && !mayReuse) return failed('a connection is used again that must not be');
    return this.#judge(ours, client.received, failed);
  }

  #begin(text: string): void {
    this.#input.set(text);
    this.#random.reseed(hashOf(this.#input.bytes, this.#input.end), 1);
    this.#backend.reset();
    this.#backend.script = undefined;
  }

  #judge(ours: OurResponses, received: string, failed: (what: string) => Failure): Failure | undefined {
    const [first, second, ...more] = this.#finals(received);
    const last = ours.responses.at(-1);
    if (more.length > 0) return failed('there are more answers than requests');
    if (second !== undefined && second.body !== NEXT_BODY)
      return failed('the next request gets another answer');
    if (ours.stop !== 'end' || last === undefined || last.status === 101) {
      return first === undefined || first.status === 502 ? undefined : failed('a broken answer looks whole');
    }
    if (first === undefined) return failed('a whole answer does not arrive');
    return first.status === last.status && first.body === last.body
      ? undefined
      : failed('another answer arrives');
  }

  #finals(received: string): readonly LlhttpMessage[] {
    return this.#answers(received, ['GET', 'GET']);
  }

  /** The final answers in `received`, to requests with these methods: what follows an answer to HEAD is the next head. */
  #answers(received: string, methods: readonly string[]): readonly LlhttpMessage[] {
    const finals: LlhttpMessage[] = [];
    let rest = received;
    while (rest.length > 0) {
      const { bytes, end } = this.#received.set(rest);
      const skipBody = methods[finals.length] === 'HEAD';
      const [message] = this.#oracle.read(bytes, 0, [], end, skipBody).messages;
      if (message?.complete !== true) return finals;
      if (message.status >= 200) finals.push(message);
      rest = rest.slice(this.#endOf(bytes, end, skipBody));
    }
    return finals;
  }

  /** Where the first message ends, found by halving. */
  #endOf(bytes: Buffer, end: number, skipBody: boolean): number {
    let short = 0;
    let long = end;
    while (long - short > 1) {
      const middle = (short + long) >> 1;
      const complete = this.#oracle.read(bytes, 0, [], middle, skipBody).messages[0]?.complete === true;
      if (complete) long = middle;
      else short = middle;
    }
    return long;
  }

  #isFromThese({ requests }: OurRequests): boolean {
    let from = 0;
    for (const seen of this.#backend.seen) {
      while (
        from < requests.length &&
        !(requests[from]?.method === seen.method && requests[from]?.body === seen.body)
      )
        from += 1;
      if (from >= requests.length) return false;
      from += 1;
    }
    return true;
  }
}
