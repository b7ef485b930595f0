import { createRequire } from 'node:module';
import { latin1 } from '../../src/data/latin1.ts';
import type { Message } from './reading.ts';

/**
 * llhttp, the oracle, as node:http uses it: strict, in process. Node has no public door to it but a server and a client
 * on sockets, a hundred times too slow for millions of cases; `_http_common` exports the binding those two are made of.
 * It is not documented, so nothing but this file touches it, and `llhttp.test` cases in fuzz.test.ts pin what is relied on.
 */
interface Binding {
  new (): Parser;
  readonly REQUEST: number;
  readonly RESPONSE: number;
  readonly kOnHeaders: number;
  readonly kOnMessageBegin: number;
  readonly kOnHeadersComplete: number;
  readonly kOnBody: number;
  readonly kOnMessageComplete: number;
  readonly kLenientNone: number;
}

interface Parser {
  initialize(type: number, resource: object, maxHeaderBytes: number, lenient: number): void;
  /** Bytes consumed, fewer than given only where an upgrade begins; or an Error that is returned, not thrown. */
  execute(bytes: Uint8Array): number | ParseError;
  /** The end of the connection. */
  finish(): ParseError | undefined;
  [callback: number]: (...values: never[]) => unknown;
}

interface ParseError extends Error {
  readonly code: string;
}

const common = createRequire(import.meta.url)('_http_common') as {
  readonly HTTPParser: Binding;
  readonly methods: readonly string[];
};
const { HTTPParser } = common;

/** Beyond our own limits, so that size is never what the two disagree about. */
const MAX_HEADER_BYTES = 256 * 1024;
/** The methods that HTTP/1.x requests may have for it. */
export const METHODS: ReadonlySet<string> = new Set(common.methods);

/** By llhttp's numbers: those of RTSP stand between SOURCE (33) and QUERY (46), and node:http leaves them out. */
const METHOD_NAMES: readonly string[] = (() => {
  const names = common.methods.filter((name) => name !== 'QUERY');
  names[46] = 'QUERY';
  return names;
})();

/** A message as llhttp reported it. */
export class LlhttpMessage implements Message {
  method = '';
  target = '';
  status = 0;
  minorVersion = 0;
  readonly fields: string[] = [];
  readonly trailers: string[] = [];
  body = '';
  keepAlive = false;
  upgrade = false;
  headComplete = false;
  complete = false;
  /** Which of the pieces it was given ended the message; -1 while it is not complete. */
  endedIn = -1;
}

export interface LlhttpReading {
  readonly messages: readonly LlhttpMessage[];
  /** llhttp's code, such as HPE_INVALID_URL; undefined when it found nothing wrong. */
  readonly error: string | undefined;
}

/** One parser, used again and again; each `read` is a new connection to it. */
export class Llhttp {
  readonly #parser = new HTTPParser();
  readonly #type: number;
  readonly #resource = {};
  #messages: LlhttpMessage[] = [];
  #current = new LlhttpMessage();
  #piece = 0;
  #skipsBody = false;

  constructor(type: 'request' | 'response') {
    this.#type = type === 'request' ? HTTPParser.REQUEST : HTTPParser.RESPONSE;
    const parser = this.#parser;
    parser[HTTPParser.kOnMessageBegin] = () => {
      this.#current = new LlhttpMessage();
      this.#messages.push(this.#current);
    };
    parser[HTTPParser.kOnHeaders] = (fields: string[], url: string) => this.#onFields(fields, url);
    parser[HTTPParser.kOnHeadersComplete] = (...values: never[]) =>
      this.#onHead(...(values as unknown as Head));
    parser[HTTPParser.kOnBody] = (bytes: Buffer) => {
      this.#current.body += latin1(bytes, 0, bytes.length);
    };
    parser[HTTPParser.kOnMessageComplete] = () => {
      this.#current.complete = true;
      this.#current.endedIn = this.#piece;
    };
  }

  /**
   * Reads `bytes[start, end)` in pieces that end at `cuts` and at `end`.
   * @param skipBody the messages answer HEAD
   * @param ends whether the connection ends after it
   */
  read(
    bytes: Buffer,
    start: number,
    cuts: readonly number[],
    end: number,
    skipBody = false,
    ends = false,
  ): LlhttpReading {
    this.#messages = [];
    this.#skipsBody = skipBody;
    this.#parser.initialize(this.#type, this.#resource, MAX_HEADER_BYTES, HTTPParser.kLenientNone);
    let at = start;
    let error: string | undefined;
    for (let i = 0; i <= cuts.length && error === undefined; i++) {
      this.#piece = i;
      const until = cuts[i] ?? end;
      error = this.#execute(bytes, at, until);
      at = until;
    }
    if (ends && error === undefined) error = this.#parser.finish()?.code;
    return { messages: this.#messages, error };
  }

  #execute(bytes: Buffer, start: number, end: number): string | undefined {
    let at = start;
    while (at < end) {
      const consumed = this.#parser.execute(bytes.subarray(at, end));
      if (typeof consumed !== 'number') return consumed.code;
      // an upgrade pauses the parser at its end; going on is what node:http does when nobody takes the upgrade
      at += consumed;
      // after CONNECT it takes nothing more
      if (consumed === 0) return undefined;
    }
    return undefined;
  }

  #onFields(fields: readonly string[], url: string): void {
    const message = this.#current;
    if (message.headComplete) message.trailers.push(...fields);
    else {
      message.fields.push(...fields);
      // told once, with the first of the fields that come before the rest
      if (url) message.target = url;
    }
  }

  #onHead(...[, minor, fields, method, url, status, , upgrade, keepAlive]: Head): number {
    const message = this.#current;
    message.minorVersion = minor;
    if (fields) message.fields.push(...fields);
    if (url) message.target = url;
    if (this.#type === HTTPParser.REQUEST) message.method = METHOD_NAMES[method ?? -1] ?? '';
    message.status = status ?? 0;
    message.upgrade = upgrade;
    message.keepAlive = keepAlive;
    message.headComplete = true;
    return this.#skipsBody ? 1 : 0;
  }
}

type Head = [
  major: number,
  minor: number,
  fields: string[] | undefined,
  method: number | undefined,
  url: string | undefined,
  status: number | undefined,
  reason: string | undefined,
  upgrade: boolean,
  keepAlive: boolean,
];
