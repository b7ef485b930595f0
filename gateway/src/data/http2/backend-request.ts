/** What an HTTP/1.1 request head is in HTTP/2. */
export interface RequestFields {
  /** Names and values in turn, pseudo-fields first. */
  readonly fields: readonly string[];
  /** Whether the body comes as chunks. */
  readonly chunked: boolean;
}

const CHUNKED_LINE = 'transfer-encoding';

/** RFC 9113 §8.2.2; what frames an HTTP/1.1 connection, and Host, which is `:authority` now. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  'connection',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  CHUNKED_LINE,
  'upgrade',
]);

const VERSION = ' HTTP/1.1';

/**
 * Writes a request head of ours (`Name: value` lines, as request-headers.ts makes them) as HTTP/2 has it.
 * @param authority where the head names no host
 */
export function requestFields(
  head: string,
  scheme: 'http' | 'https',
  authority: string,
): RequestFields & { readonly fields: string[] } {
  const lineEnd = head.indexOf('\r\n');
  const methodEnd = head.indexOf(' ');
  const path = head.slice(methodEnd + 1, lineEnd - VERSION.length);
  const fields = [
    ...[':method', head.slice(0, methodEnd), ':scheme', scheme],
    ...[':authority', authority, ':path', path],
  ];
  let chunked = false;
  let at = lineEnd + 2;
  for (;;) {
    const end = head.indexOf('\r\n', at);
    if (end <= at) return { fields, chunked };
    const colon = head.indexOf(':', at);
    const name = head.slice(at, colon).toLowerCase();
    if (!LEFT_OUT.has(name)) fields.push(name, head.slice(colon + 2, end));
    else if (name === CHUNKED_LINE) chunked = true;
    else if (name === 'host' && end > colon + 2) fields[AUTHORITY_AT] = head.slice(colon + 2, end);
    at = end + 2;
  }
}

const METHOD_AT = 1;
const AUTHORITY_AT = 5;

/**
 * Makes the fields of a WebSocket upgrade those of an extended CONNECT (RFC 8441 §5), which has no key: returns the one
 * that the client sent, to accept it in the backend's stead.
 */
export function asExtendedConnect(fields: string[]): string {
  fields[METHOD_AT] = 'CONNECT';
  const keyAt = fields.indexOf('sec-websocket-key');
  const key = keyAt < 0 ? '' : (fields[keyAt + 1] ?? '');
  if (keyAt >= 0) fields.splice(keyAt, 2);
  fields.splice(AUTHORITY_AT + 3, 0, ':protocol', 'websocket');
  return key;
}
