import { isIPv4, isIPv6 } from 'node:net';
import { canonicalIp } from '../client-address.ts';
import { latin1 } from '../latin1.ts';
import { isSignature, parseV2 } from './proxy-protocol-v2.ts';

/** One end of a connection; the address without brackets and zone. */
export interface ProxyEndpoint {
  readonly ip: string;
  readonly port: number;
}

/** What stands at the beginning of what a proxy sends. */
export type ProxyHeader =
  /** So far it can still become a header. */
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'malformed' }
  | {
      readonly kind: 'header';
      /** Where the client's own bytes begin. */
      readonly end: number;
      /** Undefined where the proxy speaks for itself, or of no IP address: then its own addresses hold. */
      readonly source: ProxyEndpoint | undefined;
      readonly destination: ProxyEndpoint | undefined;
    };

/** "so a 108-byte buffer is always enough to store all the line and a trailing zero" */
const MAX_V1_BYTES = 107;

const INCOMPLETE: ProxyHeader = { kind: 'incomplete' };
const MALFORMED: ProxyHeader = { kind: 'malformed' };

/** What may follow each beginning of version 1, as far as it has come. */
const BEGINNINGS: readonly (readonly [beginning: string, rest: RegExp])[] = [
  ['PROXY TCP4 ', /^[\d.]{0,15}(?: [\d.]{0,15}(?: \d{0,5}(?: \d{0,5}\r?)?)?)?$/],
  ['PROXY TCP6 ', /^[\da-f:.]{0,45}(?: [\da-f:.]{0,45}(?: \d{0,5}(?: \d{0,5}\r?)?)?)?$/i],
  ['PROXY UNKNOWN', /^\r?$|^ [^\r\n]*\r?$/],
];

const TCP = /^PROXY (TCP[46]) ([^ ]+) ([^ ]+) (0|[1-9]\d{0,4}) (0|[1-9]\d{0,4})\r\n$/;
const UNKNOWN = /^PROXY UNKNOWN(?: [^\r\n]*)?\r\n$/;

/**
 * The PROXY protocol's header, version 1 or 2, at the start of `bytes`, read as strictly as the HAProxy specification
 * allows: whatever cannot become a header is malformed at once.
 */
export function parseProxyHeader(bytes: Buffer): ProxyHeader {
  if (bytes.length === 0) return INCOMPLETE;
  return isSignature(bytes) ? parseV2(bytes) : parseV1(bytes);
}

function parseV1(bytes: Buffer): ProxyHeader {
  const text = latin1(bytes, 0, Math.min(bytes.length, MAX_V1_BYTES));
  const end = text.indexOf('\n') + 1;
  if (end === 0) return text.length < MAX_V1_BYTES && mayBecomeV1(text) ? INCOMPLETE : MALFORMED;
  const line = text.slice(0, end);
  if (UNKNOWN.test(line)) return { kind: 'header', end, source: undefined, destination: undefined };
  const match = TCP.exec(line);
  if (match === null) return MALFORMED;
  const [, family = '', from = '', to = '', fromPort, toPort] = match;
  const source = endpoint(family, from, Number(fromPort));
  const destination = endpoint(family, to, Number(toPort));
  if (source === undefined || destination === undefined) return MALFORMED;
  return { kind: 'header', end, source, destination };
}

function mayBecomeV1(text: string): boolean {
  return BEGINNINGS.some(([beginning, rest]) =>
    text.length <= beginning.length
      ? beginning.startsWith(text)
      : text.startsWith(beginning) && rest.test(text.slice(beginning.length)),
  );
}

function endpoint(family: string, text: string, port: number): ProxyEndpoint | undefined {
  if (port > 65_535 || !(family === 'TCP4' ? isIPv4(text) : isIPv6(text))) return undefined;
  const ip = canonicalIp(text);
  return ip === undefined ? undefined : { ip, port };
}

/** Version 1, for a connection from `source` to `destination`; of what is not known, nothing is said. */
export function proxyHeaderV1(
  source: ProxyEndpoint | undefined,
  destination: ProxyEndpoint | undefined,
): string {
  if (source === undefined || destination === undefined) return 'PROXY UNKNOWN\r\n';
  const ipv4 = isIPv4(source.ip) && isIPv4(destination.ip);
  const [from, to] = ipv4 ? [source.ip, destination.ip] : [asIpv6(source.ip), asIpv6(destination.ip)];
  return `PROXY ${ipv4 ? 'TCP4' : 'TCP6'} ${from} ${to} ${source.port} ${destination.port}\r\n`;
}

/** One header has one family: where the ends differ, the IPv4 end is written as IPv6 has it (RFC 4291 §2.5.5.2). */
function asIpv6(ip: string): string {
  return isIPv4(ip) ? `::ffff:${ip}` : ip.replace(/%.*$/, '');
}

export { isLocal, proxyHeaderV2 } from './proxy-protocol-v2.ts';
