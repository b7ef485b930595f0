import type { FailureCode } from '../../errors.ts';
import type { Exchange } from '../exchange.ts';
import { latin1 } from '../latin1.ts';
import { ChunkedDecoder } from './chunked.ts';
import { CHUNKED } from './request-head.ts';

/** Larger ones cost less as bytes than as text. */
const SMALL_BODY_BYTES = 8 * 1024;

/** The body of the request being read: where it ends, and when it is too much. */
export class RequestBody {
  #remaining = 0;
  #decoder: ChunkedDecoder | undefined;
  /** Of payload, as the route has it. */
  maxBytes = 0;

  /**
   * A new request with a body of `length` bytes, or CHUNKED. A body that came whole with its head is kept as text, to be
   * sent on with it in one write. Returns the position after what it took of `bytes[start, end)`.
   */
  start(exchange: Exchange, length: number, bytes: Buffer, start: number, end: number): number {
    this.#remaining = length;
    this.#decoder = length === CHUNKED ? new ChunkedDecoder('framed') : undefined;
    if (length === CHUNKED || length > end - start || length > SMALL_BODY_BYTES) return start;
    if (length > 0) exchange.body = latin1(bytes, start, start + length);
    exchange.bodyComplete = true;
    return start + length;
  }

  /** Bytes still to come; infinite while only the end will tell. */
  get remaining(): number {
    return this.#decoder === undefined ? this.#remaining : Number.POSITIVE_INFINITY;
  }

  /** Whether all of it has been read. */
  get done(): boolean {
    return this.#decoder === undefined ? this.#remaining === 0 : this.#decoder.done;
  }

  /** Passes body bytes on. Returns the position after them, or what is wrong with them. */
  read(exchange: Exchange, bytes: Buffer, start: number, end: number): number | FailureCode {
    if (this.#decoder === undefined) {
      const next = Math.min(end, start + this.#remaining);
      this.#remaining -= next - start;
      exchange.bodyBytes(bytes, start, next);
      return next;
    }
    const next = this.#decoder.decode(bytes, start, end, exchange);
    if (next < 0) return 'bad_chunk';
    return this.#decoder.payloadBytes > this.maxBytes ? 'body_too_large' : next;
  }
}
