import { ConcurrencyLimit } from './concurrency-limit.ts';
import { foldMethod, TrafficCounters } from './counters.ts';
import type { HeaderEditPlan, Priority, RetryPlan, RoutePlan, TimeoutsPlan, WebSocketPlan } from './plan.ts';
import type { Service, ServiceContext } from './service.ts';
import { TunnelCounters } from './tunnel/tunnel-counters.ts';

/** Host, path, method and header conditions → service, with the policy of the way there. Fixed: a reload makes a new one. */
export class Route {
  readonly name: string;
  readonly service: Service;
  readonly plan: RoutePlan;
  // what every request asks stands here and not behind `plan`: with 10 000 routes each object more is a cache miss
  readonly maxBodyBytes: number;
  readonly rewrite: string | undefined;
  readonly prefixLength: number;
  readonly timeouts: TimeoutsPlan;
  readonly retry: RetryPlan | undefined;
  readonly priority: Priority;
  /** Undefined when it changes nothing, so that the hot path asks once. */
  readonly requestHeaders: HeaderEditPlan | undefined;
  readonly responseHeaders: HeaderEditPlan | undefined;
  /** The X-Forwarded-Prefix line, where a rewrite takes the prefix away; empty otherwise. */
  readonly taken: string;
  readonly counters: TrafficCounters;
  readonly tunnels: TunnelCounters;
  readonly webSocket: WebSocketPlan;
  readonly limit: ConcurrencyLimit | undefined;

  /** @param before the route of the same name in the plan before, whose counters and limit go on */
  constructor(context: ServiceContext, plan: RoutePlan, service: Service, before?: Route) {
    this.name = plan.name;
    this.plan = plan;
    this.service = service;
    const own = Object.keys(plan.timeouts).length > 0;
    this.timeouts = own ? { ...service.plan.timeouts, ...plan.timeouts } : service.plan.timeouts;
    this.retry = plan.retry === 'service' ? service.plan.retry : plan.retry;
    this.priority = plan.priority;
    this.maxBodyBytes = plan.maxBodyBytes;
    this.rewrite = plan.rewrite;
    this.prefixLength = plan.path.length;
    this.taken =
      plan.rewrite === undefined || plan.path === '/' ? '' : `X-Forwarded-Prefix: ${plan.path}\r\n`;
    this.requestHeaders = effective(plan.requestHeaders);
    this.responseHeaders = effective(plan.responseHeaders);
    this.counters = before?.counters ?? new TrafficCounters(foldMethod);
    this.tunnels = before?.tunnels ?? new TunnelCounters();
    this.webSocket = plan.webSocket;
    this.limit = this.#limitFrom(context, before);
  }

  #limitFrom(context: ServiceContext, before: Route | undefined): ConcurrencyLimit | undefined {
    const { concurrency } = this.plan;
    if (concurrency === undefined) return undefined;
    if (before?.limit === undefined) return new ConcurrencyLimit(concurrency, context);
    before.limit.update(concurrency);
    return before.limit;
  }
}

function effective(edit: HeaderEditPlan): HeaderEditPlan | undefined {
  return edit.remove.length === 0 && Object.keys(edit.set).length === 0 ? undefined : edit;
}
