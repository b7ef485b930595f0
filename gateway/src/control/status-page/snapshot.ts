import type { BackendRef, BackendStatus, DataStatus, RouteStatus, ServiceStatus } from '../../data/port.ts';
import type { EventHistory, EventRecord } from './event-history.ts';
import { findProblems, outKey, type Problem } from './problems.ts';
import { type Since, SinceBook } from './since-book.ts';
import type { StatusPageDeps } from './status-page-deps.ts';
import type { Rates } from './traffic-rates.ts';
import type { TrafficKey, TrafficWindow } from './traffic-window.ts';
import type { TunnelRow, TunnelWindow } from './tunnel-window.ts';

/** What watchers are sent each second. `since` is left out where nothing is known of it. */
export interface Snapshot {
  /** Milliseconds since 1970, by the gateway's clock, as all times here. */
  readonly nowMs: number;
  /** Counts the seconds that rates are known of. */
  readonly sample: number;
  /** Latencies are not told apart above it. */
  readonly longestMs: number;
  readonly gateway: object;
  readonly draining: boolean;
  readonly listeners: DataStatus['listeners'];
  readonly traffic: Rates | undefined;
  readonly problems: readonly (Problem & { readonly since: Since | undefined })[];
  readonly routes: readonly (RouteStatus & { readonly traffic: Rates | undefined })[];
  /** Routes beyond the first thousand, which are not sent. */
  readonly routesLeftOut: number;
  readonly services: readonly ServiceSnapshot[];
  /** Of routes and listeners that have had any. */
  readonly tunnels: readonly TunnelRow[];
  /** Only to whoever has just come. */
  readonly events?: readonly EventRecord[];
}

interface ServiceSnapshot extends Omit<ServiceStatus, 'backends'> {
  readonly traffic: Rates | undefined;
  readonly backends: readonly (BackendStatus & {
    readonly traffic: Rates | undefined;
    readonly since: Since | undefined;
  })[];
}

const MAX_ROUTES = 1_000;

/** Makes what watchers see out of what the gateway says of itself, and remembers since when things are wrong. */
export class Snapshots {
  readonly #deps: StatusPageDeps;
  readonly #window: TrafficWindow;
  readonly #tunnels: TunnelWindow;
  readonly #history: EventHistory;
  readonly #book = new SinceBook();
  readonly #hadRetries = new Set<string>();

  constructor(deps: StatusPageDeps, window: TrafficWindow, tunnels: TunnelWindow, history: EventHistory) {
    this.#deps = deps;
    this.#window = window;
    this.#tunnels = tunnels;
    this.#history = history;
  }

  /** Nobody looks for a while. */
  clear(): void {
    this.#book.clear();
    this.#hadRetries.clear();
  }

  /** @param forNewcomer with all that the others have been sent before */
  take(forNewcomer: boolean): Snapshot {
    const status = this.#deps.status();
    const about = this.#deps.about();
    const nowMs = this.#deps.clock.wallNow();
    this.#forgetGone(status);
    const rates = (key: TrafficKey): Rates | undefined => this.#window.rates(key, forNewcomer);
    const hadRetries = this.#noteRetries(status);
    const problems = findProblems({ status, about, rates, hadRetries, nowMs });
    this.#book.look(this.#sinces(status, problems), nowMs);
    return {
      nowMs,
      sample: this.#window.sample,
      longestMs: this.#deps.latencyBoundsMs.at(-1) ?? 0,
      gateway: about,
      draining: status.draining,
      listeners: status.listeners,
      traffic: rates({ of: 'all' }),
      problems: problems.map((problem) => ({ ...problem, since: this.#book.of(problem.key) })),
      routes: status.routes
        .slice(0, MAX_ROUTES)
        .map((route) => ({ ...route, traffic: rates({ of: 'route', route: route.name }) })),
      routesLeftOut: Math.max(0, status.routes.length - MAX_ROUTES),
      services: status.services.map((service) => this.#service(service, rates)),
      tunnels: this.#tunnels.rows(),
      ...(forNewcomer ? { events: this.#history.after(0) } : {}),
    };
  }

  #service(service: ServiceStatus, rates: (key: TrafficKey) => Rates | undefined): ServiceSnapshot {
    const { name } = service;
    return {
      ...service,
      traffic: rates({ of: 'service', service: name }),
      backends: service.backends.map((backend) => ({
        ...backend,
        traffic: rates({ of: 'backend', service: name, backend: backend.name }),
        since: this.#sinceOf(name, backend),
      })),
    };
  }

  #sinceOf(service: string, backend: BackendStatus): Since | undefined {
    const out = this.#book.of(outKey(service, backend));
    if (out !== undefined) return out;
    const flip = this.#history.lastFlip({ service, backend: backend.name });
    return flip === undefined ? undefined : { ms: flip.atMs, atLeast: false };
  }

  /** When each problem began, as far as an event has told. */
  #sinces({ services }: DataStatus, problems: readonly Problem[]): ReadonlyMap<string, number | undefined> {
    const sinces = new Map<string, number | undefined>(problems.map(({ key }) => [key, undefined]));
    for (const { name: service, eligible, backends } of services) {
      if (eligible === 0) sinces.set(`none\n${service}`, this.#history.noneEligibleSinceMs(service));
      for (const backend of backends) {
        const key = outKey(service, backend);
        const flip = this.#history.lastFlip({ service, backend: backend.name });
        const told = flip !== undefined && flip.by === backend.excludedBy && flip.by !== undefined;
        if (sinces.has(key) && told) sinces.set(key, flip.atMs);
      }
    }
    return sinces;
  }

  #noteRetries({ services }: DataStatus): ReadonlySet<string> {
    for (const { name, retryBudgetRemaining } of services) {
      if (retryBudgetRemaining >= 1) this.#hadRetries.add(name);
    }
    return this.#hadRetries;
  }

  #forgetGone({ services }: DataStatus): void {
    const refs: BackendRef[] = services.flatMap(({ name: service, backends }) =>
      backends.map(({ name: backend }) => ({ service, backend })),
    );
    this.#history.keepOnly(refs);
  }
}
