import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { whyNoHostName } from './addresses.ts';
import type { Parsed } from './parsed.ts';
import { bad, good, show } from './parsed.ts';

/** A host name in lower case, or `*.example.com` for its subdomains; no address, no port. */
export function parseHostPattern(text: string): Parsed<string> {
  const host = text.toLowerCase();
  const wrong = whyNoHostName(host.startsWith('*.') ? host.slice(2) : host);
  return wrong === undefined ? good(host) : bad(wrong, guess(text));
}

/** A name that a TLS hello may ask for: no IP address (RFC 6066 §3), in lower case. */
export function parseSniName(text: string): Parsed<string> {
  if (text === '*') return bad('connections that no name is for go to service; say it there');
  if (isIP(text.replace(/^\[|\]$/g, '')) !== 0)
    return bad(`${show(text)} is an address, and clients ask for no address by name; say it in service`);
  return parseHostPattern(text);
}

function guess(text: string): string | undefined {
  const host = text.replace(/^[a-z]+:\/\//i, '').replace(/[/:?#].*$/s, '');
  const isWild = /^(\*\.|\.)/.test(host);
  const name = domainToASCII(host.replace(/^(\*\.|\.)/, '').replace(/\.$/, ''));
  const guessed = `${isWild ? '*.' : ''}${name}`;
  return guessed !== text.toLowerCase() && whyNoHostName(name) === undefined ? guessed : undefined;
}
