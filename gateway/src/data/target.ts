/**
 * The one reading of a request's path and host that both the route choice and the backend are given, so that nobody
 * reaches a route by one spelling and the backend by another. Spellings that a backend could read in a way that
 * leads to another route are refused, or given as a second reading to be routed as well.
 */

import { decodePrintable, resolveSegments, respell } from './path-bytes.ts';

export type PathReading =
  | {
      readonly ok: true;
      /** To be routed and to be forwarded. */
      readonly path: string;
      /**
       * What a backend sees that decodes everything once: `%2F`, `%5C` are separators and other encoded printable
       * characters are plain. undefined when it is no different. Route both and answer 400 when the routes differ.
       */
      readonly decoded: string | undefined;
    }
  | {
      readonly ok: false;
      /** Completes "the path …", for logs and problem details; holds nothing of the request. */
      readonly reason: string;
    };

const SLASH = 47;

/**
 * Any byte but the plain ones (`%`, `\`, `#`, `?` are not), an empty segment, or one that begins with a dot.
 * One native regex test: 59 ns for 30 characters of a sliced string, 128 ns for a charCodeAt loop over a table, which
 * has to unwrap the slice for each character (bench/micro/router.ts).
 */
const NOT_PLAIN = /\/[./]|[^!"$&->@-[\]-~]/;

const NOT_IN_A_PATH = /[^\x21-\x7e]|[\\#?]/;
/** RFC 3629 section 3: `%C0%AF` is no UTF-8, yet careless decoders make a slash of it, and a dot of `%C0%AE`. */
const OVERLONG = /%C[01]%[89AB]|%E0%8[01]%[89AB]|%F0%80%8[01]%[89AB]/;
/** Servers that cut path parameters off before they resolve dots read `/..;x/` as `/../`. */
const DOT_WITH_PARAMETER = /\/\.{1,2}(?:;|%3B)/;
/** What respelling leaves encoded of the printable characters, but for space, `#`, `%`, `?`, which no reading decodes. */
const PRINTABLE_ESCAPE = /%(?:2[1246-9A-CF]|3[A-E]|40|5[B-E]|60|7[B-D])/;
const DOT_SEGMENT = /\/\.{1,2}(?:[/;]|$)/;

/** Whether `raw` may differ from its canonical form, or be refused. When false, `raw` is the canonical path and has no other reading. */
export function needsReading(raw: string): boolean {
  return NOT_PLAIN.test(raw) || raw.charCodeAt(0) !== SLASH;
}

/**
 * Reads the path part (no query) of an origin-form target. Unreserved characters are decoded and the hex digits left
 * over upper-cased (RFC 3986 section 6.2.2), empty segments are merged first and then dot segments resolved, so
 * `/a//../b` is `/b`, as in nginx. Climbing above the root is refused, not clamped: only an attack does it.
 *
 * `%25` is never decoded: `/a%252Fb` names a segment with the text `a%2Fb`, is forwarded as it came, and a backend
 * that decodes once sees no slash. One that decodes twice is broken for every path with a percent sign; unwrapping
 * further layers here would only hand the next layer to the backend.
 *
 * For config: a route's path whose reading has `decoded` would match one reading of a request and not the other, so
 * its requests are refused; report it and name `decoded` as what was probably meant.
 */
export function canonicalPath(raw: string): PathReading {
  if (!needsReading(raw)) return { ok: true, path: raw, decoded: undefined };
  if (raw.charCodeAt(0) !== SLASH) return refused('does not start with a slash');
  if (NOT_IN_A_PATH.test(raw)) return refused('holds a character that has to be percent-encoded');
  const bytes = Buffer.from(raw, 'latin1');
  const spelled = respell(bytes);
  if (!spelled.ok) return spelled;
  const spelling = bytes.toString('latin1', 0, spelled.length);
  if (OVERLONG.test(spelling)) return refused('holds an ASCII character as overlong UTF-8');
  if (DOT_WITH_PARAMETER.test(spelling)) return refused('holds a dot segment with a parameter');
  const resolved = resolveSegments(bytes, spelled.length);
  if (!resolved.ok) return resolved;
  const path = bytes.toString('latin1', 0, resolved.length);
  if (!PRINTABLE_ESCAPE.test(path)) return { ok: true, path, decoded: undefined };
  const decoded = bytes.toString('latin1', 0, decodePrintable(bytes, resolved.length));
  // Not resolved but refused. With `/x%2Fb%5C..%5C..%2Fy` a backend for which only %2F separates is in /x, and one for
  // which %5C does too is in /y: two readings would not do. Without dots whatever a backend decodes, its path matches
  // every route that `path` matches and none that `decoded` does not, so when those two agree on the best, all agree.
  if (DOT_SEGMENT.test(decoded)) return refused('hides a dot segment in percent-encoding');
  return { ok: true, path, decoded };
}

function refused(reason: string): PathReading {
  return { ok: false, reason };
}

/**
 * Replaces the matched prefix, `prefixLength` characters long, of a canonical path. `rewrite` is a canonical path too.
 * What follows the prefix is kept as it is: `/db` to `/v2` makes `/db` `/v2` and `/db/` `/v2/`.
 */
export function joinRewrite(path: string, prefixLength: number, rewrite: string): string {
  // The prefix `/` is the only one that ends with a slash, and that slash begins the rest.
  const rest = prefixLength > 1 ? path.substring(prefixLength) : path;
  if (rest === '') return rewrite;
  if (rewrite === '/') return rest;
  return (rewrite.endsWith('/') ? rewrite.slice(0, -1) : rewrite) + rest;
}

const HOST_NOT_PLAIN = /[A-Z:]/;

/**
 * What a syntactically valid Host value (or authority without userinfo) is routed by: no port, lower case, without
 * the dot of a fully qualified name. IPv6 literals keep their brackets. The value itself when there is nothing to do.
 */
export function canonicalHost(host: string): string {
  if (!HOST_NOT_PLAIN.test(host) && host.charCodeAt(host.length - 1) !== 46) return host;
  const portAt = host.indexOf(':', host.startsWith('[') ? host.indexOf(']') : 0);
  const name = (portAt === -1 ? host : host.substring(0, portAt)).toLowerCase();
  return name.endsWith('.') ? name.slice(0, -1) : name;
}
