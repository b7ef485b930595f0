import { type ClientHttp2Stream, constants } from 'node:http2';
import { type BodySink, ChunkedDecoder } from '../http1/chunked.ts';
import { resetStream } from './reset-stream.ts';
import { addFields, fieldsObject } from './response-fields.ts';
import { type RoomListener, StreamWriter } from './stream-writer.ts';

/** The body of one request on its way to a stream of HTTP/2: taken out of its chunks, its trailers sent as such. */
export class BackendUpload implements BodySink {
  readonly writer: StreamWriter;
  readonly #decoder: ChunkedDecoder | undefined;
  readonly #stream: ClientHttp2Stream;
  /** Whether the body is not framed as it should be: then none of the rest is sent. */
  broken = false;

  /** @param chunked whether the body comes as chunks, with the trailers that the stream then asks for */
  constructor(stream: ClientHttp2Stream, chunked: boolean, listener: RoomListener) {
    this.#stream = stream;
    this.writer = new StreamWriter(stream, listener);
    this.#decoder = chunked ? new ChunkedDecoder('payload') : undefined;
    stream.on('wantTrailers', () => this.#sendTrailers());
  }

  bodyText(text: string): void {
    if (this.#decoder === undefined) this.writer.bodyText(text);
    else this.#decode(this.#decoder, Buffer.from(text, 'latin1'), 0, text.length);
  }

  bodyBytes(bytes: Buffer, start: number, end: number): void {
    if (this.#decoder === undefined) this.writer.bodyBytes(bytes, start, end);
    else this.#decode(this.#decoder, bytes, start, end);
  }

  #decode(decoder: ChunkedDecoder, bytes: Buffer, start: number, end: number): void {
    if (this.broken) return;
    this.broken = decoder.decode(bytes, start, end, this.writer) < 0;
  }

  /** The body is complete. */
  end(): void {
    this.writer.end(false);
  }

  #sendTrailers(): void {
    const fields: string[] = [];
    addFields(fields, this.#decoder?.trailers ?? '', 0);
    const stream = this.#stream;
    if (stream.closed || stream.destroyed) return;
    try {
      stream.sendTrailers(fieldsObject(fields));
    } catch {
      // what has been read strictly is nothing that node:http2 refuses; if it does, the body has no end
      resetStream(stream, constants.NGHTTP2_INTERNAL_ERROR);
    }
  }
}
