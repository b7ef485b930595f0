import type { BackendStatus, DataCounts, DataStatus, TrafficCounts } from '../../data/port.ts';
import { FAILURES, type FailureCode } from '../../errors.ts';

/** One sample of a metric, as prom-client writes it. */
export interface Sample {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  /** With a suffix, for histograms. */
  readonly metricName?: string;
  readonly exemplar?: {
    readonly labelSet: { readonly trace_id: string };
    readonly value: number;
    /** Seconds since 1970. */
    readonly timestamp: number;
  };
}

const NO_ROUTE = 'none';
const WORTH_ALERTS: readonly number[] = [502, 503, 504];
const BREAKER_STATES = { closed: 0, 'half-open': 1, open: 2 } as const;

/** Requests by route, method and status; what met no route is told by its answer alone. */
export function requests(counts: DataCounts): Sample[] {
  const routed = counts.routes.flatMap(({ route, service, traffic }) => [
    ...traffic.byKind.map(({ kind, status, count }) => ({
      labels: { route, service, method: kind, code: status },
      value: count,
    })),
    // there from the start, so that increase() sees the first of them
    ...WORTH_ALERTS.filter(
      (code) => !traffic.byKind.some(({ kind, status }) => kind === 'GET' && status === code),
    ).map((code) => ({ labels: { route, service, method: 'GET', code }, value: 0 })),
  ]);
  const unrouted = new Map<number, number>();
  for (const { route, code, count } of counts.rejected) {
    const status = route === '' ? statusOf(code) : undefined;
    if (status !== undefined) unrouted.set(status, (unrouted.get(status) ?? 0) + count);
  }
  const none = [...unrouted].map(([code, value]) => ({
    labels: { route: NO_ROUTE, service: NO_ROUTE, method: 'other', code },
    value,
  }));
  return [...routed, ...none];
}

/** Undefined for what is no request, e.g. a connection that was not taken. */
function statusOf(code: string): number | undefined {
  return Object.hasOwn(FAILURES, code) ? FAILURES[code as FailureCode].status : undefined;
}

/** Attempts by backend and status; by failure code where none came. */
export function upstreamRequests(counts: DataCounts): Sample[] {
  return counts.backends.flatMap(({ service, backend, traffic }) =>
    traffic.byKind.map(({ kind, status, count }) => ({
      labels: { service, backend, code: kind === '' ? status : kind },
      value: count,
    })),
  );
}

/** Cumulated buckets, sum and count of a histogram in seconds. */
export function histogram(
  name: string,
  labels: Readonly<Record<string, string>>,
  traffic: TrafficCounts,
  boundsMs: readonly number[],
): Sample[] {
  let cumulated = 0;
  const samples: Sample[] = traffic.latencyBuckets.map((count, index) => {
    cumulated += count;
    const boundMs = boundsMs[index];
    const example = traffic.examples[index];
    const sample = {
      metricName: `${name}_bucket`,
      labels: { le: boundMs === undefined ? '+Inf' : boundMs / 1000, ...labels },
      value: cumulated,
    };
    if (example === undefined || example.traceId === '') return sample;
    const { traceId, latencyMs, endedWallMs } = example;
    const exemplar = {
      labelSet: { trace_id: traceId },
      value: latencyMs / 1000,
      timestamp: endedWallMs / 1000,
    };
    return { ...sample, exemplar };
  });
  samples.push({ metricName: `${name}_sum`, labels, value: traffic.latencySumMs / 1000 });
  samples.push({ metricName: `${name}_count`, labels, value: cumulated });
  return samples;
}

/** One sample for each backend. */
export function perBackend(status: DataStatus, value: (backend: BackendStatus) => number): Sample[] {
  return status.services.flatMap(({ name, backends }) =>
    backends.map((backend) => ({ labels: { service: name, backend: backend.name }, value: value(backend) })),
  );
}

export function poolConnections(status: DataStatus): Sample[] {
  return status.services.flatMap(({ name, backends }) =>
    backends.flatMap(({ name: backend, pool }) =>
      (['active', 'idle', 'connecting'] as const).map((state) => ({
        labels: { service: name, backend, state },
        value: pool[state],
      })),
    ),
  );
}

export function breakerState({ breaker }: BackendStatus): number {
  return BREAKER_STATES[breaker];
}

export function poolConnects(counts: DataCounts): Sample[] {
  return counts.backends.flatMap(({ service, backend, connects, connectFailures }) => [
    { labels: { service, backend, result: 'ok' }, value: connects },
    { labels: { service, backend, result: 'failed' }, value: connectFailures },
  ]);
}

export function poolClosed(counts: DataCounts): Sample[] {
  return counts.backends.flatMap(({ service, backend, closed }) =>
    Object.entries(closed).map(([reason, value]) => ({ labels: { service, backend, reason }, value })),
  );
}

export function rejectedRequests(counts: DataCounts): Sample[] {
  return counts.rejected.map(({ route, code, count }) => ({
    labels: { route: route === '' ? NO_ROUTE : route, reason: code },
    value: count,
  }));
}
