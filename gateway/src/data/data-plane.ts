import type { Clock, Random } from '../time.ts';
import { TimerWheel } from '../time.ts';
import type { Backend } from './backend.ts';
import { deepEqualPlan } from './changed-fields.ts';
import { FailureCounters } from './counters.ts';
import { countsReport } from './counts-report.ts';
import { ExplainAccess } from './decisions.ts';
import { explain } from './explain.ts';
import { Forward } from './forward.ts';
import type { Observer } from './forward-context.ts';
import { fewAtOnce } from './forward-proxy/guarded-resolver.ts';
import { OwnAddresses } from './forward-proxy/own-addresses.ts';
import { ResponseHead } from './http1/response-head.ts';
import { listenInstead } from './listen-instead.ts';
import { createListener, isSameListener, type Listener, type ListenerDeps } from './listener.ts';
import type { ListenerPlan, Plan } from './plan.ts';
import { planChanges } from './plan-changes.ts';
import type {
  AdminState,
  BackendRef,
  DataCounts,
  DataPort,
  DataStatus,
  ExchangeWatcher,
  ExplainQuestion,
  Explanation,
  HealthVerdict,
  PlanChange,
} from './port.ts';
import { ReadBuffers } from './read-buffers.ts';
import { listenerStatus, routeStatus, serviceStatus } from './report.ts';
import { RequestIds } from './request-id.ts';
import { type Lookup, Resolver, systemLookup } from './resolver.ts';
import { Retired } from './retired.ts';
import { Route } from './route.ts';
import { Router } from './router.ts';
import { Service, type ServiceContext } from './service.ts';
import { OpenTunnels } from './tunnel/open-tunnels.ts';

export interface DataPlaneDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly observer: Observer;
  /** The system's, when left out. */
  readonly lookup?: Lookup;
  /** 48 secret bytes that TLS session tickets are sealed with. */
  readonly ticketKeys: Buffer;
}

