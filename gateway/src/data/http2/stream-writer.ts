import { constants, type Http2Stream } from 'node:http2';
import { latin1 } from '../latin1.ts';

/** Small enough that one copy into text is cheaper than a buffer of its own. */
const SMALL_BYTES = 8 * 1024;
/**
 * Most that is given to a stream at once: what has left is only told when all of a write has, and a client on a slow line
 * must be seen to take something within the time it has. It is also what node:http2 counts against a session's memory.
 */
const SLICE_BYTES = 64 * 1024;

/** Hears that there is room again after `pendingBytes` was too much. */
export interface RoomListener {
  onRoom(): void;
}

/** What is written to one stream of HTTP/2: gathered until `flush`, then given to it in slices, one at a time. */
export class StreamWriter {
  readonly #stream: Http2Stream;
  readonly #listener: RoomListener;
  #text = '';
  readonly #queue: (string | Buffer)[] = [];
  #queuedBytes = 0;
  #inFlightBytes = 0;
  #ending = false;
  #closing = false;
  #ended = false;
  #openEnded = false;
  #full = false;
  #wroteSlice: ((error?: Error | null) => void) | undefined;
  /** How many slices have left. */
  slices = 0;

  constructor(stream: Http2Stream, listener: RoomListener) {
    this.#stream = stream;
    this.#listener = listener;
  }

  /** What was given to it and has not left for the session, which itself holds little. */
  get pendingBytes(): number {
    return this.#text.length + this.#queuedBytes + this.#inFlightBytes;
  }

  get empty(): boolean {
    return this.#text === '' && this.#queue.length === 0 && this.#inFlightBytes === 0;
  }

  /** Whether what there is leaves at once, and with the end of the stream. */
  get isOneWrite(): boolean {
    return this.#inFlightBytes === 0 && this.#queue.length + (this.#text === '' ? 0 : 1) <= 1;
  }

  /** Whether whoever fills it should wait for `onRoom`. */
  get full(): boolean {
    if (this.pendingBytes <= SLICE_BYTES) return false;
    this.#full = true;
    return true;
  }

  bodyText(text: string): void {
    this.#text += text;
    if (this.#text.length > SMALL_BYTES) this.#enqueueText();
  }

  /** `bytes` may be overwritten as soon as this returns. */
  bodyBytes(bytes: Buffer, start: number, end: number): void {
    if (end - start <= SMALL_BYTES) {
      this.bodyText(latin1(bytes, start, end));
      return;
    }
    this.#enqueueText();
    const copy = Buffer.allocUnsafeSlow(end - start);
    bytes.copy(copy, 0, start, end);
    for (let at = 0; at < copy.length; at += SLICE_BYTES) this.#enqueue(copy.subarray(at, at + SLICE_BYTES));
  }

  #enqueueText(): void {
    if (this.#text === '') return;
    this.#enqueue(this.#text);
    this.#text = '';
  }

  #enqueue(chunk: string | Buffer): void {
    this.#queue.push(chunk);
    this.#queuedBytes += chunk.length;
  }

  flush(): void {
    if (this.#inFlightBytes > 0 || this.#ended || this.#stream.destroyed) return;
    const next = this.#next();
    if (next === undefined) {
      if (this.#ending) this.#end(undefined);
    } else if (this.#ending && this.#text === '' && this.#queue.length === 0) this.#end(next);
    else this.#write(next);
  }

  #next(): string | Buffer | undefined {
    const next = this.#queue.shift();
    if (next !== undefined) {
      this.#queuedBytes -= next.length;
      return next;
    }
    const text = this.#text;
    this.#text = '';
    return text === '' ? undefined : text;
  }

  #write(chunk: string | Buffer): void {
    this.#inFlightBytes = chunk.length;
    this.#wroteSlice ??= (error) => this.#onWritten(error);
    if (typeof chunk === 'string') this.#stream.write(chunk, 'latin1', this.#wroteSlice);
    else this.#stream.write(chunk, this.#wroteSlice);
  }

  #onWritten(error: Error | null | undefined): void {
    this.#inFlightBytes = 0;
    this.slices += 1;
    if (error !== undefined && error !== null) return;
    this.flush();
    if (!this.#full || this.pendingBytes > SLICE_BYTES) return;
    this.#full = false;
    this.#listener.onRoom();
  }

  /**
   * Sends what was added, then the end of its half of the stream (or what that waits for: trailers).
   * @param closing whether nothing that the peer still sends is wanted: it is told to stop (RFC 9113 §8.1)
   */
  end(closing: boolean): void {
    this.#ending = true;
    this.#closing = closing;
    if (!this.#ended) this.flush();
    else if (closing && !this.#openEnded) this.#stream.close(constants.NGHTTP2_NO_ERROR);
  }

  /** The end of the stream waits for `trailersSent`. */
  waitForTrailers(): void {
    this.#openEnded = true;
  }

  /** Its trailers, or that there are none, were given to the stream: node:http2 sends them in the next turn. */
  trailersSent(): void {
    this.#openEnded = false;
    if (this.#closing) setImmediate(closeStream, this.#stream);
  }

  #end(last: string | Buffer | undefined): void {
    this.#ended = true;
    if (last === undefined) this.#stream.end();
    else if (typeof last === 'string') this.#stream.end(last, 'latin1');
    else this.#stream.end(last);
    // node:http2 waits with it until what was written has left
    if (this.#closing && !this.#openEnded) this.#stream.close(constants.NGHTTP2_NO_ERROR);
  }
}

function closeStream(stream: Http2Stream): void {
  stream.close(constants.NGHTTP2_NO_ERROR);
}
