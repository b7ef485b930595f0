import type { DataStatus } from '../../data/port.ts';
import type { Clock } from '../../time.ts';
import type { Log } from '../log.ts';

/** What the status page is made from. */
export interface StatusPageDeps {
  readonly status: () => DataStatus;
  /** As the admin API shows it: plain data without secrets. */
  readonly about: () => object;
  readonly traffic: () => Traffic;
  /** Upper bounds in ms of all latency buckets but the last, which has none. */
  readonly latencyBoundsMs: readonly number[];
  readonly clock: Clock;
  readonly log: Log;
}

/** Counts since the start. A count that is less than before began anew. */
export interface Traffic {
  readonly routes: readonly RouteTraffic[];
  readonly backends: readonly BackendTraffic[];
}

export interface Counts {
  readonly requests: number;
  /** Of these, answered 5xx. */
  readonly errors: number;
  /** Requests in each bucket, not cumulated. */
  readonly latencyBuckets: readonly number[];
}

/** Requests of clients. */
interface RouteTraffic extends Counts {
  readonly route: string;
  readonly service: string;
  readonly tunnels: TunnelTraffic;
}

export interface TunnelTraffic {
  readonly open: number;
  readonly opened: number;
  /** From clients to backends, and back. */
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** Attempts. */
interface BackendTraffic extends Counts {
  readonly service: string;
  readonly backend: string;
}
