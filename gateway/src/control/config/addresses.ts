import { isIPv4, isIPv6 } from 'node:net';
import { canonicalIPv6 } from './ip-network.ts';
import type { Parsed } from './parsed.ts';
import { bad, good, show } from './parsed.ts';

export interface ListenAddress {
  /** An IP address without brackets. */
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
}

/** `0.0.0.0:8080`, `[::1]:8080`, `localhost:8080`, or `:8080` for every address (`::`, IPv4 included). */
export function parseListenAddress(text: string): Parsed<ListenAddress> {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):([0-9]+)$/.exec(text);
  if (match === null) return bad(`${show(text)} is not an address such as 0.0.0.0:8080`, guessListen(text));
  const port = Number(match[3]);
  if (port > 65_535) return bad(`${show(text)}: the port ${match[3]} is not 0 to 65535`);
  const [, six, other = ''] = match;
  if (six !== undefined) {
    if (!isIPv6(six) || six.includes('%')) return bad(`${show(text)}: ${show(six)} is not an IPv6 address`);
    return good({ host: canonicalIPv6(six), port });
  }
  if (other === '') return good({ host: '::', port });
  if (other === 'localhost') return good({ host: '127.0.0.1', port });
  if (other === '*') return bad(`${show(text)} is not an address such as 0.0.0.0:8080`, `:${port}`);
  if (!isIPv4(other)) return bad(`${show(text)}: a listener has an IP address, and ${show(other)} is none`);
  return good({ host: other, port });
}

function guessListen(text: string): string | undefined {
  if (/^[0-9]{1,5}$/.test(text)) return `:${text}`;
  if (isIPv4(text)) return `${text}:8080`;
  if (isIPv6(text)) {
    const cut = text.lastIndexOf(':');
    const host = text.slice(0, cut);
    return isIPv6(host) ? `[${host}]:${text.slice(cut + 1)}` : `[${text}]:8080`;
  }
  const url = /^https?:\/\/([^/]+)\/?$/.exec(text)?.[1];
  return url !== undefined && parseListenAddress(url).ok ? url : undefined;
}

export interface BackendAddress {
  readonly scheme: 'http' | 'https' | 'tcp' | 'udp';
  /** Host name in lower case, or an IP address without brackets. */
  readonly host: string;
  readonly port: number;
  /** `host:port`, with brackets around IPv6. */
  readonly name: string;
}

const URL_PARTS = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?$/s;

const SCHEMES: ReadonlySet<string> = new Set([
  'http',
  'https',
  'tcp',
  'udp',
] satisfies BackendAddress['scheme'][]);

/** `http`, `https`, `tcp` or `udp` and `://host:port`; the port of http is 80 and of https 443 when it is left out. */
export function parseBackendUrl(text: string): Parsed<BackendAddress> {
  // Before anything that shows or suggests a part of it.
  if (text.includes('@')) return bad(`a backend's URL holds no user or password`);
  const match = URL_PARTS.exec(text);
  if (match === null) return bad(`${show(text)} is not a URL such as http://127.0.0.1:3001`, guessUrl(text));
  const [, scheme = '', authority = '', path = '', query, fragment] = match;
  const protocol = scheme.toLowerCase();
  if (!isScheme(protocol)) {
    return bad(
      `${show(text)}: a backend is http, https, tcp or udp, not ${show(scheme)}`,
      guessScheme(protocol, authority),
    );
  }
  if (path !== '' && path !== '/') {
    return bad(
      `${show(text)}: a backend's URL has no path; use rewrite on the route`,
      `${protocol}://${authority}`,
    );
  }
  if (query !== undefined || fragment !== undefined) {
    return bad(`${show(text)}: a backend's URL has no query or fragment`, `${protocol}://${authority}`);
  }
  return readAuthority(text, protocol, authority);
}

function isScheme(text: string): text is BackendAddress['scheme'] {
  return SCHEMES.has(text);
}

function readAuthority(
  text: string,
  scheme: BackendAddress['scheme'],
  authority: string,
): Parsed<BackendAddress> {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::([0-9]*))?$/.exec(authority);
  if (match === null) {
    const guess = isIPv6(authority) ? `${scheme}://[${authority}]` : undefined;
    return bad(`${show(text)}: ${show(authority)} is not host:port`, guess);
  }
  const [, six, name = '', digits] = match;
  const isLayer4 = scheme === 'tcp' || scheme === 'udp';
  if (digits === undefined && isLayer4) return bad(`${show(text)}: the port is missing`);
  const port = digits === undefined ? (scheme === 'http' ? 80 : 443) : Number(digits || Number.NaN);
  if (!(port >= 1 && port <= 65_535))
    return bad(`${show(text)}: the port ${show(digits ?? '')} is not 1 to 65535`);
  if (six !== undefined) {
    if (!isIPv6(six) || six.includes('%')) return bad(`${show(text)}: ${show(six)} is not an IPv6 address`);
    const host = canonicalIPv6(six);
    return good({ scheme, host, port, name: `[${host}]:${port}` });
  }
  const host = name.toLowerCase();
  const wrong = whyNoHostName(host);
  if (wrong !== undefined) return bad(`${show(text)}: ${wrong}`);
  return good({ scheme, host, port, name: `${host}:${port}` });
}

/** Why a lower-case name cannot be a host name (RFC 1123, and `_` because container names have it). */
export function whyNoHostName(host: string): string | undefined {
  if (host === '') return 'the host is missing';
  if (isIPv4(host)) return undefined;
  if (host.length > 253) return 'the host name is longer than 253 characters';
  const labels = host.split('.');
  const wrong = labels.find((label) => !/^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label));
  if (wrong !== undefined) return `${show(host)} is not a host name`;
  // The URL standard and inet_aton read 127.1 and 0x7f.1 as addresses; nobody should have to know that.
  if (/^(0x[0-9a-f]*|[0-9]+)$/.test(labels.at(-1) ?? '')) return `${show(host)} is not an IPv4 address`;
  return undefined;
}

function guessUrl(text: string): string | undefined {
  const guess = text.startsWith('//') ? `http:${text}` : `http://${text}`;
  return !text.includes('://') && parseBackendUrl(guess).ok ? guess : undefined;
}

const MEANT_SCHEMES: ReadonlyMap<string, BackendAddress['scheme']> = new Map([
  ...['ws', 'h2c', 'grpc', 'htp', 'htttp'].map((scheme) => [scheme, 'http'] as const),
  ...['wss', 'grpcs', 'h2'].map((scheme) => [scheme, 'https'] as const),
  ...['tls', 'tcps', 'redis', 'rediss', 'postgres', 'postgresql', 'mysql', 'tcp4', 'tcp6'].map(
    (scheme) => [scheme, 'tcp'] as const,
  ),
  ...['dns', 'udp4', 'udp6'].map((scheme) => [scheme, 'udp'] as const),
]);

function guessScheme(scheme: string, authority: string): string | undefined {
  const meant = MEANT_SCHEMES.get(scheme);
  if (meant === undefined) return undefined;
  const guess = `${meant}://${authority}`;
  return parseBackendUrl(guess).ok ? guess : undefined;
}
