import { constants, type Http2Session } from 'node:http2';

/** What nghttp2 calls the errors by which a peer ends its connection (nghttp2.h), and what RFC 9113 §7 does. */
const CODES: ReadonlyMap<number, number> = new Map([
  [-505, constants.NGHTTP2_PROTOCOL_ERROR],
  [-510, constants.NGHTTP2_STREAM_CLOSED],
  [-522, constants.NGHTTP2_FRAME_SIZE_ERROR],
  [-523, constants.NGHTTP2_COMPRESSION_ERROR],
  [-524, constants.NGHTTP2_FLOW_CONTROL_ERROR],
  [-903, constants.NGHTTP2_PROTOCOL_ERROR],
  // floods: of invalid frames (node:http2's own limit), of what has to be acknowledged, of CONTINUATION
  [-902, constants.NGHTTP2_ENHANCE_YOUR_CALM],
  [-904, constants.NGHTTP2_ENHANCE_YOUR_CALM],
  [-905, constants.NGHTTP2_ENHANCE_YOUR_CALM],
]);

/**
 * Has GOAWAY say what the peer did wrong where node:http2 ends a session by itself: it would say INTERNAL_ERROR for
 * everything. Of its own methods it calls `destroy` for that, with nghttp2's error.
 */
export function sayWhy(session: Http2Session): void {
  const destroy = session.destroy.bind(session);
  session.destroy = (error, code) => {
    const errno = error instanceof Error ? (error as NodeJS.ErrnoException).errno : undefined;
    destroy(error, code ?? CODES.get(errno ?? 0));
  };
}
