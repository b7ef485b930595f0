import { blockHas, type Ip, type IpBlock, low32, parseIpBlock } from './ip.ts';

/** Of addresses that no rule can list. */
export const NEVER = Number.POSITIVE_INFINITY;

/** No destination of a connection: "this" network (0.0.0.0 is this machine), multicast, reserved and broadcast. */
const NOWHERE = blocks('0.0.0.0/8', '224.0.0.0/4', '240.0.0.0/4', '::/128', 'ff00::/8');

/**
 * This machine and this link, and what clouds answer their machines' questions at: credentials, among others. Where a
 * name leads there, somebody tries to get in by the proxy. 192.0.0.0/24 (RFC 6890) and those of one address each are
 * metadata services (Oracle, Alibaba, Azure, AWS, Google). Of Teredo and of RFC 8215 the address behind cannot be told.
 */
const GUARDED = blocks(
  ...['127.0.0.0/8', '169.254.0.0/16', '192.0.0.0/24', '100.100.100.200/32', '168.63.129.16/32'],
  ...['::1/128', 'fe80::/10', 'fec0::/10', 'fd00:ec2::254/128', 'fd20:ce::254/128'],
  ...['2001::/32', '64:ff9b:1::/48'],
);

/** Addresses that lead to an IPv4 address, and how many bits stand after that one. */
const EMBEDDING: readonly (readonly [IpBlock, number])[] = [
  // IPv4-compatible (RFC 4291), translated (RFC 2765), NAT64 (RFC 6052), 6to4 (RFC 3056)
  ...blocks('::/96', '::ffff:0:0:0/96', '64:ff9b::/96').map((block) => [block, 0] as const),
  ...blocks('2002::/16').map((block) => [block, 80] as const),
];

/**
 * How long the prefix of a rule must be to count as listing `ip` knowingly: 0 where any rule will do, by name too, so that
 * `0.0.0.0/0` is no way to loopback while `127.0.0.0/8` is. NEVER where none does.
 */
export function shortestListing(ip: Ip): number {
  if (NOWHERE.some((block) => blockHas(block, ip))) return NEVER;
  const guarded = GUARDED.find((block) => blockHas(block, ip));
  if (guarded !== undefined) return guarded.bits;
  for (const [block, after] of EMBEDDING) {
    if (!blockHas(block, ip)) continue;
    const inner = shortestListing({ family: 4, value: low32(ip.value >> BigInt(after)) });
    return inner === 0 ? 0 : block.bits + inner;
  }
  return 0;
}

function blocks(...texts: readonly string[]): readonly IpBlock[] {
  return texts.flatMap((text) => parseIpBlock(text) ?? []);
}
