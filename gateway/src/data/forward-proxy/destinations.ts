import type { ForwardProxyPlan } from '../plan.ts';
import { type Lookup, Resolver } from '../resolver.ts';
import { Route } from '../route.ts';
import { Service, type ServiceContext } from '../service.ts';
import { GuardedResolver } from './guarded-resolver.ts';
import type { Ip } from './ip.ts';
import { type DestinationKind, destinationPlan, proxyRoutePlan } from './proxy-plans.ts';
import { authorityOf, type ProxyTarget } from './proxy-target.ts';

export interface DestinationsDeps {
  readonly services: ServiceContext;
  readonly lookup: Lookup;
  /** Whether a connection may be made to an address of a target. */
  readonly permits: (target: ProxyTarget, ip: Ip) => boolean;
  /** Where every route made leads, as long as anything goes by it. */
  readonly targets: WeakMap<Route, ProxyTarget>;
}

/** Besides those with a tunnel: what clients may make us remember. */
const SPARE = 256;

/**
 * A route and a service of one backend for each destination, made when a client first asks for it. All of them count as
 * `total`, since clients choose how many there are. Those used last are remembered; with all of them in use there is room
 * for no other.
 */
export class Destinations {
  readonly #deps: DestinationsDeps;
  readonly #plan: ForwardProxyPlan;
  readonly total: Route;
  /** The one not used for longest comes first. */
  readonly #known = new Map<string, Route>();

  /** @param before whose counters and limit go on */
  constructor(deps: DestinationsDeps, name: string, plan: ForwardProxyPlan, before?: Route) {
    this.#deps = deps;
    this.#plan = plan;
    const service = new Service(deps.services, destinationPlan(name, plan, 'tunnel', undefined));
    this.total = new Route(deps.services, proxyRoutePlan(name, plan, 'tunnel'), service, before);
  }

  /** Undefined where there are too many. */
  routeTo(target: ProxyTarget, kind: DestinationKind): Route | undefined {
    const key = `${kind} ${authorityOf(target)}`;
    const known = this.#known.get(key);
    if (known === undefined && !this.#makeRoom()) return undefined;
    const route = known ?? this.#newRoute(target, kind);
    this.#known.delete(key);
    this.#known.set(key, route);
    return route;
  }

  get size(): number {
    return this.#known.size;
  }

  get services(): readonly Service[] {
    return [...this.#known.values()].map(({ service }) => service);
  }

  destroy(): void {
    for (const { service } of this.#known.values()) service.destroy();
    this.#known.clear();
  }

  #newRoute(target: ProxyTarget, kind: DestinationKind): Route {
    const { services, lookup, permits } = this.#deps;
    const { clock, random } = services;
    const guarded: GuardedResolver = new GuardedResolver(
      new Resolver({
        ...{ clock, random, lookup },
        onChange: (host, addresses) => {
          const ips = guarded.permitted(addresses).map(({ address }) => address);
          for (const { agent } of service.backends) agent.addressesChanged(host, ips);
        },
      }),
      (ip) => permits(target, ip),
    );
    const context = { ...services, resolver: guarded, onEvent: () => {} };
    const { name } = this.total;
    const service = new Service(context, destinationPlan(name, this.#plan, kind, target));
    const route = new Route(context, proxyRoutePlan(name, this.#plan, kind), service, this.total);
    this.#deps.targets.set(route, target);
    return route;
  }

  #makeRoom(): boolean {
    if (this.#known.size < this.#plan.maxTunnels + SPARE) return true;
    for (let looks = this.#known.size; looks > 0; looks--) {
      const [key, route] = this.#known.entries().next().value ?? [];
      if (key === undefined || route === undefined) break;
      this.#known.delete(key);
      if (!route.service.busy) {
        route.service.destroy();
        return true;
      }
      // behind the others, or each who comes would look at the same ones in use again
      this.#known.set(key, route);
    }
    return false;
  }
}
