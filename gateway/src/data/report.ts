import type { Backend } from './backend.ts';
import type { Listener } from './listener.ts';
import type { BackendStatus, ListenerStatus, RouteStatus, ServiceStatus } from './port.ts';
import type { Route } from './route.ts';
import type { Service } from './service.ts';

/** The moment of a report, by each clock that its times are told in. */
export interface ReportTimes {
  readonly nowMs: number;
  readonly wheelMs: number;
  readonly wallNowMs: number;
}

export function serviceStatus(service: Service, times: ReportTimes): ServiceStatus {
  const { name, plan, limit, budget, failOpen } = service;
  const backends = service.backends.map((backend) => backendStatus(backend, times));
  return {
    name,
    balance: plan.sticky === undefined ? plan.balance.kind : `${plan.balance.kind}, sticky`,
    backends,
    eligible: backends.filter(({ eligible }) => eligible).length,
    failOpen,
    retryBudgetRemaining: budget.remaining,
    concurrency:
      limit === undefined
        ? undefined
        : { inFlight: limit.inFlight, limit: limit.limit, queued: limit.queued },
  };
}

function backendStatus(backend: Backend, { nowMs, wheelMs, wallNowMs }: ReportTimes): BackendStatus {
  const { eligibility, agent } = backend;
  const excluded = eligibility.excluded();
  const { ejection } = eligibility;
  const agoMs = nowMs - backend.lastSuccessMs;
  return {
    name: backend.name,
    weight: backend.fullWeight,
    effectiveWeight: backend.weight,
    eligible: excluded === undefined,
    excludedBy: excluded?.by,
    reason: excluded?.reason,
    admin: eligibility.admin,
    health: healthOf(backend),
    healthReason: eligibility.health?.reason,
    breaker: eligibility.breaker?.state ?? 'closed',
    ejectedUntilMs: ejection?.active === true ? wallNowMs + ejection.untilMs - wheelMs : undefined,
    pending: backend.pending,
    latencyMs: backend.latencyMs(nowMs),
    pool: { ...agent.stats, max: agent.maxConnections },
    lastSuccessAgoMs: Number.isFinite(agoMs) ? agoMs : undefined,
  };
}

function healthOf({ eligibility }: Backend): BackendStatus['health'] {
  if (!eligibility.probed) return 'unchecked';
  if (eligibility.health === undefined) return 'unknown';
  return eligibility.health.healthy ? 'healthy' : 'unhealthy';
}

export function routeStatus({ name, plan }: Route): RouteStatus {
  const { host, path, methods, service } = plan;
  return { name, host, path, methods, service };
}

export function listenerStatus({ plan, address, connections }: Listener): ListenerStatus {
  switch (plan.kind) {
    case 'http':
      return { address, protocol: plan.tls === undefined ? 'http' : 'https', connections, services: [] };
    case 'tcp': {
      const named = plan.sniServices.map(({ service }) => service);
      const services = [...new Set(plan.service === undefined ? named : [plan.service, ...named])];
      return { address, protocol: 'tcp', connections, services };
    }
    case 'udp':
      return { address, protocol: 'udp', connections, services: [plan.service] };
  }
}
