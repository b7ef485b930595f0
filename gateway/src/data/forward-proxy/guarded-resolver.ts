import {
  type Lookup,
  NoAddress,
  type ResolveDone,
  type ResolvedAddress,
  type Resolver,
} from '../resolver.ts';
import { type Ip, parseIp } from './ip.ts';

/**
 * Gives only those addresses of a host that may be connected to. Agents connect to what they are given here and resolve no
 * name themselves, so that a name cannot lead elsewhere between the check and the connect.
 */
export class GuardedResolver implements Pick<Resolver, 'resolve' | 'invalidate'> {
  readonly #resolver: Resolver;
  readonly #permits: (ip: Ip) => boolean;

  /** @param permits asked at each use: rules, listeners and addresses of this machine may have changed since the look-up */
  constructor(resolver: Resolver, permits: (ip: Ip) => boolean) {
    this.#resolver = resolver;
    this.#permits = permits;
  }

  resolve(host: string, done: ResolveDone): void {
    this.#resolver.resolve(host, (error, addresses) => {
      const permitted = this.permitted(addresses);
      if (permitted.length > 0 || addresses.length === 0) done(error, permitted);
      else done(new NoAddress('tunnel_denied'), permitted);
    });
  }

  invalidate(host: string, address?: string): void {
    this.#resolver.invalidate(host, address);
  }

  permitted(addresses: readonly ResolvedAddress[]): readonly ResolvedAddress[] {
    return addresses.filter(({ address }) => {
      const ip = parseIp(address);
      return ip !== undefined && this.#permits(ip);
    });
  }
}

/** Of the four threads that libuv has for look-ups: what strangers ask for must not keep backends' names waiting. */
const LOOKUPS_AT_ONCE = 3;
const MAX_WAITING = 256;

/** `lookup`, a few at a time; beyond what may wait, `overloaded` is the answer at once. */
export function fewAtOnce(lookup: Lookup): Lookup {
  let running = 0;
  const waiting: (() => void)[] = [];
  const run: Lookup = (host, done) => {
    running += 1;
    lookup(host, (error, addresses) => {
      running -= 1;
      waiting.shift()?.();
      done(error, addresses);
    });
  };
  return (host, done) => {
    if (running < LOOKUPS_AT_ONCE) run(host, done);
    else if (waiting.length < MAX_WAITING) waiting.push(() => run(host, done));
    else done(new NoAddress('overloaded'), []);
  };
}
