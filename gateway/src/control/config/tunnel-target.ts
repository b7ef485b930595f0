import { isIPv6 } from 'node:net';
import type { TunnelTargetPlan } from '../../data/plan.ts';
import { DEFAULTS } from './defaults.ts';
import { parseHostPattern } from './host-pattern.ts';
import { parseNetwork } from './ip-network.ts';
import type { Parsed } from './parsed.ts';
import { bad, good, show } from './parsed.ts';

type PortRange = TunnelTargetPlan['ports'][number];

const PARTS = /^(?:\[([^\]]*)\]|([^:[\]/]*))(\/[0-9]{1,3})?(?::(.*))?$/s;

/**
 * Where tunnels may go: `host`, `*.example.com:443`, `10.0.0.0/8:80,443`, `[::1]:8000-8100`, `[fd00::]/8`; the port is 443
 * when left out.
 */
export function parseTunnelTarget(text: string): Parsed<TunnelTargetPlan> {
  if (text.includes('@')) return bad('a target of tunnels holds no user or password');
  if (/^[a-z]+:\/\//i.test(text)) return bad(`${show(text)} is a URL, not host:port`, guessOfUrl(text));
  const match = isIPv6(text.replace(/\/.*$/s, '')) ? null : PARTS.exec(text);
  if (match === null) return bad(`${show(text)} is not host:port`, guessOfIPv6(text));
  const [, six, other = '', prefix = '', digits = String(DEFAULTS.listener.tunnel.port)] = match;
  const ports = readPorts(text, digits);
  if (!ports.ok) return ports;
  const host = six === undefined ? readHost(text, other, prefix) : readIPv6(text, six, prefix);
  return host.ok ? good({ host: host.value, ports: ports.value }) : host;
}

function readIPv6(text: string, six: string, prefix: string): Parsed<string> {
  if (!isIPv6(six) || six.includes('%')) return bad(`${show(text)}: ${show(six)} is not an IPv6 address`);
  return parseNetwork(`${six}${prefix}`);
}

function readHost(text: string, host: string, prefix: string): Parsed<string> {
  if (host === '*') {
    return bad(
      `${show(text)} would be everything; list hosts, such as *.example.com, or blocks of addresses`,
    );
  }
  if (/^[0-9.]+$/.test(host)) return parseNetwork(`${host}${prefix}`);
  if (prefix !== '') return bad(`${show(text)}: only an IP address has a prefix length`);
  return parseHostPattern(host);
}

function readPorts(text: string, list: string): Parsed<readonly PortRange[]> {
  const ranges: PortRange[] = [];
  if (list === '*') return bad(`${show(text)}: * is no port`, `${text.slice(0, -1)}1-65535`);
  for (const part of list.split(',')) {
    const match = /^([0-9]{1,5})(?:-([0-9]{1,5}))?$/.exec(part);
    if (match === null) return bad(`${show(text)}: ${show(part)} is not a port or a range such as 8000-8100`);
    const from = Number(match[1]);
    const to = Number(match[2] ?? match[1]);
    if (from < 1 || to > 65_535) return bad(`${show(text)}: the port ${show(part)} is not 1 to 65535`);
    if (from > to) return bad(`${show(text)}: the ports ${part} run backwards`, `${to}-${from}`);
    ranges.push({ from, to });
  }
  return good(ranges);
}

function guessOfUrl(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null || url.hostname === '') return undefined;
  const guess = `${url.hostname}:${url.port || (url.protocol === 'http:' ? 80 : 443)}`;
  return parseTunnelTarget(guess).ok ? guess : undefined;
}

function guessOfIPv6(text: string): string | undefined {
  const [address = '', length] = text.split('/');
  return isIPv6(address) ? `[${address}]${length === undefined ? '' : `/${length}`}` : undefined;
}
