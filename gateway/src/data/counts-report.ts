import { type FailureCounters, LATENCY_BUCKETS_MS, type TrafficCounters } from './counters.ts';
import type { DataCounts, TrafficCounts, TunnelCounts } from './port.ts';
import type { Route } from './route.ts';
import type { Service } from './service.ts';
import { TUNNEL_DURATION_BUCKETS_MS, type TunnelCounters } from './tunnel/tunnel-counters.ts';

/** Of more routes than that only those with requests are told: each is some twenty lines of every scrape. */
const MANY_ROUTES = 1_000;

interface Times {
  readonly nowMs: number;
  readonly wallNowMs: number;
}

/** What was counted, as plain data. */
export function countsReport(
  routes: readonly Route[],
  services: readonly Service[],
  failures: FailureCounters,
  times: Times,
): DataCounts {
  const few = routes.length <= MANY_ROUTES;
  return {
    latencyBoundsMs: LATENCY_BUCKETS_MS,
    tunnelBoundsMs: TUNNEL_DURATION_BUCKETS_MS,
    routes: routes
      .filter(({ counters, tunnels }) => few || counters.total > 0 || tunnels.opened > 0)
      .map(({ name, service, tunnels, counters }) => ({
        route: name,
        service: service.name,
        tunnels: tunnelCounts(tunnels),
        traffic: trafficCounts(counters, times),
      })),
    backends: services.flatMap((service) =>
      service.backends.map(({ name, counters, agent }) => ({
        service: service.name,
        backend: name,
        traffic: trafficCounts(counters, times),
        connects: agent.counters.connects,
        connectFailures: agent.counters.connectFailures,
        reuses: agent.counters.reuses,
        closed: Object.fromEntries(agent.counters.closed),
      })),
    ),
    retries: services.flatMap((service) =>
      [...service.retries.byOutcome].map(([key, count]) => {
        const [reason = '', outcome = ''] = key.split(' ');
        return { service: service.name, reason, outcome, count };
      }),
    ),
    rejected: [...failures.byRoute].map(([key, count]) => {
      const space = key.indexOf(' ');
      return { code: key.slice(0, space), route: key.slice(space + 1), count };
    }),
  };
}

function tunnelCounts(counters: TunnelCounters): TunnelCounts {
  const { open, opened, bytesIn, bytesOut, ended, durations, durationSumMs } = counters;
  return { open, opened, bytesIn, bytesOut, ended: Object.fromEntries(ended), durations, durationSumMs };
}

function trafficCounts(counters: TrafficCounters, { nowMs, wallNowMs }: Times): TrafficCounts {
  return {
    byKind: [...counters.byKind].map(([key, count]) => {
      const space = key.indexOf(' ');
      return { kind: key.slice(0, space), status: Number(key.slice(space + 1)), count };
    }),
    latencyBuckets: counters.byLatency,
    latencySumMs: counters.latencySumMs,
    examples: counters.examples.map(
      (one) =>
        one && {
          traceId: one.traceId,
          latencyMs: one.latencyMs,
          endedWallMs: wallNowMs - (nowMs - one.startedMs - one.latencyMs),
        },
    ),
  };
}
