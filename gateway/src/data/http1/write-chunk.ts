import type { BodySink } from './chunked.ts';

/** Sends `bytes[start, end)`, which is not empty, as one chunk (RFC 9112 §7.1). */
export function writeChunk(sink: BodySink, bytes: Buffer, start: number, end: number): void {
  sink.bodyText(`${(end - start).toString(16)}\r\n`);
  sink.bodyBytes(bytes, start, end);
  sink.bodyText('\r\n');
}
