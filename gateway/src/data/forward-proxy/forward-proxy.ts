import { addressText } from '../../address-text.ts';
import type { FailureCode } from '../../errors.ts';
import { deepEqualPlan } from '../changed-fields.ts';
import type { Exchange } from '../exchange.ts';
import type { Forward } from '../forward.ts';
import { FIELD_ID } from '../http1/field-names.ts';
import type { RequestHead } from '../http1/request-head.ts';
import { goesNoFurther } from '../local-answers.ts';
import type { ForwardProxyPlan, HttpListenerPlan } from '../plan.ts';
import { isRequestId, type RequestIds } from '../request-id.ts';
import type { Lookup } from '../resolver.ts';
import type { Leaving } from '../retired.ts';
import type { Route } from '../route.ts';
import type { ServiceContext } from '../service.ts';
import type { OpenTunnels } from '../tunnel/open-tunnels.ts';
import { upgradeOf } from '../tunnel/upgrade.ts';
import { Destinations } from './destinations.ts';
import type { OwnAddresses } from './own-addresses.ts';
import { CHALLENGE, ProxyAuth } from './proxy-auth.ts';
import { proxyHead } from './proxy-head.ts';
import { type ProxyTarget, readTarget } from './proxy-target.ts';
import { TunnelRules } from './rules.ts';

/** What forward proxies need of the gateway that they are a part of. */
export interface ProxyingContext {
  readonly lookup: Lookup;
  readonly own: OwnAddresses;
  /** What is no longer in use, until its last request has ended. */
  readonly retired: { add(leaving: Leaving): void };
}

export interface ForwardProxyDeps {
  readonly line: Forward;
  readonly ids: RequestIds;
  readonly services: ServiceContext;
  readonly tunnels: OpenTunnels;
  readonly proxying: ProxyingContext;
}

/** Tunnels to where a reload forbids them end within so long. */
const REVOKED_MS = 5_000;

/**
 * What a listener does as a forward proxy: CONNECT (RFC 9110 §9.3.6) and requests in absolute-form (RFC 9112 §3.2.2), for
 * those who may, to what is listed and nowhere else.
 */
export class ForwardProxy {
  readonly #deps: ForwardProxyDeps;
  readonly #name: string;
  #plan: ForwardProxyPlan;
  #rules: TunnelRules;
  #auth: ProxyAuth | undefined;
  #destinations: Destinations;
  readonly #targets = new WeakMap<Route, ProxyTarget>();

  constructor(deps: ForwardProxyDeps, name: string, plan: ForwardProxyPlan) {
    this.#deps = deps;
    this.#name = name;
    this.#plan = plan;
    this.#rules = new TunnelRules(plan.allow);
    this.#auth = plan.auth && new ProxyAuth(plan.auth);
    this.#destinations = this.#newDestinations();
  }

