import type { Http2Stream } from 'node:http2';

/**
 * Breaks a stream off, one turn later. In the turn in which its session reads, node:http2 keeps RST_STREAM back, sends the
 * stream's end before it, and aborts the process where that end waits for trailers (`Http2Stream::OnTrailers` asserts
 * `!is_destroyed()`): seen with Node 26.10 and a backend that answers before it has the whole request.
 */
export function resetStream(stream: Http2Stream, code: number): void {
  setImmediate(close, stream, code);
}

function close(stream: Http2Stream, code: number): void {
  if (!stream.destroyed) stream.close(code);
}
