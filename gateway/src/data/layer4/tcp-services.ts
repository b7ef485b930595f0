import type { TcpListenerPlan } from '../plan.ts';
import type { Route } from '../route.ts';
import type { Service, ServiceContext } from '../service.ts';
import { tcpRoute } from './tcp-route.ts';

/** Which service a connection of a TCP listener is for: by the exact name, then by the longest `*.` name, then the rest. */
export class TcpServices {
  readonly routes: readonly Route[];
  readonly #exact = new Map<string, Route>();
  /** By what follows the `*.`. */
  readonly #wildcards = new Map<string, Route>();
  readonly #rest: Route | undefined;

  constructor(
    context: ServiceContext,
    plan: TcpListenerPlan,
    serviceNamed: (name: string) => Service | undefined,
    before: readonly Route[],
  ) {
    const routes = new Map<string, Route>();
    const routeTo = (name: string | undefined): Route | undefined => {
      const service = name === undefined ? undefined : serviceNamed(name);
      if (service === undefined) return undefined;
      const route =
        routes.get(service.name) ??
        tcpRoute(
          context,
          plan,
          service,
          before.find((one) => one.service.name === service.name),
        );
      routes.set(service.name, route);
      return route;
    };
    for (const { name, service } of plan.sniServices) {
      const route = routeTo(service);
      if (route === undefined) continue;
      if (name.startsWith('*.')) this.#wildcards.set(name.slice(2), route);
      else this.#exact.set(name, route);
    }
    this.#rest = routeTo(plan.service);
    this.routes = [...routes.values()];
  }

  /** @param name in lower case; undefined where the client asks for none */
  for(name: string | undefined): Route | undefined {
    if (name === undefined) return this.#rest;
    return this.#exact.get(name) ?? this.#byWildcard(name) ?? this.#rest;
  }

  #byWildcard(name: string): Route | undefined {
    if (this.#wildcards.size === 0) return undefined;
    for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
      const route = this.#wildcards.get(name.slice(dot + 1));
      if (route !== undefined) return route;
    }
    return undefined;
  }
}
