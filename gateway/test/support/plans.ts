import type { ControlPlan } from '../../src/control/control-plan.ts';
import type {
  BackendPlan,
  BreakerPlan,
  EjectionPlan,
  HealthPlan,
  HttpListenerPlan,
  Plan,
  RetryPlan,
  RoutePlan,
  ServicePlan,
} from '../../src/data/plan.ts';

/** Plans with DESIGN's defaults, on a port the system chooses. */
export function listenerPlan(changes: Partial<HttpListenerPlan> = {}): HttpListenerPlan {
  return {
    kind: 'http',
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
    tls: undefined,
    http2: undefined,
    proxyProtocol: false,
    redirectToHttpsPort: undefined,
    tunnel: undefined,
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
    timeouts: { connectMs: 2_000, headMs: 30_000, idleMs: 60_000, totalMs: 0, eventStreamMs: 300_000 },
    tls: { ca: undefined, serverName: undefined, verify: true },
    retry: retryPlan(),
    retryBudget: { percent: 20, minPerSecond: 3 },
    // each of these has tests of its own, which switch it on
    health: undefined,
    ejection: undefined,
    breaker: undefined,
    slowStartMs: 0,
    whenNoneEligible: 'reject',
    concurrency: undefined,
    sendProxyProtocol: undefined,
    ...changes,
  };
}

export function retryPlan(changes: Partial<RetryPlan> = {}): RetryPlan {
  return {
    attempts: 1,
    on: ['connect-failure', 'reset', 'timeout'],
    perTryTimeoutMs: 0,
    backoffMs: 25,
    maxBodyBytes: 64 * 1024,
    nonIdempotent: false,
    hedge: undefined,
    ...changes,
  };
}

export const EJECTION: EjectionPlan = {
  consecutiveFailures: 5,
  failurePercent: 50,
  minRequests: 20,
  windowMs: 10_000,
  baseMs: 10_000,
  maxMs: 300_000,
  maxPercent: 50,
};

export const BREAKER: BreakerPlan = {
  failurePercent: 50,
  minRequests: 20,
  windowMs: 10_000,
  openMs: 5_000,
  maxOpenMs: 60_000,
  slowCallMs: 0,
  slowPercent: 100,
};

export const TCP_HEALTH: HealthPlan = {
  probe: { type: 'tcp' },
  intervalMs: 5_000,
  timeoutMs: 2_000,
  rise: 2,
  fall: 3,
};

export function routePlan(changes: Partial<RoutePlan> = {}): RoutePlan {
  return {
    name: '/',
    host: undefined,
    path: '/',
    methods: [],
    headers: [],
    service: 'web',
    rewrite: undefined,
    timeouts: {},
    retry: 'service',
    concurrency: undefined,
    priority: 'normal',
    webSocket: { maxConnections: 10_000, idleMs: 300_000, pingMs: 0 },
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
    readonly listener?: Partial<HttpListenerPlan>;
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
    explainTokenSha256: undefined,
  };
}

/** A control plane with an admin port that the system chooses, and nothing else. */
export const ADMIN_ONLY: ControlPlan = {
  admin: { host: '127.0.0.1', port: 0, token: undefined },
  redis: undefined,
  drain: { delayMs: 0, timeoutMs: 1_000 },
  log: { format: 'text', level: 'info' },
  accessLog: undefined,
  tracing: undefined,
};
