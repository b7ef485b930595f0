import type { Http2Session } from 'node:http2';

/**
 * Leaves it to us to close `session`. As soon as its peer says GOAWAY, node:http2 closes it gently; if something malformed
 * follows, it neither ends the session any more nor sees its connection end (26.10): every stream, and what that holds,
 * would be there for ever.
 * @param instead what is done where node:http2 would close it
 * @returns its own gentle close
 */
export function closedByUs(session: Http2Session, instead: () => void): () => void {
  const close = session.close.bind(session);
  session.close = instead;
  return close;
}
