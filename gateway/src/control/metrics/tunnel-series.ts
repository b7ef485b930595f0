import type { DataCounts, TunnelCounts } from '../../data/port.ts';
import type { Sample } from './series.ts';

type RouteCounts = DataCounts['routes'][number];

/** One sample of each route, those without tunnels too: a counter that begins with its first tunnel hides it from increase(). */
export function perRoute({ routes }: DataCounts, value: (tunnels: TunnelCounts) => number): Sample[] {
  return routes.map(({ route, tunnels }) => ({ labels: { route }, value: value(tunnels) }));
}

export function tunnelBytes({ routes }: DataCounts): Sample[] {
  return routes.flatMap(({ route, tunnels }) => [
    { labels: { route, direction: 'in' }, value: tunnels.bytesIn },
    { labels: { route, direction: 'out' }, value: tunnels.bytesOut },
  ]);
}

/** Why the tunnels of the gateway end. */
const ENDINGS = ['client', 'backend', 'idle', 'silent', 'protocol', 'drain', 'reload'] as const;

/** Of routes that have had tunnels; every reason from the first of them on. */
export function tunnelsEnded(counts: DataCounts): Sample[] {
  return withTunnels(counts).flatMap(({ route, tunnels }) => {
    const reasons = new Set([...ENDINGS, ...Object.keys(tunnels.ended)]);
    return [...reasons].map((reason) => ({ labels: { route, reason }, value: tunnels.ended[reason] ?? 0 }));
  });
}

/** Cumulated buckets, sum and count, in seconds, of routes that have had tunnels. */
export function tunnelDurations(name: string, counts: DataCounts): Sample[] {
  return withTunnels(counts).flatMap(({ route, tunnels }) => {
    let cumulated = 0;
    const buckets = [...counts.tunnelBoundsMs, Number.POSITIVE_INFINITY].map((boundMs, index) => {
      cumulated += tunnels.durations[index] ?? 0;
      const le = Number.isFinite(boundMs) ? boundMs / 1000 : '+Inf';
      return { metricName: `${name}_bucket`, labels: { le, route }, value: cumulated };
    });
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels: { route }, value: tunnels.durationSumMs / 1000 },
      { metricName: `${name}_count`, labels: { route }, value: cumulated },
    ];
  });
}

function withTunnels({ routes }: DataCounts): readonly RouteCounts[] {
  return routes.filter(({ tunnels }) => tunnels.opened > 0);
}
