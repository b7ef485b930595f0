import type { RoutePlan, UdpListenerPlan } from '../plan.ts';
import { Route } from '../route.ts';
import type { Service, ServiceContext } from '../service.ts';

const UNCHANGED = { set: {}, remove: [] };

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
  const routePlan: RoutePlan = {
    name: `udp ${host.includes(':') ? `[${host}]` : host}:${port}`,
    host: undefined,
    path: '/',
    methods: [],
    headers: [],
    service: service.name,
    rewrite: undefined,
    timeouts: {},
    retry: undefined,
    concurrency: undefined,
    priority: 'normal',
    webSocket: { maxConnections, idleMs: idleTimeoutMs, pingMs: 0 },
    maxBodyBytes: 0,
    requestHeaders: UNCHANGED,
    responseHeaders: UNCHANGED,
  };
  return new Route(context, routePlan, service, before);
}
