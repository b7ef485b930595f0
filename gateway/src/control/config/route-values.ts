import { isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';
import { whyNoHostName } from './addresses.ts';
import { canonicalIPv6 } from './ip-network.ts';
import type { Parsed } from './parsed.ts';
import { bad, good, show, withoutPassword } from './parsed.ts';

/** What no suggestion can put right, in order. */
const PATH_REFUSALS: readonly (readonly [RegExp, string])[] = [
  [/%(?![0-9A-Fa-f]{2})/, 'has a % that is no escape; a literal % is %25'],
  [
    /%(?:2f|5c)|\\/i,
    'holds a \\, or an escaped / or \\, which backends read in different ways; no route can hold it',
  ],
  [/%(?:[01][0-9a-f]|7f)|[\u0000-\u001f\u007f]/i, 'holds a control character'],
  [/%c[01]%[89ab]|%e0%8[01]%[89ab]|%f0%80%8[01]%[89ab]/i, 'holds an ASCII character as overlong UTF-8'],
  [/\/(?:\.|%2e){1,2}(?:;|%3b)/i, 'holds a dot segment with a parameter'],
];

/**
 * A path prefix in the one spelling the router knows (data/target.ts): no empty, `.` or `..` segments, nothing
 * escaped that can stand as it is, other escapes in upper-case hex (RFC 3986 §6.2.2). A `/` at the end is dropped.
 */
export function parseRoutePath(text: string): Parsed<string> {
  if (text === '') return bad('a path is empty', '/');
  if (!text.startsWith('/'))
    return bad(`${show(text)} does not start with /`, guessPath(`/${text.replace(/^\^/, '')}`));
  if (/[?#]/.test(text)) {
    return bad(`${show(text)}: a path has no query or fragment`, guessPath(text.replace(/[?#].*$/s, '')));
  }
  if (text.endsWith('/*'))
    return bad(`${show(text)}: a path is a prefix as it is`, guessPath(text.slice(0, -1)));
  const refusal = PATH_REFUSALS.find(([pattern]) => pattern.test(text));
  if (refusal !== undefined) return bad(`${show(text)} ${refusal[1]}`);
  const canonical = canonicalPrefix(text);
  const trimmed = text === '/' ? text : text.replace(/\/$/, '');
  if (canonical === trimmed) return good(canonical);
  return bad(`${show(text)} is not in its canonical spelling`, guessPath(text));
}

function guessPath(text: string): string | undefined {
  if (
    text.includes('*') ||
    withoutPassword(text) !== text ||
    PATH_REFUSALS.some(([pattern]) => pattern.test(text))
  )
    return undefined;
  return show(canonicalPrefix(text));
}

function canonicalPrefix(text: string): string {
  const escaped = text
    .replace(/%([0-9A-Fa-f]{2})/g, (whole, hex: string) => {
      const char = String.fromCharCode(Number.parseInt(hex, 16));
      return /[!-~]/.test(char) && !/[#%?/\\]/.test(char) ? char : whole.toUpperCase();
    })
    .replace(/[^!-~]+/g, (run) => encodeURIComponent(run.toWellFormed()));
  const segments: string[] = [];
  for (const segment of escaped.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  return `/${segments.join('/')}`;
}

/** A host name in lower case, `*.example.com`, an IPv4 address, or an IPv6 address in brackets; no port. */
export function parseRouteHost(text: string): Parsed<string> {
  if (text === '*' || text === '') return bad('a route for every host has no host at all; leave it out');
  if (/^https?:\/\//i.test(text)) return bad(`${show(text)} is a URL, not a host`, guessHost(text));
  if (text.startsWith('[') && text.endsWith(']')) {
    const address = text.slice(1, -1);
    if (isIPv6(address) && !address.includes('%')) return good(`[${canonicalIPv6(address)}]`);
    return bad(`${show(text)} is not an IPv6 address`);
  }
  if (isIPv6(text)) return bad(`${show(text)} is an IPv6 address without brackets`, `[${text}]`);
  if (text.includes(':'))
    return bad(`${show(text)}: a host has no port; the listener has it`, guessHost(text));
  const host = text.toLowerCase();
  const wrong = whyNoHostName(host.startsWith('*.') ? host.slice(2) : host);
  return wrong === undefined ? good(host) : bad(wrong, guessHost(text));
}

function guessHost(text: string): string | undefined {
  const host = text
    .replace(/^[a-z]+:\/\//i, '')
    .replace(/[/?#].*$/s, '')
    .replace(/:[0-9]*$/, '');
  const wildcard = /^(\*\.|\.)/.test(host);
  const name = domainToASCII(host.replace(/^(\*\.|\.)/, '').replace(/\.$/, ''));
  const guess = `${wildcard ? '*.' : ''}${name}`;
  return guess !== text && whyNoHostName(name) === undefined ? guess : undefined;
}

/** A method as RFC 9110 §9.1 has it: a token, case-sensitive, and in use always upper case. */
export function parseMethod(text: string): Parsed<string> {
  if (text === 'CONNECT') return bad('CONNECT has no path, so no route can match it');
  if (/^[A-Z][A-Z0-9-]{0,31}$/.test(text)) return good(text);
  const guess = text.toUpperCase();
  return bad(`${show(text)} is not a method such as GET`, /^[A-Z]{3,16}$/.test(guess) ? guess : undefined);
}
