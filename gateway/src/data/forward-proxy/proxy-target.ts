import { SocketAddress } from 'node:net';
import { type Ip, parseIp } from './ip.ts';

/** Where a client of a forward proxy wants to go. */
export interface ProxyTarget {
  /** Lower-case name without the dot of a fully qualified one, or IP address without brackets; one spelling of each. */
  readonly host: string;
  readonly port: number;
  /** Set where the host is an address. */
  readonly ip: Ip | undefined;
}

const PARTS = /^(?:\[([^\]]*)\]|([^:[\]]+))(?::([0-9]{0,5}))?$/;
/** RFC 1123, and `_`, which names of containers have. */
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
const MAX_NAME_CHARS = 253;
/**
 * What inet_aton, and so the resolver, takes for an IPv4 address: `127.1`, `0x7f000001`, `2130706433`, `0177.0.0.1`. Of
 * these only the plain form may pass (the rule of the URL standard).
 */
const ENDS_IN_NUMBER = /(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)$/;

/**
 * Reads `host:port`. Undefined for what could be read in more than one way, or not at all.
 * @param defaultPort undefined where the port must be there
 */
export function readTarget(authority: string, defaultPort?: number): ProxyTarget | undefined {
  const [match, six, other = '', digits = ''] = PARTS.exec(authority) ?? [];
  if (match === undefined) return undefined;
  const port = digits === '' ? defaultPort : Number(digits);
  if (port === undefined || port < 1 || port > 65_535) return undefined;
  if (six !== undefined) return addressTarget(six, port, six.includes(':'));
  const lower = other.toLowerCase();
  const name = lower.endsWith('.') ? lower.slice(0, -1) : lower;
  if (ENDS_IN_NUMBER.test(name)) return addressTarget(name, port, !name.includes(':'));
  const valid = name.length <= MAX_NAME_CHARS && name.split('.').every((label) => LABEL.test(label));
  return valid ? { host: name, port, ip: undefined } : undefined;
}

function addressTarget(text: string, port: number, rightPlace: boolean): ProxyTarget | undefined {
  const ip = rightPlace ? parseIp(text) : undefined;
  return ip === undefined ? undefined : { host: formatIp(ip), port, ip };
}

/** In its one canonical form. */
function formatIp({ family, value }: Ip): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join('.');
  const groups = Array.from({ length: 8 }, (_, index) => (value >> BigInt(112 - 16 * index)) & 0xffffn);
  const address = groups.map((group) => group.toString(16)).join(':');
  return new SocketAddress({ address, family: 'ipv6' }).address;
}

/** `host:port`, with brackets where the host is an IPv6 address; without the port where it is `defaultPort`. */
export function authorityOf({ host, port }: ProxyTarget, defaultPort?: number): string {
  const text = host.includes(':') ? `[${host}]` : host;
  return port === defaultPort ? text : `${text}:${port}`;
}
