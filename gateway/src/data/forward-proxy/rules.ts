import type { TunnelTargetPlan } from '../plan.ts';
import { shortestListing } from './guarded-blocks.ts';
import { blockHas, type Ip, type IpBlock, parseIpBlock } from './ip.ts';
import type { ProxyTarget } from './proxy-target.ts';

type Ports = TunnelTargetPlan['ports'];

interface AddressRule {
  readonly block: IpBlock;
  readonly ports: Ports;
}

const HTTPS_ALONE: Ports = [{ from: 443, to: 443 }];

/** Where a forward proxy goes: to what is listed, and nowhere else. */
export class TunnelRules {
  readonly #names = new Map<string, Ports[]>();
  /** By the domain with its leading dot. */
  readonly #subdomains = new Map<string, Ports[]>();
  readonly #addresses: AddressRule[] = [];

  constructor(plan: readonly TunnelTargetPlan[]) {
    for (const { host: text, ports: listed } of plan) {
      const ports = listed.length === 0 ? HTTPS_ALONE : listed;
      const host = text.toLowerCase().replace(/\.$/, '');
      const block = parseIpBlock(host.replace(/^\[([^\]]*)\]/, '$1'));
      if (block !== undefined) this.#addresses.push({ block, ports });
      else if (host.startsWith('*.')) add(this.#subdomains, host.slice(1), ports);
      else add(this.#names, host, ports);
    }
  }

  /** Whether a client may ask for it: a name by a rule for names, an address by one for addresses. */
  permits({ host, port, ip }: ProxyTarget): boolean {
    return ip === undefined ? this.#permitsName(host, port) : this.#lists(ip, port);
  }

  /**
   * Whether a connection may be made to `ip`, an address of `target`, which is permitted. What a name's owner can make it
   * lead to is no way in: addresses of this machine and this link have to be listed themselves.
   */
  permitsAddress(target: ProxyTarget, ip: Ip): boolean {
    return (target.ip === undefined && shortestListing(ip) === 0) || this.#lists(ip, target.port);
  }

  #permitsName(host: string, port: number): boolean {
    if (matches(this.#names.get(host), port)) return true;
    for (let dot = host.indexOf('.'); dot >= 0; dot = host.indexOf('.', dot + 1)) {
      if (matches(this.#subdomains.get(host.slice(dot)), port)) return true;
    }
    return false;
  }

  #lists(ip: Ip, port: number): boolean {
    const shortest = shortestListing(ip);
    return this.#addresses.some(
      ({ block, ports }) => block.bits >= shortest && blockHas(block, ip) && includes(ports, port),
    );
  }
}

function add(rules: Map<string, Ports[]>, host: string, ports: Ports): void {
  const before = rules.get(host);
  if (before === undefined) rules.set(host, [ports]);
  else before.push(ports);
}

function matches(rules: readonly Ports[] | undefined, port: number): boolean {
  return rules?.some((ports) => includes(ports, port)) ?? false;
}

function includes(ports: Ports, port: number): boolean {
  return ports.some(({ from, to }) => from <= port && port <= to);
}