  /** The one of a listener's new plan; undefined where that has none. */
  static next(
    before: ForwardProxy | undefined,
    deps: ForwardProxyDeps,
    { host, port, tunnel }: HttpListenerPlan,
  ): ForwardProxy | undefined {
    if (tunnel === undefined) before?.close();
    else if (before === undefined) return new ForwardProxy(deps, `tunnel ${addressText(host, port)}`, tunnel);
    else if (!deepEqualPlan(before.#plan, tunnel)) before.update(tunnel);
    return tunnel && before;
  }

  /** What all of its requests and tunnels are counted as. */
  get route(): Route {
    return this.#destinations.total;
  }

  /** Destinations that are remembered. */
  get known(): number {
    return this.#destinations.size;
  }

  /** Takes over new settings. Tunnels go on, but those to where no rule leads any more. */
  update(plan: ForwardProxyPlan): void {
    const before = this.#destinations;
    this.#plan = plan;
    this.#rules = new TunnelRules(plan.allow);
    this.#auth = plan.auth && new ProxyAuth(plan.auth);
    this.#destinations = this.#newDestinations(before.total);
    this.#retire(before, (target) => !this.#rules.permits(target));
  }

  /** It is one no more: what is under way ends, tunnels soon. */
  close(): void {
    this.#retire(this.#destinations, () => true);
  }

  destroy(): void {
    this.#destinations.destroy();
  }

  /** Whether a request is for the forward proxy, and not for this gateway's routes. */
  takes(head: RequestHead): boolean {
    return head.method === 'CONNECT' || (head.absolute && !goesNoFurther(head));
  }

  /** A request that it takes is there. Returns how many bytes its body may have. */
  begin(exchange: Exchange, head: RequestHead): number {
    const { line, ids } = this.#deps;
    line.watch(exchange, head);
    exchange.route = this.route;
    const sent = head.fields.first(FIELD_ID['x-request-id']);
    const half = exchange.record?.idHalf || ids.next();
    exchange.requestId = isRequestId(sent) ? sent : ids.traceId(half);
    if (this.#auth?.admits(head.fields.list(FIELD_ID['proxy-authorization'])) === false) {
      line.refuse(exchange, 'proxy_auth_required', undefined, CHALLENGE);
      return 0;
    }
    const refused = head.method === 'CONNECT' ? this.#connect(exchange, head) : this.#pass(exchange, head);
    if (refused === undefined) return this.route.maxBodyBytes;
    line.refuse(exchange, refused);
    return 0;
  }

  /** Returns what it is refused for. */
  #connect(exchange: Exchange, head: RequestHead): FailureCode | undefined {
    // what stands behind the head is the tunnel's first bytes, and must not be a body to somebody else
    if (head.bodyLength !== 0) return 'connect_with_body';
    const target = readTarget(head.host);
    if (target === undefined) return 'bad_target';
    if (!this.#rules.permits(target)) return 'tunnel_denied';
    if (this.#full) return 'too_many_tunnels';
    const route = this.#destinations.routeTo(target, 'tunnel');
    if (route === undefined) return 'overloaded';
    this.#deps.line.beginRaw(exchange, route);
    return undefined;
  }

  /** A request in absolute-form. */
  #pass(exchange: Exchange, head: RequestHead): FailureCode | undefined {
    // of https the client would have to take our word for who answered: it may have a tunnel
    const target = isHttp(exchange) ? readTarget(head.host, 80) : undefined;
    if (target === undefined) return 'bad_target';
    if (!this.#rules.permits(target)) return 'tunnel_denied';
    exchange.upgrade = head.upgrade === '' ? '' : upgradeOf(head);
    if (exchange.upgrade !== '' && this.#full) return 'too_many_tunnels';
    const route = this.#destinations.routeTo(target, 'http');
    if (route === undefined) return 'overloaded';
    exchange.route = route;
    exchange.requestHead = proxyHead(head, target, exchange.upgrade);
    // what came with the head can be sent once
    if (exchange.body !== '') exchange.bodyLost = true;
    this.#deps.line.enter(exchange, route);
    return undefined;
  }

  get #full(): boolean {
    const { limit, tunnels } = this.route;
    return Math.max(limit?.inFlight ?? 0, tunnels.open) >= this.#plan.maxTunnels;
  }

  #newDestinations(before?: Route): Destinations {
    const { services, proxying } = this.#deps;
    const permits = (target: ProxyTarget, ip: Parameters<OwnAddresses['has']>[0]): boolean =>
      // the rules may be others than when the client asked
      this.#rules.permits(target) &&
      this.#rules.permitsAddress(target, ip) &&
      !proxying.own.has(ip, target.port);
    const deps = { services, lookup: proxying.lookup, permits, targets: this.#targets };
    return new Destinations(deps, this.#name, this.#plan, before);
  }

  /** Those of `destinations` serve nothing new, and tunnels to where `ends` says so are ended, whenever they were opened. */
  #retire(destinations: Destinations, ends: (target: ProxyTarget) => boolean): void {
    const { tunnels, proxying } = this.#deps;
    for (const service of destinations.services) proxying.retired.add(service);
    tunnels.leave('reload', REVOKED_MS, (route) => {
      const target = this.#targets.get(route);
      return target !== undefined && ends(target);
    });
  }
}

function isHttp({ method, head }: Exchange): boolean {
  const scheme = head.slice(method.length + 1, method.length + 8);
  return scheme.toLowerCase() === 'http://';
}
