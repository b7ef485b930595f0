import { isIPv4 } from 'node:net';
import { canonicalIp } from '../client-address.ts';
import { latin1 } from '../latin1.ts';
import type { ProxyEndpoint, ProxyHeader } from './proxy-protocol.ts';

const SIGNATURE = '\r\n\r\n\0\r\nQUIT\n';
/** Signature, version and command, family, length. */
const FIXED_BYTES = 16;
/** What fits into any TCP segment at all; the specification asks a receiver for no more. */
const MAX_BYTES = 536;

const LOCAL = 0x20;
const PROXY = 0x21;

const UNSPEC = 0x00;
const TCP4 = 0x11;
const TCP6 = 0x21;

/** How long the addresses of each family are, over streams and datagrams; what is not here must be refused. */
const ADDRESS_BYTES: ReadonlyMap<number, number> = new Map([
  [UNSPEC, 0],
  [TCP4, 12],
  [0x12, 12],
  [TCP6, 36],
  [0x22, 36],
  [0x31, 216],
  [0x32, 216],
]);

const CRC32C = 0x03;

const INCOMPLETE: ProxyHeader = { kind: 'incomplete' };
const MALFORMED: ProxyHeader = { kind: 'malformed' };

/** Whether `bytes` begin as version 2 does, as far as they have come. */
export function isSignature(bytes: Buffer): boolean {
  const length = Math.min(bytes.length, SIGNATURE.length);
  return latin1(bytes, 0, length) === SIGNATURE.slice(0, length);
}

/** Whether a whole header says that the proxy speaks for itself, to look whether somebody is here, say. */
export function isLocal(bytes: Buffer): boolean {
  return isSignature(bytes) && bytes[12] === LOCAL;
}

/** @param bytes begin with the signature, or with a part of it that is all there is yet */
export function parseV2(bytes: Buffer): ProxyHeader {
  const command = bytes[12];
  const family = bytes[13];
  if (command !== undefined && command !== LOCAL && command !== PROXY) return MALFORMED;
  // of a LOCAL header only the length counts
  const needed = command === LOCAL || family === undefined ? 0 : ADDRESS_BYTES.get(family);
  if (needed === undefined) return MALFORMED;
  if (bytes.length < FIXED_BYTES) return INCOMPLETE;
  const end = FIXED_BYTES + bytes.readUInt16BE(14);
  if (end > MAX_BYTES || end < FIXED_BYTES + needed) return MALFORMED;
  if (bytes.length < end) return INCOMPLETE;
  const none = { kind: 'header', end, source: undefined, destination: undefined } as const;
  if (command === LOCAL) return none;
  // what follows AF_UNSPEC need not be additional fields
  if (family === UNSPEC) return none;
  if (!hasGoodFields(bytes, FIXED_BYTES + needed, end)) return MALFORMED;
  if (needed === 12) return { kind: 'header', end, ...addresses(bytes, 4) };
  return needed === 36 ? { kind: 'header', end, ...addresses(bytes, 16) } : none;
}

function addresses(bytes: Buffer, ipBytes: number): { source: ProxyEndpoint; destination: ProxyEndpoint } {
  const ports = FIXED_BYTES + 2 * ipBytes;
  const at = (index: number): ProxyEndpoint => ({
    ip: ipOf(bytes.subarray(FIXED_BYTES + index * ipBytes, FIXED_BYTES + (index + 1) * ipBytes)),
    port: bytes.readUInt16BE(ports + 2 * index),
  });
  return { source: at(0), destination: at(1) };
}

function ipOf(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(2 * i).toString(16));
  const text = groups.join(':');
  return canonicalIp(text) ?? text;
}

/** Whether the additional fields (type, length, value) fill `bytes[start, end)` exactly, and the checksum, if any, is right. */
function hasGoodFields(bytes: Buffer, start: number, end: number): boolean {
  let at = start;
  while (at < end) {
    if (at + 3 > end) return false;
    const value = at + 3;
    const length = bytes.readUInt16BE(at + 1);
    if (value + length > end) return false;
    if (bytes[at] === CRC32C && !(length === 4 && hasGoodChecksum(bytes, value, end))) return false;
    at = value + length;
  }
  return true;
}

/** The CRC32c of the whole header, its own value taken as zeros. */
function hasGoodChecksum(bytes: Buffer, at: number, end: number): boolean {
  let crc = 0xffffffff;
  for (let i = 0; i < end; i++) {
    crc ^= i >= at && i < at + 4 ? 0 : (bytes[i] ?? 0);
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0 === bytes.readUInt32BE(at);
}

/** Version 2 as latin1 text, for a connection from `source` to `destination`; of what is not known, nothing is said. */
export function proxyHeaderV2(
  source: ProxyEndpoint | undefined,
  destination: ProxyEndpoint | undefined,
): string {
  if (source === undefined || destination === undefined) return block(UNSPEC, '');
  const ports = uint16(source.port) + uint16(destination.port);
  if (isIPv4(source.ip) && isIPv4(destination.ip))
    return block(TCP4, ipv4Bytes(source.ip) + ipv4Bytes(destination.ip) + ports);
  return block(TCP6, ipv6Bytes(source.ip) + ipv6Bytes(destination.ip) + ports);
}

function block(family: number, rest: string): string {
  return SIGNATURE + String.fromCharCode(PROXY, family) + uint16(rest.length) + rest;
}

function uint16(value: number): string {
  return String.fromCharCode(value >> 8, value & 0xff);
}

function ipv4Bytes(ip: string): string {
  return String.fromCharCode(...ip.split('.').map(Number));
}

/** An IPv4 address as IPv6 has it (RFC 4291 §2.5.5.2); a zone is left out. */
function ipv6Bytes(ip: string): string {
  if (isIPv4(ip)) return `${'\0'.repeat(10)}\xff\xff${ipv4Bytes(ip)}`;
  const [head = '', tail] = ip.replace(/%.*$/, '').split('::');
  const before = groupBytes(head);
  const after = groupBytes(tail ?? '');
  return before + '\0'.repeat(16 - before.length - after.length) + after;
}

function groupBytes(text: string): string {
  if (text === '') return '';
  const bytes = text.split(':').map((g) => (g.includes('.') ? ipv4Bytes(g) : uint16(Number.parseInt(g, 16))));
  return bytes.join('');
}
