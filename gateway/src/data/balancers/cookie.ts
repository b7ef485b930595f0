/** No honest client sends more (RFC 6265 §6.1: 4096 bytes a cookie); longer fields are not looked into. */
const MAX_HEADER_CHARS = 16_384;
const MAX_VALUE_CHARS = 4096;
const SPACE = 0x20;
const TAB = 0x09;
const EQUALS = 0x3d;
const QUOTE = 0x22;

/**
 * The value of one cookie in a Cookie field, or undefined when it is not there, is longer than 4096 characters
 * or has control characters. Names are compared exactly; of several the first counts (RFC 6265 §5.4 sends the
 * most specific path first). Quotes around a value are not part of it (§4.1.1). Nothing else is decoded.
 */
export function cookieValue(header: string | undefined, name: string): string | undefined {
  if (header === undefined || name === '' || header.length > MAX_HEADER_CHARS) return undefined;
  let from = 0;
  while (from < header.length) {
    const semicolon = header.indexOf(';', from);
    const end = semicolon === -1 ? header.length : semicolon;
    const start = skipBlanks(header, from, end);
    if (header.startsWith(name, start) && header.charCodeAt(start + name.length) === EQUALS) {
      return valueBetween(header, start + name.length + 1, end);
    }
    from = end + 1;
  }
  return undefined;
}

function skipBlanks(header: string, from: number, end: number): number {
  let at = from;
  while (at < end && isBlank(header.charCodeAt(at))) at++;
  return at;
}

function valueBetween(header: string, from: number, to: number): string | undefined {
  let start = skipBlanks(header, from, to);
  let end = to;
  while (end > start && isBlank(header.charCodeAt(end - 1))) end--;
  const quoted = header.charCodeAt(start) === QUOTE && header.charCodeAt(end - 1) === QUOTE;
  if (quoted && end - start >= 2) {
    start++;
    end--;
  }
  if (end - start > MAX_VALUE_CHARS) return undefined;
  for (let at = start; at < end; at++) {
    const code = header.charCodeAt(at);
    if (code < SPACE || code === 0x7f) return undefined;
  }
  return header.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}
