import { networkInterfaces } from 'node:os';
import { blockHas, type Ip, parseIp, parseIpBlock } from './ip.ts';

/** What any machine takes for itself: 0.0.0.0 and :: too. */
const ALWAYS_OWN = ['0.0.0.0/8', '127.0.0.0/8', '::/128', '::1/128'].flatMap(
  (text) => parseIpBlock(text) ?? [],
);

/** Where this gateway itself listens: a forward proxy that went there would be a way to its admin port, or round in circles. */
export class OwnAddresses {
  /** Of the control plane. */
  reserved: readonly number[] = [];
  readonly #listening: () => readonly number[];

  /** @param listening ports of the listeners there are now */
  constructor(listening: () => readonly number[]) {
    this.#listening = listening;
  }

  /** Whether a connection to there may come back to this gateway. */
  has(ip: Ip, port: number): boolean {
    if (!this.reserved.includes(port) && !this.#listening().includes(port)) return false;
    return ALWAYS_OWN.some((block) => blockHas(block, ip)) || isOfThisMachine(ip);
  }
}

function isOfThisMachine({ family, value }: Ip): boolean {
  const addresses = Object.values(networkInterfaces()).flatMap((ones) => ones ?? []);
  return addresses.some(({ address }) => {
    // a link-local one has a zone
    const own = parseIp(address.replace(/%.*$/, ''));
    return own?.family === family && own.value === value;
  });
}
