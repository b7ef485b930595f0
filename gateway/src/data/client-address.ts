import { BlockList, isIP, isIPv4, SocketAddress } from 'node:net';

/** Longer chains of proxies do not exist; a longer field is an attempt to keep us busy. */
const MAX_HOPS = 32;
const MAX_PORT = 65_535;
const MAPPED_PREFIX = '::ffff:';

/** The proxies in front of us whose word about the client is taken. */
export class TrustedProxies {
  readonly #blocks = new BlockList();
  readonly #empty: boolean;
  // Behind one load balancer every question is the same, and BlockList.check costs a microsecond.
  #lastIp = '';
  #lastTrusted = false;

  /** `cidrs`: `10.0.0.0/8`, `::1/128`, or a bare address. Throws a RangeError that names the first bad one. */
  constructor(cidrs: readonly string[]) {
    this.#empty = cidrs.length === 0;
    for (const cidr of cidrs) addBlock(this.#blocks, cidr);
  }

  /** False for whatever is not an IP address. IPv4-mapped IPv6 is taken as IPv4. */
  trusts(ip: string): boolean {
    if (this.#empty) return false;
    if (ip === this.#lastIp) return this.#lastTrusted;
    // the zone of a link-local peer (fe80::1%eth0) says on which interface, not who
    const address = canonicalIp(ip.replace(/%.*$/, ''));
    const trusted = address !== undefined && this.#blocks.check(address, familyOf(address));
    this.#lastIp = ip;
    this.#lastTrusted = trusted;
    return trusted;
  }
}

/**
 * The client's address in canonical form: the rightmost one in X-Forwarded-For that no trusted proxy has, or the
 * leftmost if all are trusted; the peer's own when the peer is not trusted. Anything that is no address ends
 * the walk, for whoever wrote it may have made up all that stands left of it. Several fields come joined by
 * commas.
 */
export function clientAddress(
  peerIp: string,
  xForwardedFor: string | undefined,
  trusted: TrustedProxies,
): string {
  let address = canonicalIp(peerIp) ?? peerIp;
  if (xForwardedFor === undefined || !trusted.trusts(peerIp)) return address;
  let end = xForwardedFor.length;
  for (let hop = 0; hop < MAX_HOPS && end >= 0; hop++) {
    const comma = end === 0 ? -1 : xForwardedFor.lastIndexOf(',', end - 1);
    const element = xForwardedFor.slice(comma + 1, end).trim();
    end = comma;
    // RFC 9110 §5.6.1.2: empty list elements are to be ignored.
    if (element === '') continue;
    const next = canonicalIp(withoutPort(element));
    if (next === undefined) return address;
    address = next;
    if (!trusted.trusts(next)) return address;
  }
  return address;
}

/** Lower case and shortest form, IPv4-mapped IPv6 as IPv4; undefined for no address or one with a zone. */
export function canonicalIp(text: string): string | undefined {
  if (isIPv4(text)) return text;
  if (isIP(text) === 0 || text.includes('%')) return undefined;
  const address = new SocketAddress({ address: text, family: 'ipv6' }).address;
  if (!address.startsWith(MAPPED_PREFIX)) return address;
  const tail = address.slice(MAPPED_PREFIX.length);
  return isIPv4(tail) ? tail : address;
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv4(address) ? 'ipv4' : 'ipv6';
}

/** `1.2.3.4:567` and `[::1]:99` without port and brackets; what is not of that form stays, to be refused. */
function withoutPort(element: string): string {
  const bracketed = /^\[([^\]]*)\](?::(\d{1,5}))?$/.exec(element);
  const match = bracketed ?? /^([\d.]+):(\d{1,5})$/.exec(element);
  if (match === null) return element;
  if (Number(match[2] ?? 0) > MAX_PORT) return element;
  const host = match[1] ?? '';
  return bracketed !== null && isIPv4(host) ? element : host;
}

function addBlock(blocks: BlockList, cidr: string): void {
  const slash = cidr.indexOf('/');
  const text = slash === -1 ? cidr : cidr.slice(0, slash);
  const bits = slash === -1 ? undefined : cidr.slice(slash + 1);
  const longest = text.includes(':') ? 128 : 32;
  const prefix = bits === undefined ? longest : Number(bits);
  const wellFormed = bits === undefined || /^\d{1,3}$/.test(bits);
  if (canonicalIp(text) === undefined || !wellFormed || prefix > longest) {
    throw new RangeError(`"${cidr}" is neither an IP address nor a CIDR block such as 10.0.0.0/8`);
  }
  // BlockList itself takes a block of mapped addresses as one of IPv4 addresses.
  blocks.addSubnet(text, prefix, familyOf(text));
}
