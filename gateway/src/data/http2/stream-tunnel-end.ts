import { constants, type Http2Stream } from 'node:http2';
import type { ByteEnd } from '../tunnel/byte-end.ts';
import { resetStream } from './reset-stream.ts';
import type { StreamWriter } from './stream-writer.ts';

/** One stream of HTTP/2 as the end of a tunnel: DATA is its bytes, END_STREAM its FIN, RST_STREAM its reset (RFC 8441 §5). */
export class StreamTunnelEnd implements ByteEnd {
  readonly #stream: Http2Stream;
  readonly #writer: StreamWriter;

  constructor(stream: Http2Stream, writer: StreamWriter) {
    this.#stream = stream;
    this.#writer = writer;
  }

  get broken(): boolean {
    return this.#stream.destroyed;
  }

  /** 0 while it is little: all writes to a stream wait for the end of the event loop's turn, and that is no congestion. */
  get pendingBytes(): number {
    return this.#writer.full ? this.#writer.pendingBytes : 0;
  }

  text(text: string): void {
    this.#writer.bodyText(text);
  }

  bytes(bytes: Buffer, start: number, end: number): void {
    this.#writer.bodyBytes(bytes, start, end);
  }

  flush(): void {
    this.#writer.flush();
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  end(): void {
    this.#writer.end(false);
  }

  destroySoon(): void {
    this.#writer.end(true);
    // what is not read keeps a stream from closing
    this.#stream.resume();
  }

  destroy(): void {
    resetStream(this.#stream, constants.NGHTTP2_CANCEL);
  }
}
