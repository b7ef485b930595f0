import type { FailureCode } from '../errors.ts';
import type { BackendProtocol, Plan } from './plan.ts';

/**
 * The seam between the planes: down go plans and what is known of backends, up come events and reports. All of it is plain
 * data, so that it could travel over IPC.
 */
export interface DataPort {
  /**
   * Makes `plan` the plan in force, and returns what changed. What did not change keeps its connections and what is known
   * of it; what went away finishes its requests. Rejects, with nothing changed, when a new address cannot be listened on.
   */
  apply(plan: Plan): Promise<readonly PlanChange[]>;
  /** What the operator wants of a backend. False: there is no such backend. */
  setAdmin(ref: BackendRef, state: AdminState): boolean;
  /** 1 to 1000; undefined: the plan's. False: there is no such backend. */
  setWeight(ref: BackendRef, weight: number | undefined): boolean;
  /** What probes say. A backend whose service is probed is not eligible before its first verdict. */
  setHealth(ref: BackendRef, verdict: HealthVerdict): boolean;
  /** Whether a quorum of the replicas has opened its breaker for this backend, and in what words; undefined: no. */
  setFleetBreaker(ref: BackendRef, reason: string | undefined): boolean;
  /** Ports on which the control plane listens: no tunnel leads there. */
  reserve(ports: readonly number[]): void;
  status(): DataStatus;
  /** What was counted since the start. */
  counts(): DataCounts;
  explain(question: ExplainQuestion): Explanation;
  /** Who is told of requests from now on; undefined: nobody, and nothing is kept for them. */
  watch(watcher: ExchangeWatcher | undefined): void;
}

export interface BackendRef {
  readonly service: string;
  /** Its name, `host:port`. */
  readonly backend: string;
}

/**
 * - `draining`: no new requests; those under way end
 * - `disabled`: the same, and not probed
 */
export type AdminState = 'enabled' | 'draining' | 'disabled';

export interface HealthVerdict {
  readonly healthy: boolean;
  /** What the probe saw, e.g. `connection refused`, `status 503`. */
  readonly reason: string;
}

/** Which step of the pipeline keeps a backend out; in this order. */
export type Exclusion = 'admin' | 'health' | 'ejection' | 'breaker';

export interface BackendStatus {
  readonly name: string;
  /** The plan's or the operator's. */
  readonly weight: number;
  /** What the balancer sees: less while the backend starts slowly. */
  readonly effectiveWeight: number;
  readonly eligible: boolean;
  readonly excludedBy: Exclusion | undefined;
  /** Why it is not eligible, for people, e.g. `ejected until 12:00:41: 5 failures in a row (connect_refused)`. */
  readonly reason: string | undefined;
  readonly admin: AdminState;
  readonly health: 'healthy' | 'unhealthy' | 'unknown' | 'unchecked';
  readonly healthReason: string | undefined;
  readonly breaker: BreakerState;
  /** Milliseconds since 1970; undefined when it is not ejected. */
  readonly ejectedUntilMs: number | undefined;
  /** Requests given to it and not yet answered: what is left of a drain. */
  readonly pending: number;
  /** Peak-EWMA of the time to the head of an answer; 0 when unknown. */
  readonly latencyMs: number;
  readonly pool: {
    readonly active: number;
    readonly idle: number;
    readonly connecting: number;
    readonly queued: number;
    readonly max: number;
  };
  /** How long ago live traffic last went well there; undefined: never. */
  readonly lastSuccessAgoMs: number | undefined;
}

export type BreakerState = 'closed' | 'half-open' | 'open';

export interface ServiceStatus {
  readonly name: string;
  readonly balance: string;
  readonly backends: readonly BackendStatus[];
  readonly eligible: number;
  /** Whether backends that are not eligible are tried because none is. */
  readonly failOpen: boolean;
  readonly retryBudgetRemaining: number;
  /** Requests under way, and the limit they are held to; undefined without one. */
  readonly concurrency:
    | { readonly inFlight: number; readonly limit: number; readonly queued: number }
    | undefined;
}

export interface RouteStatus {
  readonly name: string;
  readonly host: string | undefined;
  readonly path: string;
  readonly methods: readonly string[];
  readonly service: string;
}

