import type { BackendRef, DataCounts, DataStatus } from '../../data/port.ts';
import type { CertificateExpiry } from '../certificate-expiries.ts';
import { METRICS, type MetricDefinition } from './definitions.ts';
import type { EventCounts } from './event-counts.ts';
import {
  breakerState,
  histogram,
  perBackend,
  poolClosed,
  poolConnections,
  poolConnects,
  rejectedRequests,
  requests,
  type Sample,
  upstreamRequests,
} from './series.ts';
import { perRoute, tunnelBytes, tunnelDurations, tunnelsEnded } from './tunnel-series.ts';

/** Where the numbers come from; asked at a scrape and at no other time. */
export interface MetricsSource {
  readonly status: () => DataStatus;
  readonly counts: () => DataCounts;
  readonly events: EventCounts;
  readonly probes: () => readonly (BackendRef & {
    readonly success: number;
    readonly failure: number;
    readonly timeout: number;
  })[];
  /** Undefined where nothing is shared. */
  readonly redis: () => { readonly up: boolean; readonly replicas: number } | undefined;
  readonly reloads: () => { readonly succeeded: number; readonly failed: number; readonly unchanged: number };
  readonly lastReloadOk: () => boolean;
  /** Those in force. */
  readonly certificates: () => readonly CertificateExpiry[];
  readonly version: string;
}

/** One look at all the numbers, so that a scrape is of one moment. */
export interface Look {
  readonly status: DataStatus;
  readonly counts: DataCounts;
  readonly source: MetricsSource;
}

type Collector = (look: Look) => readonly Sample[];

const plain = (value: number): Sample[] => [{ labels: {}, value }];

/** How each metric of the definitions gets its samples. */
const COLLECTORS: Readonly<Record<keyof typeof METRICS, Collector>> = {
  requests: ({ counts }) => requests(counts),
  requestDuration: ({ counts }) =>
    counts.routes.flatMap(({ route, service, traffic }) =>
      histogram(METRICS.requestDuration.name, { route, service }, traffic, counts.latencyBoundsMs),
    ),
  upstreamRequests: ({ counts }) => upstreamRequests(counts),
  upstreamDuration: ({ counts }) =>
    counts.backends.flatMap(({ service, backend, traffic }) =>
      histogram(METRICS.upstreamDuration.name, { service, backend }, traffic, counts.latencyBoundsMs),
    ),
  poolConnections: ({ status }) => poolConnections(status),
  poolMaxConnections: ({ status }) => perBackend(status, ({ pool }) => pool.max),
  poolPendingRequests: ({ status }) => perBackend(status, ({ pool }) => pool.queued),
  poolConnects: ({ counts }) => poolConnects(counts),
  poolReuses: ({ counts }) =>
    counts.backends.map(({ service, backend, reuses }) => ({ labels: { service, backend }, value: reuses })),
  poolClosed: ({ counts }) => poolClosed(counts),
  backendEligible: ({ status }) => perBackend(status, ({ eligible }) => Number(eligible)),
  backendExcluded: ({ status }) =>
    status.services.flatMap(({ name: service, backends }) =>
      backends.flatMap(({ name: backend, excludedBy }) =>
        (['admin', 'health', 'ejection', 'breaker'] as const).map((by) => ({
          labels: { service, backend, by },
          value: Number(excludedBy === by),
        })),
      ),
    ),
  serviceFailOpen: ({ status }) =>
    status.services.map(({ name, failOpen }) => ({ labels: { service: name }, value: Number(failOpen) })),
  backendHealthy: ({ status }) =>
    perBackend(status, ({ health }) => Number(health === 'healthy' || health === 'unchecked')),
  breakerState: ({ status }) => perBackend(status, breakerState),
  // a counter that begins with its first event hides that event from increase(): these are there from the start
  breakerTransitions: ({ status, source }) =>
    status.services.flatMap(({ name: service, backends }) =>
      backends.flatMap(({ name: backend }) =>
        (['closed', 'half-open', 'open'] as const).map((to) => ({
          labels: { service, backend, to },
          value: source.events.transitions({ service, backend }, to),
        })),
      ),
    ),
  ejections: ({ status, source }) =>
    status.services.flatMap(({ name: service, backends }) =>
      backends.map(({ name: backend }) => ({
        labels: { service, backend },
        value: source.events.ejections({ service, backend }),
      })),
    ),
  healthChecks: ({ source }) =>
    source.probes().flatMap(({ service, backend, ...results }) =>
      (['success', 'failure', 'timeout'] as const).map((result) => ({
        labels: { service, backend, result },
        value: results[result],
      })),
    ),
  retries: ({ counts }) =>
    counts.retries.map(({ count, service, reason, outcome }) => ({
      labels: { service, reason, outcome },
      value: count,
    })),
  retryBudgetRemaining: ({ status }) =>
    status.services.map(({ name, retryBudgetRemaining }) => ({
      labels: { service: name },
      value: retryBudgetRemaining,
    })),
  rejectedRequests: ({ counts }) => rejectedRequests(counts),
  concurrencyInFlight: (look) => concurrency(look, 'inFlight'),
  concurrencyLimit: (look) => concurrency(look, 'limit'),
  concurrencyQueued: (look) => concurrency(look, 'queued'),
  clientConnections: ({ status }) =>
    status.listeners.map(({ address, protocol, connections }) => ({
      // both may listen at one port
      labels: { listener: protocol === 'tcp' || protocol === 'udp' ? `${protocol} ${address}` : address },
      value: connections,
    })),
  tunnels: ({ counts }) => perRoute(counts, ({ open }) => open),
  tunnelsOpened: ({ counts }) => perRoute(counts, ({ opened }) => opened),
  tunnelsEnded: ({ counts }) => tunnelsEnded(counts),
  tunnelBytes: ({ counts }) => tunnelBytes(counts),
  tunnelDuration: ({ counts }) => tunnelDurations(METRICS.tunnelDuration.name, counts),
  certificateExpiry: ({ source }) =>
    source.certificates().map(({ listener, name, expiresMs }) => ({
      labels: { listener, name },
      value: expiresMs / 1000,
    })),
  redisUp: ({ source }) => {
    const redis = source.redis();
    return redis === undefined ? [] : plain(Number(redis.up));
  },
  fleetReplicas: ({ source }) => plain(source.redis()?.replicas ?? 1),
  configReloads: ({ source }) => {
    const reloads = source.reloads();
    return (['succeeded', 'failed', 'unchanged'] as const).map((result) => ({
      labels: { result },
      value: reloads[result],
    }));
  },
  configLastReloadSuccessful: ({ source }) => plain(Number(source.lastReloadOk())),
  buildInfo: ({ source }) => [{ labels: { version: source.version, node: process.versions.node }, value: 1 }],
};

function concurrency({ status }: Look, field: 'inFlight' | 'limit' | 'queued'): Sample[] {
  return status.services.flatMap(({ name, concurrency: limits }) =>
    limits === undefined ? [] : [{ labels: { service: name }, value: limits[field] }],
  );
}

/** Every definition with what collects it. */
export function collected(): readonly { readonly metric: MetricDefinition; readonly collect: Collector }[] {
  return Object.entries(METRICS).map(([key, metric]) => ({
    metric,
    collect: COLLECTORS[key as keyof typeof METRICS],
  }));
}
