import { addressText } from '../../address-text.ts';
import { ownRoutePlan } from '../own-route-plan.ts';
import type { UdpListenerPlan } from '../plan.ts';
import { Route } from '../route.ts';
import type { Service, ServiceContext } from '../service.ts';

/**
 * The route that sessions of a UDP listener are counted by.
 * @param before the one that there was, whose counters go on
 */
export function udpRoute(
  context: ServiceContext,
  plan: UdpListenerPlan,
  service: Service,
  before: Route | undefined,
): Route {
  const { host, port, maxConnections, idleTimeoutMs } = plan;
  const routePlan = ownRoutePlan({
    name: `udp ${addressText(host, port)}`,
    service: service.name,
    webSocket: { maxConnections, idleMs: idleTimeoutMs, pingMs: 0 },
  });
  return new Route(context, routePlan, service, before);
}
