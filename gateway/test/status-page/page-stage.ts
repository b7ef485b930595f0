import type { TestContext } from 'node:test';
import { type AdminServer, startAdmin } from '../../src/control/admin/admin-server.ts';
import { LiveFeed } from '../../src/control/status-page/live-feed.ts';
import type {
  Counts,
  StatusPageDeps,
  Traffic,
  TunnelTraffic,
} from '../../src/control/status-page/status-page-deps.ts';
import type {
  AdminState,
  BackendRef,
  BackendStatus,
  DataEvent,
  DataStatus,
  ListenerStatus,
  RouteStatus,
  ServiceStatus,
} from '../../src/data/port.ts';
import { type Clock, systemClock } from '../../src/time.ts';
import { backendStatus } from '../admin/admin-stage.ts';

export const BOUNDS_MS = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000];

export const EJECTED: Partial<BackendStatus> = {
  eligible: false,
  excludedBy: 'ejection',
  reason: 'ejected until 12:00:41 UTC: 5 failures in a row (connect_refused)',
};

export function serviceStatus(
  name: string,
  backends: readonly BackendStatus[],
  changes: Partial<ServiceStatus> = {},
): ServiceStatus {
  return {
    name,
    balance: 'p2c',
    backends,
    eligible: backends.filter(({ eligible }) => eligible).length,
    failOpen: false,
    retryBudgetRemaining: 30,
    concurrency: undefined,
    ...changes,
  };
}

export function listener(
  address: string,
  connections: number,
  changes: Partial<ListenerStatus> = {},
): ListenerStatus {
  return { address, protocol: 'http', connections, services: [], ...changes };
}

const NO_TUNNELS: TunnelTraffic = { open: 0, opened: 0, bytesIn: 0, bytesOut: 0 };

/** A gateway's account of itself that tests change as they go: services `web` and `db`, and what their counters say. */
export class Scene {
  readonly clock: Clock;
  about: object = { version: '0.1.0', uptimeMs: 61_000 };
  routes: readonly RouteStatus[] = [route('/', 'web'), route('/db', 'db')];
  services: readonly ServiceStatus[] = [
    serviceStatus('web', [backendStatus('127.0.0.1:3000')]),
    serviceStatus('db', [backendStatus('127.0.0.1:3001'), backendStatus('127.0.0.1:3011')]),
  ];
  listeners: readonly ListenerStatus[] = [listener('127.0.0.1:8080', 3)];
  draining = false;
  readonly counts = new Map<string, Counts>();
  readonly tunnels = new Map<string, TunnelTraffic>();
  readonly said: string[] = [];
  statusTaken = 0;
  trafficTaken = 0;
  failure: Error | undefined;
  readonly feed: LiveFeed;

  constructor(clock: Clock = systemClock) {
    this.clock = clock;
    const deps: StatusPageDeps = {
      status: () => this.status(),
      about: () => this.about,
      traffic: () => this.traffic(),
      latencyBoundsMs: BOUNDS_MS,
      clock,
      log: (level, text) => void this.said.push(`${level} ${text}`),
    };
    this.feed = new LiveFeed(deps);
  }

  status(): DataStatus {
    this.statusTaken += 1;
    if (this.failure !== undefined) throw this.failure;
    const { listeners, routes, services, draining } = this;
    return { listeners, routes, services, draining };
  }

  traffic(): Traffic {
    this.trafficTaken += 1;
    return {
      routes: this.routes.map(({ name, service }) => ({
        route: name,
        service,
        tunnels: this.tunnels.get(name) ?? NO_TUNNELS,
        ...this.#countsOf(name),
      })),
      backends: this.services.flatMap(({ name: service, backends }) =>
        backends.map(({ name: backend }) => ({
          service,
          backend,
          ...this.#countsOf(`${service} ${backend}`),
        })),
      ),
    };
  }

  /** Requests of one latency bucket, counted for a route (`/db`) or a backend (`db 127.0.0.1:3001`). */
  count(what: string, requests: number, errors = 0, bucket = 3): void {
    const { requests: before, errors: failed, latencyBuckets } = this.#countsOf(what);
    this.counts.set(what, {
      requests: before + requests,
      errors: failed + errors,
      latencyBuckets: latencyBuckets.map((count, index) => count + (index === bucket ? requests : 0)),
    });
  }

  /** Changes one backend; what its service says of all of them follows. */
  change({ service, backend }: BackendRef, changes: Partial<BackendStatus>): boolean {
    const owner = this.services.find(({ name }) => name === service);
    if (!owner?.backends.some(({ name }) => name === backend)) return false;
    const backends = owner.backends.map((one) => (one.name === backend ? { ...one, ...changes } : one));
    const eligible = backends.filter((one) => one.eligible).length;
    this.services = this.services.map((one) => (one === owner ? { ...owner, backends, eligible } : one));
    return true;
  }

  eject(service: string, backend: string): void {
    this.change({ service, backend }, EJECTED);
    this.tell({ kind: 'ineligible', by: 'ejection', reason: EJECTED.reason ?? '', service, backend });
  }

  tell(event: DataEvent): void {
    this.feed.onEvent(event);
  }

  setAdmin(ref: BackendRef, admin: AdminState): boolean {
    const out = admin !== 'enabled';
    const reason = out ? `${admin} by the operator` : undefined;
    const changed = this.change(ref, {
      admin,
      eligible: !out,
      excludedBy: out ? 'admin' : undefined,
      reason,
    });
    if (changed && reason !== undefined) this.tell({ kind: 'ineligible', by: 'admin', reason, ...ref });
    else if (changed) this.tell({ kind: 'eligible', ...ref });
    return changed;
  }

  #countsOf(what: string): Counts {
    return (
      this.counts.get(what) ?? { requests: 0, errors: 0, latencyBuckets: BOUNDS_MS.concat(0).map(() => 0) }
    );
  }
}

export function route(name: string, service: string): RouteStatus {
  return { name, host: undefined, path: name, methods: [], service };
}

/** A real admin server over a scene, closed when the test ends. */
export async function openAdmin(
  test: TestContext,
  scene: Scene,
  plan: { readonly port?: number; readonly token?: string | undefined } = {},
): Promise<{ readonly admin: AdminServer; readonly port: number }> {
  const admin = await startAdmin(
    { host: '127.0.0.1', port: plan.port ?? 0, token: plan.token },
    {
      status: () => scene.status(),
      explain: () => {
        throw new Error('nobody explains anything here');
      },
      setAdmin: (ref, state) => scene.setAdmin(ref, state),
      setWeight: () => false,
      reload: async () => ({ ok: true, changes: [] }),
      readiness: () => ({ ready: true, reasons: [] }),
      about: () => scene.about,
      feed: scene.feed,
      log: (level, text) => void scene.said.push(`${level} ${text}`),
    },
  );
  test.after(() => admin.close());
  return { admin, port: Number(new URL(admin.url).port) };
}
