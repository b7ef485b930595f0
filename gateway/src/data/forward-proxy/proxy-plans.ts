import { ownRoutePlan } from '../own-route-plan.ts';
import type { ForwardProxyPlan, RoutePlan, ServicePlan } from '../plan.ts';
import { authorityOf, type ProxyTarget } from './proxy-target.ts';

/** What connections to a destination are for: tunnels, or requests one after the other. */
export type DestinationKind = 'tunnel' | 'http';

const HTTP_CONNECTIONS = 128;
const HTTP_IDLE_MS = 4_000;
const QUEUE_MS = 1_000;
const HEAD_MS = 30_000;
const EVENT_STREAM_MS = 300_000;

/** A service of one backend, which nobody has configured: it has no health, no breaker and no other backend to try. */
export function destinationPlan(
  name: string,
  { maxTunnels, connectTimeoutMs, idleTimeoutMs }: ForwardProxyPlan,
  kind: DestinationKind,
  target: ProxyTarget | undefined,
): ServicePlan {
  const tunnel = kind === 'tunnel';
  return {
    name,
    backends: target === undefined ? [] : [{ ...backendOf(target), protocol: 'http', weight: 1 }],
    balance: { kind: 'round-robin' },
    sticky: undefined,
    pool: {
      // how many there may be at once stands in the limit that all destinations share
      maxConnections: tunnel ? maxTunnels : HTTP_CONNECTIONS,
      maxQueue: tunnel ? maxTunnels : 2 * HTTP_CONNECTIONS,
      queueTimeoutMs: QUEUE_MS,
      // a tunnel's connection is used once: one whose client left while it was being opened is for nobody
      idleTimeoutMs: tunnel ? 1 : HTTP_IDLE_MS,
      maxRequests: 10_000,
      maxAgeMs: 600_000,
    },
    timeouts: {
      connectMs: connectTimeoutMs,
      headMs: HEAD_MS,
      idleMs: idleTimeoutMs,
      totalMs: 0,
      eventStreamMs: Math.max(idleTimeoutMs, EVENT_STREAM_MS),
    },
    tls: { ca: undefined, serverName: undefined, verify: true },
    retry: undefined,
    retryBudget: { percent: 0, minPerSecond: 0 },
    health: undefined,
    ejection: undefined,
    breaker: undefined,
    slowStartMs: 0,
    whenNoneEligible: 'all',
    concurrency: undefined,
    sendProxyProtocol: undefined,
  };
}

function backendOf(target: ProxyTarget) {
  return { name: authorityOf(target), host: target.host, port: target.port };
}

/** The one route that all destinations are counted as. */
export function proxyRoutePlan(
  name: string,
  { maxTunnels, idleTimeoutMs }: ForwardProxyPlan,
  kind: DestinationKind,
): RoutePlan {
  return ownRoutePlan({
    name,
    service: name,
    concurrency:
      kind === 'tunnel' ? { max: maxTunnels, queue: 0, queueTimeoutMs: 0, adaptive: false } : undefined,
    webSocket: { maxConnections: maxTunnels, idleMs: idleTimeoutMs, pingMs: 0 },
    // where it goes they have limits of their own; here it only passes through
    maxBodyBytes: Number.MAX_SAFE_INTEGER,
  });
}
