import { isIPv4, isIPv6 } from 'node:net';
import type { Parsed } from './parsed.ts';
import { bad, good, show } from './parsed.ts';
import { closest } from './suggest.ts';

const WORDS: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  // RFC 1918 and RFC 4193.
  private: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
};

/** The shortest form of an IPv6 address (RFC 5952), so that two spellings of one compare as equal. */
export function canonicalIPv6(address: string): string {
  return new URL(`http://[${address}]`).hostname.slice(1, -1);
}

/** An IP address, a CIDR block, `loopback` or `private`, as CIDR blocks. */
export function parseTrustedProxy(text: string): Parsed<readonly string[]> {
  if (Object.hasOwn(WORDS, text)) return good(WORDS[text] ?? []);
  const block = readBlock(text, ', loopback or private');
  return block.ok ? good([`${block.value.address}/${block.value.length}`]) : block;
}

/** An IP address as it is, in its shortest form; or a CIDR block. */
export function parseNetwork(text: string): Parsed<string> {
  const block = readBlock(text, '');
  if (!block.ok) return block;
  const { address, length } = block.value;
  return good(text.includes('/') ? `${address}/${length}` : address);
}

function readBlock(
  text: string,
  others: string,
): Parsed<{ readonly address: string; readonly length: number }> {
  const slash = text.indexOf('/');
  const address = slash === -1 ? text : text.slice(0, slash);
  const bytes = bytesOf(address);
  if (bytes === undefined) {
    const guess = others !== '' && /^[a-z]+$/i.test(text) ? closest(text, Object.keys(WORDS)) : undefined;
    const or = others === '' ? ' or' : ',';
    return bad(`${show(text)} is not an IP address${or} a block such as 10.0.0.0/8${others}`, guess);
  }
  const most = bytes.length * 8;
  const suffix = slash === -1 ? String(most) : text.slice(slash + 1);
  const length = /^[0-9]{1,3}$/.test(suffix) ? Number(suffix) : Number.NaN;
  if (!(length <= most)) return bad(`${show(text)} has a prefix length that is not 0 to ${most}`);
  const first = formatBytes(masked(bytes, length));
  if (formatBytes(bytes) !== first)
    return bad(`${show(text)} has bits set past its prefix`, `${first}/${length}`);
  return good({ address: first, length });
}

function bytesOf(address: string): readonly number[] | undefined {
  if (isIPv4(address)) return address.split('.').map(Number);
  if (!isIPv6(address) || address.includes('%')) return undefined;
  const [left = '', right] = canonicalIPv6(address).split('::');
  const head = groupsOf(left);
  const tail = groupsOf(right ?? '');
  const zeros = new Array<number>(8 - head.length - tail.length).fill(0);
  return [...head, ...zeros, ...tail].flatMap((group) => [group >> 8, group & 0xff]);
}

function groupsOf(part: string): readonly number[] {
  return part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
}

function masked(bytes: readonly number[], length: number): readonly number[] {
  return bytes.map((byte, index) => {
    const kept = Math.max(0, Math.min(8, length - index * 8));
    return byte & (0xff << (8 - kept)) & 0xff;
  });
}

function formatBytes(bytes: readonly number[]): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, index) =>
    (((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0)).toString(16),
  );
  return canonicalIPv6(groups.join(':'));
}
