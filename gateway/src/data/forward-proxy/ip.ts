import { isIPv4, isIPv6 } from 'node:net';

/** An IP address as a number. IPv4-mapped IPv6 addresses are IPv4: that is where a connection to one goes. */
export interface Ip {
  readonly family: 4 | 6;
  readonly value: bigint;
}

export interface IpBlock extends Ip {
  /** Length of the prefix. */
  readonly bits: number;
}

const MAPPED = 0xffffn;

/** Undefined for what is no address in its plain form, has a zone, or stands in brackets. */
export function parseIp(text: string): Ip | undefined {
  if (isIPv4(text)) return { family: 4, value: valueOfV4(text) };
  if (!isIPv6(text) || text.includes('%')) return undefined;
  const value = valueOfV6(text);
  return value >> 32n === MAPPED ? { family: 4, value: low32(value) } : { family: 6, value };
}

/** An address or a CIDR block; undefined for what is neither. */
export function parseIpBlock(text: string): IpBlock | undefined {
  const [address = '', length] = text.split('/');
  const ip = parseIp(address);
  if (ip === undefined || text.split('/').length > 2) return undefined;
  const mapped = ip.family === 4 && address.includes(':');
  const most = mapped ? 128 : widthOf(ip.family);
  const bits = length === undefined ? most : Number(length);
  if (length !== undefined && (!/^\d{1,3}$/.test(length) || bits > most)) return undefined;
  // one that also holds addresses that are not mapped is a block of IPv6
  if (mapped && bits < 96) return { family: 6, value: (MAPPED << 32n) | ip.value, bits };
  return { ...ip, bits: mapped ? bits - 96 : bits };
}

export function blockHas({ family, value, bits }: IpBlock, ip: Ip): boolean {
  const shift = BigInt(widthOf(family) - bits);
  return ip.family === family && ip.value >> shift === value >> shift;
}

export function low32(value: bigint): bigint {
  return value & 0xffff_ffffn;
}

function widthOf(family: 4 | 6): number {
  return family === 4 ? 32 : 128;
}

function valueOfV4(text: string): bigint {
  return text.split('.').reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

function valueOfV6(text: string): bigint {
  // the last 32 bits may be written as IPv4 (RFC 4291 §2.2)
  const colon = text.lastIndexOf(':') + 1;
  const tail = text.slice(colon);
  const plain = isIPv4(tail) ? text.slice(0, colon) + hexOfV4(tail) : text;
  const [left = '', right] = plain.split('::');
  const head = groupsOf(left);
  const rest = groupsOf(right ?? '');
  const zeros = new Array<string>(8 - head.length - rest.length).fill('0');
  return [...head, ...zeros, ...rest].reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n);
}

function hexOfV4(text: string): string {
  const value = valueOfV4(text);
  return `${(value >> 16n).toString(16)}:${(value & MAPPED).toString(16)}`;
}

function groupsOf(part: string): readonly string[] {
  return part === '' ? [] : part.split(':');
}
