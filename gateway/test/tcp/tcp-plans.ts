import type { Plan, ServicePlan, TcpListenerPlan } from '../../src/data/plan.ts';
import { backendPlan, plan, retryPlan, servicePlan } from '../support/plans.ts';

export function tcpListenerPlan(changes: Partial<TcpListenerPlan> = {}): TcpListenerPlan {
  return {
    kind: 'tcp',
    host: '127.0.0.1',
    port: 0,
    trustedProxies: [],
    maxConnections: 10_000,
    service: 'db',
    sniServices: [],
    proxyProtocol: false,
    helloTimeoutMs: 10_000,
    idleTimeoutMs: 600_000,
    ...changes,
  };
}

export function tcpServicePlan(ports: readonly number[], changes: Partial<ServicePlan> = {}): ServicePlan {
  const backends = ports.map((port) => backendPlan(port, { protocol: 'tcp' }));
  return servicePlan([], { name: 'db', backends, retry: retryPlan({ attempts: 3 }), ...changes });
}

/** One TCP listener before one service `db` on `ports`; or before what is given. */
export function tcpPlan(
  ports: readonly number[],
  changes: {
    readonly listener?: Partial<TcpListenerPlan>;
    readonly service?: Partial<ServicePlan>;
    readonly services?: readonly ServicePlan[];
  } = {},
): Plan {
  const services = changes.services ?? [tcpServicePlan(ports, changes.service)];
  return { ...plan([], { services, routes: [] }), listeners: [tcpListenerPlan(changes.listener)] };
}