export interface ListenerStatus {
  readonly address: string;
  readonly protocol: 'http' | 'https' | 'tcp' | 'udp';
  /** Clients there are now. */
  readonly connections: number;
  /** Of tcp and udp: where it leads, the service for what no name is for first. */
  readonly services: readonly string[];
}

export interface DataStatus {
  readonly listeners: readonly ListenerStatus[];
  readonly routes: readonly RouteStatus[];
  readonly services: readonly ServiceStatus[];
  readonly draining: boolean;
}

/** Requests or attempts, counted since the start. */
export interface TrafficCounts {
  /** `kind`: the method of a request; of an attempt its failure code, or empty where it came to a status. */
  readonly byKind: readonly { readonly kind: string; readonly status: number; readonly count: number }[];
  /** In each of the buckets of LATENCY_BUCKETS_MS and beyond the last, not cumulated. */
  readonly latencyBuckets: readonly number[];
  readonly latencySumMs: number;
  /** One request of each bucket, where one was kept. */
  readonly examples: readonly (
    | { readonly traceId: string; readonly latencyMs: number; readonly endedWallMs: number }
    | undefined
  )[];
}

/** WebSockets and other upgrades, CONNECT, TCP connections, UDP sessions. */
export interface TunnelCounts {
  readonly open: number;
  readonly opened: number;
  /** From clients to backends, and back. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Those that ended, by why. */
  readonly ended: Readonly<Record<string, number>>;
  /** How long those were open: in each of the buckets of `tunnelBoundsMs` and beyond the last; empty before the first. */
  readonly durations: readonly number[];
  readonly durationSumMs: number;
}

export interface DataCounts {
  /** Upper bounds of the latency buckets. */
  readonly latencyBoundsMs: readonly number[];
  /** Of the buckets of how long tunnels were open. */
  readonly tunnelBoundsMs: readonly number[];
  /** Where there are more than a thousand, only those that had requests. */
  readonly routes: readonly {
    readonly route: string;
    readonly service: string;
    readonly tunnels: TunnelCounts;
    readonly traffic: TrafficCounts;
  }[];
  readonly backends: readonly (BackendRef & {
    readonly traffic: TrafficCounts;
    readonly connects: number;
    readonly connectFailures: number;
    readonly reuses: number;
    /** Connections that ended, by why. */
    readonly closed: Readonly<Record<string, number>>;
  })[];
  readonly retries: readonly {
    readonly service: string;
    readonly reason: string;
    readonly outcome: string;
    readonly count: number;
  }[];
  /** Requests that the gateway answered itself; the route is empty for what met none. */
  readonly rejected: readonly { readonly route: string; readonly code: string; readonly count: number }[];
}

export interface ExplainQuestion {
  readonly method: string;
  /** Lower case, without port. */
  readonly host: string;
  /** Path and query as a client would send them. */
  readonly target: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly clientIp: string;
}

export interface Explanation {
  /** The path that routes are looked up by; undefined when the target is refused. */
  readonly path: string | undefined;
  /** The failure code of the answer the gateway would give itself. */
  readonly refused: string | undefined;
  readonly route: RouteStatus | undefined;
  /** Routes whose path is a prefix, longest first, and why each is or is not the one. */
  readonly candidates: readonly {
    readonly route: string;
    readonly chosen: boolean;
    readonly reason: string;
  }[];
  /** The path sent to the backend. */
  readonly sentPath: string | undefined;
  readonly service: ServiceStatus | undefined;
  /** Where it goes if that is certain (hash, sticky, one backend); otherwise how it is drawn. */
  readonly choice: string | undefined;
}

/** One difference between two plans, e.g. `{ what: 'backend', name: 'db 127.0.0.1:3021', change: 'removed' }`. */
export interface PlanChange {
  readonly what: 'listener' | 'service' | 'backend' | 'route' | 'setting';
  readonly name: string;
  readonly change: 'added' | 'removed' | 'changed';
  /** Which fields changed and how, for people; empty when that says nothing. */
  readonly detail: string;
}

/** What happens in the data plane, told synchronously; hearing it must be cheap and must not throw. */
export type DataEvent =
  | ({ readonly kind: 'eligible' } & BackendRef)
  | ({ readonly kind: 'ineligible'; readonly by: Exclusion; readonly reason: string } & BackendRef)
  | ({ readonly kind: 'ejected'; readonly reason: string; readonly forMs: number } & BackendRef)
  | ({
      readonly kind: 'breaker';
      readonly from: BreakerState;
      readonly to: BreakerState;
      readonly reason: string;
    } & BackendRef)
  /** Live traffic was refused there: a probe would say more. */
  | ({ readonly kind: 'connect-failed' } & BackendRef)
  /** No backend is eligible (any more, or again). */
  | {
      readonly kind: 'none-eligible';
      readonly service: string;
      readonly active: boolean;
      readonly failOpen: boolean;
    };

