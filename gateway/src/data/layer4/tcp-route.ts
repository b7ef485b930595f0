import { addressText } from '../../address-text.ts';
import { deepEqualPlan } from '../changed-fields.ts';
import { ownRoutePlan } from '../own-route-plan.ts';
import type { RoutePlan, TcpListenerPlan } from '../plan.ts';
import { Route } from '../route.ts';
import type { Service, ServiceContext } from '../service.ts';

/**
 * The route that connections of a TCP listener to `service` are on: what they are counted by, and what says how long they
 * may be silent.
 * @param before the one that there was: it goes on where nothing has changed for it, and its counters otherwise
 */
export function tcpRoute(
  context: ServiceContext,
  plan: TcpListenerPlan,
  service: Service,
  before: Route | undefined,
): Route {
  const routePlan = ownRoutePlan({
    name: nameOf(plan, service.name),
    service: service.name,
    retry: service.plan.retry,
    webSocket: { maxConnections: plan.maxConnections, idleMs: plan.idleTimeoutMs, pingMs: 0 },
  });
  if (before !== undefined && isSame(before, routePlan, service)) return before;
  return new Route(context, routePlan, service, before);
}

function isSame(route: Route, plan: RoutePlan, service: Service): boolean {
  if (route.service !== service || route.timeouts !== service.plan.timeouts) return false;
  return deepEqualPlan(route.plan, plan);
}

function nameOf(plan: TcpListenerPlan, service: string): string {
  const address = `tcp ${addressText(plan.host, plan.port)}`;
  return plan.sniServices.length === 0 ? address : `${address} ${service}`;
}
