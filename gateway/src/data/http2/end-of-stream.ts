import type { ClientHttp2Stream } from 'node:http2';

/**
 * Calls `ended` when the peer has ended its half of `stream` with END_STREAM. node:http2 emits 'end' also for a stream that
 * was reset with NO_ERROR, or whose session died: what had arrived by then would pass for all there is. Only at the moment
 * of the end can the two be told apart: a stream that is reset counts as closed by then.
 */
export function onWholeEnd(stream: ClientHttp2Stream, ended: () => void): void {
  const push = stream.push.bind(stream);
  let first = true;
  stream.push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
    if (chunk === null && first) {
      first = false;
      if (!stream.closed && !stream.destroyed) ended();
    }
    return push(chunk, encoding);
  };
}