/** Hears of requests, synchronously: it must be cheap and must not throw. */
export interface ExchangeWatcher {
  /**
   * Whether a request is traced; undefined where none is.
   * @param parent whether the client's traceparent says that it was sampled; undefined: there is no valid one
   */
  readonly samples: ((traceId: string, parent: boolean | undefined) => boolean) | undefined;
  /** A request has been answered, or will not be. What is told may be read only during the call. */
  ended(report: ExchangeReport): void;
}

/** How far a request came: read, waiting for its turn, connecting, waiting for an answer, being answered. */
export type ExchangePhase = 'request' | 'queue' | 'connect' | 'head' | 'body';

/** One request and what became of it. */
export interface ExchangeReport {
  /** Request line and fields, byte for byte as the client sent them; empty for what was no request. */
  readonly head: string;
  readonly method: string;
  readonly host: string;
  /** As the client sent it; the query with its `?`. */
  readonly path: string;
  readonly query: string;
  /** Of HTTP/1; -1 for what was no request. */
  readonly minorVersion: number;
  /** What the client spoke; empty for what was no request. Of TCP and UDP there is no method, path or status. */
  readonly protocol: 'HTTP/1.0' | 'HTTP/1.1' | 'HTTP/2.0' | 'TCP' | 'UDP' | '';
  readonly scheme: 'http' | 'https';
  /** Empty where it was refused before it got one. */
  readonly requestId: string;
  readonly traceId: string;
  /** By what trusted proxies say, and by the connection. */
  readonly clientIp: string;
  readonly peerIp: string;
  /** 499 for a client that left. */
  readonly status: number;
  readonly failure: FailureCode | undefined;
  /** The phase that it ended in. */
  readonly phase: ExchangePhase;
  readonly route: string | undefined;
  /** The prefix that it was matched by. */
  readonly routePath: string | undefined;
  readonly service: string | undefined;
  /** Of the last attempt. */
  readonly backend: string | undefined;
  /** Hedges included. */
  readonly attempts: number;
  readonly retries: number;
  readonly hedged: boolean;
  /** With heads and the framing of bodies; out: what was given to the socket. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** By the same monotonic clock as attempts. */
  readonly startedMs: number;
  readonly durationMs: number;
  /** The parts of it: waiting for admission and for a free connection; for connects; from there to the head of the answer. */
  readonly queueMs: number;
  readonly connectMs: number;
  /** Undefined where no backend's answer was passed on. */
  readonly firstByteMs: number | undefined;
  /** What it became, where that was a tunnel: it ends with it. */
  readonly tunnel: TunnelReport | undefined;
  /** Where it is traced. */
  readonly trace: TraceReport | undefined;
}

/** A WebSocket or other upgrade, a CONNECT tunnel, a TCP connection or a UDP session that has ended. */
export interface TunnelReport {
  /** From the client to the backend, and back; heads are not counted. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly durationMs: number;
  /** Why it ended, e.g. `client`, `idle`, `drain`. */
  readonly ending: string | undefined;
}

/** Ids are lower-case hex, as in a traceparent. */
export interface TraceReport {
  readonly traceId: string;
  readonly spanId: string;
  /** The client's span; empty where it sent none. */
  readonly parentId: string;
  readonly flags: string;
  readonly attempts: readonly AttemptReport[];
}

export interface AttemptReport {
  /** What the backend was told as its parent. */
  readonly spanId: string;
  readonly kind: 'first' | 'retry' | 'hedge';
  readonly backend: string;
  readonly protocol: BackendProtocol;
  readonly host: string;
  readonly port: number;
  /** Path and query as they were sent. */
  readonly target: string;
  /** By the monotonic clock, and so only good for comparing. */
  readonly startedMs: number;
  readonly endedMs: number;
  /** 0 where it came to none; with no failure either, nobody waited for it any more. */
  readonly status: number;
  readonly failure: FailureCode | undefined;
}
