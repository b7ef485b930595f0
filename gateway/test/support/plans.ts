import type { BackendPlan, ListenerPlan, Plan, RoutePlan, ServicePlan } from '../../src/data/plan.ts';

/** Plans with DESIGN's defaults, on a port the system chooses. */
function listenerPlan(changes: Partial<ListenerPlan> = {}): ListenerPlan {
  return {
    host: '127.0.0.1',
    port: 0,
    trustedProxies: [],
    maxConnections: 10_000,
    headTimeoutMs: 10_000,
    bodyTimeoutMs: 60_000,
    keepAliveTimeoutMs: 75_000,
    maxHeadBytes: 16 * 1024,
    maxTargetBytes: 8 * 1024,
    maxHeaders: 100,
    ...changes,
  };
}

export function backendPlan(port: number, changes: Partial<BackendPlan> = {}): BackendPlan {
  return { name: `127.0.0.1:${port}`, protocol: 'http', host: '127.0.0.1', port, weight: 1, ...changes };
}

export function servicePlan(ports: readonly number[], changes: Partial<ServicePlan> = {}): ServicePlan {
  return {
    name: 'web',
    backends: ports.map((port) => backendPlan(port)),
    balance: { kind: 'p2c' },
    sticky: undefined,
    pool: {
      maxConnections: 128,
      maxQueue: 256,
      queueTimeoutMs: 1_000,
      idleTimeoutMs: 4_000,
      maxRequests: 10_000,
      maxAgeMs: 600_000,
    },
    timeouts: { connectMs: 2_000, headMs: 30_000, idleMs: 60_000, totalMs: 0 },
    tls: { ca: undefined, serverName: undefined, verify: true },
    retry: { attempts: 1, maxBodyBytes: 64 * 1024, nonIdempotent: false },
    ...changes,
  };
}

function routePlan(changes: Partial<RoutePlan> = {}): RoutePlan {
  return {
    name: '/',
    host: undefined,
    path: '/',
    methods: [],
    headers: [],
    service: 'web',
    rewrite: undefined,
    timeouts: {},
    maxBodyBytes: 10 * 1024 * 1024,
    requestHeaders: { set: {}, remove: [] },
    responseHeaders: { set: {}, remove: [] },
    ...changes,
  };
}

/** One listener, one service `web` on `ports`, one route `/` to it; each part can be changed or replaced. */
export function plan(
  ports: readonly number[],
  changes: {
    readonly listener?: Partial<ListenerPlan>;
    readonly service?: Partial<ServicePlan>;
    readonly route?: Partial<RoutePlan>;
    readonly services?: readonly ServicePlan[];
    readonly routes?: readonly RoutePlan[];
  } = {},
): Plan {
  return {
    listeners: [listenerPlan(changes.listener)],
    services: changes.services ?? [servicePlan(ports, changes.service)],
    routes: changes.routes ?? [routePlan(changes.route)],
  };
}