/** The request path of one process: built from a plan, moved on to the next one by `apply`. */
export class DataPlane implements DataPort {
  readonly counters = new FailureCounters();
  services: readonly Service[] = [];
  #byName: ReadonlyMap<string, Service> = new Map();
  routes: readonly Route[] = [];
  listeners: readonly Listener[];
  draining = false;
  #plan: Plan;
  readonly #clock: Clock;
  readonly #wheel: TimerWheel;
  readonly #retired: Retired;
  readonly #context: ServiceContext;
  readonly #listening: ListenerDeps;
  readonly #forward: Forward;
  readonly #tunnels: OpenTunnels;
  readonly #own = new OwnAddresses(() =>
    this.listeners.flatMap(({ plan, port }) => (plan.kind === 'udp' ? [] : [port])),
  );
  #router: Router<Route>;

  constructor(plan: Plan, deps: DataPlaneDeps) {
    const { clock, random, observer } = deps;
    const wheel = new TimerWheel(clock);
    const buffers = new ReadBuffers();
    this.#plan = plan;
    this.#clock = clock;
    this.#wheel = wheel;
    this.#retired = new Retired(wheel);
    const onEvent: ServiceContext['onEvent'] = (event) => observer.event(event);
    const resolver = this.#resolver(deps);
    this.#context = { clock, random, wheel, buffers, resolver, head: new ResponseHead(), onEvent };
    this.#takeOver(plan);
    this.#router = routerOf(this.routes);
    const dateLine = dateLineOf(clock);
    const ids = new RequestIds(random);
    const tunnels = new OpenTunnels(wheel, random);
    this.#tunnels = tunnels;
    const { counters } = this;
    const context = { clock, random, wheel, ids, counters, observer, dateLine, tunnels };
    this.#forward = new Forward(context, this.#router, accessOf(plan));
    this.#listening = {
      ...{ clock, random, ids, wheel, buffers, counters, tunnels },
      line: this.#forward,
      services: this.#context,
      ticketKeys: deps.ticketKeys,
      serviceNamed: (name) => this.#byName.get(name),
      proxying: { lookup: fewAtOnce(deps.lookup ?? systemLookup), own: this.#own, retired: this.#retired },
    };
    this.listeners = plan.listeners.map((listener) => createListener(this.#listening, listener));
    this.#reroute();
  }

  /** Listens on every address, or on none: the first that fails closes the others and is thrown. */
  async start(): Promise<void> {
    try {
      for (const listener of this.listeners) await listener.listen();
    } catch (error) {
      this.destroy();
      throw error;
    }
  }

  async apply(plan: Plan): Promise<readonly PlanChange[]> {
    const changes = planChanges(this.#plan, plan);
    if (changes.length === 0) return changes;
    this.#refuseWhenEnding();
    const listeners = await this.#listenAnew(plan.listeners);
    this.#plan = plan;
    this.#takeOver(plan);
    this.#router = routerOf(this.routes);
    this.#forward.reroute(this.#router, accessOf(plan));
    for (const listener of this.listeners) {
      if (!listeners.includes(listener)) this.#retired.addListener(listener);
    }
    this.listeners = listeners;
    for (const listener of listeners) listener.servicesChanged();
    this.#reroute();
    return changes;
  }

  /** The listeners of a new plan: those there are, and new ones, which listen already. */
  async #listenAnew(plans: readonly ListenerPlan[]): Promise<readonly Listener[]> {
    const going = new Set(this.listeners);
    const fresh: Listener[] = [];
    const listeners = plans.map((plan) => {
      // each once: several may leave their port to the system
      for (const listener of going) {
        if (isSameListener(listener.plan, plan) && going.delete(listener)) return listener;
      }
      const listener = createListener(this.#listening, plan);
      fresh.push(listener);
      return listener;
    });
    await listenInstead(fresh, [...going], () => this.#refuseWhenEnding());
    for (const [index, listener] of listeners.entries()) {
      const plan = plans[index];
      if (plan !== undefined && !deepEqualPlan(plan, listener.plan)) listener.update(plan);
    }
    return listeners;
  }

  /** Services and routes of a plan; those that there were go on, with their connections and what is known. */
  #takeOver(plan: Plan): void {
    const before = new Map(this.#byName);
    const unchanged = new Set<Service>();
    this.services = plan.services.map((servicePlan) => {
      const service = before.get(servicePlan.name);
      if (service === undefined) return new Service(this.#context, servicePlan);
      before.delete(servicePlan.name);
      if (deepEqualPlan(service.plan, servicePlan)) unchanged.add(service);
      else for (const backend of service.update(servicePlan)) this.#retired.add(backend);
      return service;
    });
    for (const service of before.values()) {
      service.retire();
      this.#retired.add(service);
    }
    this.#byName = new Map(this.services.map((service) => [service.name, service]));
    this.routes = this.#routesOf(plan, unchanged);
    const routes = Map.groupBy(this.routes, ({ service }) => service);
    for (const service of this.services) service.serve(routes.get(service) ?? []);
  }

  #reroute(): void {
    // a database's connection is in the middle of something, and its client was never told of any gateway: it stays
    const isGone = (backend: Backend): boolean =>
      backend.plan.protocol !== 'tcp' && this.#retired.has(backend);
    this.#tunnels.reroute(this.#allRoutes, isGone);
  }

  get #allRoutes(): readonly Route[] {
    return [...this.routes, ...this.listeners.flatMap(({ ownRoutes }) => ownRoutes)];
  }

  #refuseWhenEnding(): void {
    if (this.draining) throw new Error('the gateway is shutting down');
  }

  #routesOf(plan: Plan, unchanged: ReadonlySet<Service>): readonly Route[] {
    const before = new Map(this.routes.map((route) => [route.name, route]));
    return plan.routes.map((routePlan) => {
      const service = this.#byName.get(routePlan.service);
      if (service === undefined)
        throw new Error(`route ${routePlan.name}: there is no service '${routePlan.service}'`);
      const old = before.get(routePlan.name);
      if (old !== undefined && unchanged.has(service) && deepEqualPlan(old.plan, routePlan)) return old;
      return new Route(this.#context, routePlan, service, old);
    });
  }

  // --- DataPort: what is known of backends ---

  setAdmin(ref: BackendRef, state: AdminState): boolean {
    return this.#atBackend(ref, (backend) => backend.eligibility.setAdmin(state));
  }

  setWeight(ref: BackendRef, weight: number | undefined): boolean {
    return this.#atBackend(ref, (backend, service) => {
      backend.ownWeight = weight;
      service.rebuild();
    });
  }

  setHealth(ref: BackendRef, verdict: HealthVerdict): boolean {
    return this.#atBackend(ref, (backend) => backend.eligibility.setHealth(verdict));
  }

  setFleetBreaker(ref: BackendRef, reason: string | undefined): boolean {
    return this.#atBackend(ref, (backend) => backend.eligibility.setFleetBreaker(reason));
  }

  #atBackend({ service, backend }: BackendRef, act: (backend: Backend, service: Service) => void): boolean {
    const owner = this.#byName.get(service);
    const found = owner?.find(backend);
    if (owner === undefined || found === undefined) return false;
    act(found, owner);
    return true;
  }

  reserve(ports: readonly number[]): void {
    this.#own.reserved = ports;
  }

  status(): DataStatus {
    const times = { nowMs: this.#clock.now(), wheelMs: this.#wheel.nowMs, wallNowMs: this.#clock.wallNow() };
    return {
      listeners: this.listeners.map(listenerStatus),
      routes: this.routes.map(routeStatus),
      services: this.services.map((service) => serviceStatus(service, times)),
      draining: this.draining,
    };
  }

  counts(): DataCounts {
    const times = { nowMs: this.#clock.now(), wallNowMs: this.#clock.wallNow() };
    return countsReport(this.#allRoutes, this.services, this.counters, times);
  }

  watch(watcher: ExchangeWatcher | undefined): void {
    this.#forward.watcher = watcher;
  }

  explain(question: ExplainQuestion): Explanation {
    return explain(question, this.#router, this.routes, this.status());
  }

  // --- the end ---

  /** Accepts no more and answers what is under way; resolves when that is done, at the latest after `deadlineMs`. */
  async drain(deadlineMs: number): Promise<void> {
    this.draining = true;
    this.#tunnels.drain(deadlineMs);
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, deadlineMs);
    });
    const drained = [...this.listeners, ...this.#retired.listeners].map((listener) => listener.drain());
    await Promise.race([Promise.all(drained), deadline]);
    clearTimeout(timer);
    this.destroy();
  }

  destroy(): void {
    this.#retired.destroy();
    for (const listener of this.listeners) listener.destroy();
    for (const service of this.services) service.destroy();
    this.#wheel.close();
  }

  #resolver(deps: DataPlaneDeps): Resolver {
    return new Resolver({
      clock: deps.clock,
      random: deps.random,
      ...(deps.lookup === undefined ? {} : { lookup: deps.lookup }),
      onChange: (host, addresses) => {
        const ips = addresses.map(({ address }) => address);
        for (const { backends } of this.services) {
          for (const backend of backends) backend.agent.addressesChanged(host, ips);
        }
      },
    });
  }
}

function routerOf(routes: readonly Route[]): Router<Route> {
  return new Router(routes.map((route) => ({ rule: route.plan, value: route })));
}

function accessOf({ explainTokenSha256 }: Plan): ExplainAccess | undefined {
  return explainTokenSha256 === undefined ? undefined : new ExplainAccess(explainTokenSha256);
}

/** `Date: …` made once a second. */
function dateLineOf(clock: Clock): () => string {
  let second = 0;
  let line = '';
  return () => {
    const now = Math.floor(clock.wallNow() / 1000);
    if (now !== second) {
      second = now;
      line = `Date: ${new Date(now * 1000).toUTCString()}\r\n`;
    }
    return line;
  };
}
