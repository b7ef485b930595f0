import type { Parsed } from './parsed.ts';
import { bad, good, show } from './parsed.ts';

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/;

/**
 * Fields that frame a message or belong to one connection (RFC 9110 §7.6.1, RFC 9112 §6). They are the gateway's
 * own to write: a config that could set them could smuggle requests.
 */
const OWNED = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** A field name (RFC 9110 §5.1), any. */
export function parseFieldName(text: string): Parsed<string> {
  if (TOKEN.test(text)) return good(text);
  const trimmed = text.trim().replace(/:$/, '').replace(/ +/g, '-');
  return bad(
    `${show(text)} is not a header name`,
    trimmed !== text && TOKEN.test(trimmed) ? trimmed : undefined,
  );
}

/** The name of a field that a route may set or remove. */
export function parseEditableName(text: string): Parsed<string> {
  const name = parseFieldName(text);
  if (!name.ok || !OWNED.has(text.toLowerCase())) return name;
  return bad(`${text} belongs to the gateway, which writes it for each connection; a route cannot change it`);
}

/** A field value (RFC 9110 §5.5) of visible ASCII, spaces and tabs. The value is never shown: it may be a secret. */
export function parseFieldValue(text: string): Parsed<string> {
  if (/[\r\n\0]/.test(text)) return bad('a header value cannot hold line breaks or NUL');
  if (/[^\t -~]/.test(text)) return bad('a header value holds only visible ASCII, spaces and tabs');
  if (/^[\t ]|[\t ]$/.test(text)) return bad('a header value neither starts nor ends with white space');
  if (text.length > 8192) return bad('a header value is at most 8192 characters');
  return good(text);
}

/** A cookie name (RFC 6265 §4.1.1: a token). */
export function parseCookieName(text: string): Parsed<string> {
  return TOKEN.test(text) ? good(text) : bad(`${show(text)} is not a cookie name`);
}
