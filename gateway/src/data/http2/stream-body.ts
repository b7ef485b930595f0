import type { FailureCode } from '../../errors.ts';
import type { Exchange } from '../exchange.ts';
import { CHUNKED } from '../http1/request-head.ts';
import { trailerLines } from './request-trailers.ts';

/** The body of a request that comes in DATA frames, framed for HTTP/1.1 on its way. */
export class StreamBody {
  readonly #exchange: Exchange;
  readonly #length: number;
  #received = 0;
  /** Of payload, as the route has it. */
  maxBytes = Number.POSITIVE_INFINITY;
  /** As they came, names and values in turn; they come before what is left of the body is read. */
  trailers: readonly string[] | undefined;

  /** @param length of the body, or CHUNKED where no Content-Length tells */
  constructor(exchange: Exchange, length: number) {
    this.#exchange = exchange;
    this.#length = length;
  }

  /** Passes on what a DATA frame held. Returns what is wrong with it. */
  take(bytes: Buffer): FailureCode | undefined {
    const { length } = bytes;
    // an empty chunk would end the body
    if (length === 0) return undefined;
    this.#received += length;
    if (this.#length !== CHUNKED) {
      // RFC 9113 §8.1.1; a backend would read the rest as its next request
      if (this.#received > this.#length) return 'bad_content_length';
      this.#exchange.bodyBytes(bytes, 0, length);
      return undefined;
    }
    if (this.#received > this.maxBytes) return 'body_too_large';
    this.#exchange.bodyText(`${length.toString(16)}\r\n`);
    this.#exchange.bodyBytes(bytes, 0, length);
    this.#exchange.bodyText('\r\n');
    return undefined;
  }

  /** The client has ended its body. Returns what is wrong with that. */
  end(): FailureCode | undefined {
    if (this.#length === CHUNKED) {
      const lines = this.trailers === undefined ? '' : trailerLines(this.trailers);
      if (lines === undefined) return 'bad_trailer';
      this.#exchange.bodyText(`0\r\n${lines}\r\n`);
    } else if (this.#received !== this.#length) return 'bad_content_length';
    this.#exchange.endBody();
    return undefined;
  }
}
