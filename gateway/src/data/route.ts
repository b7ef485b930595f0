import { StatusCounters } from './counters.ts';
import type { HeaderEditPlan, RoutePlan, TimeoutsPlan } from './plan.ts';
import type { Service } from './service.ts';

/** Host, path, method and header conditions → service, with the policy of the way there. */
export class Route {
  readonly name: string;
  readonly service: Service;
  readonly plan: RoutePlan;
  // what every request asks stands here and not behind `plan`: with 10 000 routes each object more is a cache miss
  readonly maxBodyBytes: number;
  readonly rewrite: string | undefined;
  readonly prefixLength: number;
  readonly timeouts: TimeoutsPlan;
  /** Undefined when it changes nothing, so that the hot path asks once. */
  readonly requestHeaders: HeaderEditPlan | undefined;
  readonly responseHeaders: HeaderEditPlan | undefined;
  /** The X-Forwarded-Prefix line, where a rewrite takes the prefix away; empty otherwise. */
  readonly taken: string;
  readonly counters = new StatusCounters();

  constructor(plan: RoutePlan, service: Service) {
    this.name = plan.name;
    this.plan = plan;
    this.service = service;
    const own = Object.keys(plan.timeouts).length > 0;
    this.timeouts = own ? { ...service.plan.timeouts, ...plan.timeouts } : service.plan.timeouts;
    this.maxBodyBytes = plan.maxBodyBytes;
    this.rewrite = plan.rewrite;
    this.prefixLength = plan.path.length;
    this.taken =
      plan.rewrite === undefined || plan.path === '/' ? '' : `X-Forwarded-Prefix: ${plan.path}\r\n`;
    this.requestHeaders = effective(plan.requestHeaders);
    this.responseHeaders = effective(plan.responseHeaders);
  }
}

function effective(edit: HeaderEditPlan): HeaderEditPlan | undefined {
  return edit.remove.length === 0 && Object.keys(edit.set).length === 0 ? undefined : edit;
}
