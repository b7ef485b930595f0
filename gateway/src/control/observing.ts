import type { ServicePlan } from '../data/plan.ts';
import type { DataCounts, DataEvent, DataPort, TrafficCounts } from '../data/port.ts';
import type { Clock } from '../time.ts';
import type { Log } from './log.ts';
import { EventCounts } from './metrics/event-counts.ts';
import { LiveFeed } from './status-page/live-feed.ts';

export interface ObservingDeps {
  readonly clock: Clock;
  readonly port: DataPort;
  readonly about: () => object;
  readonly log: Log;
}

/** What is kept of the data plane's events and counters, for metrics and for the status page. */
export class Observing {
  readonly events = new EventCounts();
  readonly feed: LiveFeed;

  constructor({ clock, port, about, log }: ObservingDeps) {
    this.feed = new LiveFeed({
      clock,
      log,
      about,
      status: () => port.status(),
      traffic: () => trafficOf(port.counts()),
      latencyBoundsMs: port.counts().latencyBoundsMs,
    });
  }

  onEvent(event: DataEvent): void {
    this.events.onEvent(event);
    this.feed.onEvent(event);
  }

  /** The services of the plan in force: of others nothing need be kept. */
  keep(services: readonly ServicePlan[]): void {
    const known = new Set(
      services.flatMap(({ name, backends }) => backends.map((backend) => `${name} ${backend.name}`)),
    );
    this.events.keep(({ service, backend }) => known.has(`${service} ${backend}`));
  }

  close(): void {
    this.feed.close();
  }
}

function trafficOf({ routes, backends }: DataCounts) {
  return {
    routes: routes.map(({ route, service, tunnels: { open, opened, bytesIn, bytesOut }, traffic }) => ({
      route,
      service,
      tunnels: { open, opened, bytesIn, bytesOut },
      ...summed(traffic),
    })),
    backends: backends.map(({ service, backend, traffic }) => ({ service, backend, ...summed(traffic) })),
  };
}

function summed({ byKind, latencyBuckets }: TrafficCounts) {
  let requests = 0;
  let errors = 0;
  for (const { status, count } of byKind) {
    requests += count;
    // of an attempt, 0 is no status at all
    if (status >= 500 || status === 0) errors += count;
  }
  return { requests, errors, latencyBuckets };
}
