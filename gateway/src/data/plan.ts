/**
 * What the control plane tells the data plane: listeners, services and routes with every default filled in.
 * Plain data (it could travel over IPC): times in milliseconds, sizes in bytes, nothing optional that has a default.
 */

export interface Plan {
  readonly listeners: readonly ListenerPlan[];
  readonly services: readonly ServicePlan[];
  readonly routes: readonly RoutePlan[];
}

export interface ListenerPlan {
  /** IP address without brackets, e.g. `0.0.0.0`, `::1`. */
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** CIDR blocks (`10.0.0.0/8`, `::1/128`) whose X-Forwarded-*, Forwarded headers are believed. */
  readonly trustedProxies: readonly string[];
  readonly maxConnections: number;
  readonly headTimeoutMs: number;
  /** Longest silence of a client in the middle of its request body. */
  readonly bodyTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  readonly maxHeadBytes: number;
  readonly maxTargetBytes: number;
  readonly maxHeaders: number;
}

export interface ServicePlan {
  readonly name: string;
  readonly backends: readonly BackendPlan[];
  readonly balance: BalancePlan;
  readonly sticky: StickyPlan | undefined;
  readonly pool: PoolPlan;
  readonly timeouts: TimeoutsPlan;
  readonly tls: TlsPlan;
  readonly retry: RetryPlan | undefined;
}

export interface BackendPlan {
  /** `host:port`, as in the config; how a backend is known everywhere. */
  readonly name: string;
  readonly protocol: 'http' | 'https';
  /** Host name or IP address without brackets. */
  readonly host: string;
  readonly port: number;
  /** 1 to 1000. */
  readonly weight: number;
}

export type BalancePlan =
  | { readonly kind: 'round-robin' }
  | { readonly kind: 'least-pending' }
  | { readonly kind: 'p2c' }
  | { readonly kind: 'random' }
  | { readonly kind: 'hash'; readonly key: HashKeyPlan };

export type HashKeyPlan =
  | { readonly from: 'header'; readonly name: string }
  | { readonly from: 'cookie'; readonly name: string }
  | { readonly from: 'clientIp' }
  | { readonly from: 'path' };

export interface StickyPlan {
  readonly cookie: string;
  /** undefined: a session cookie. */
  readonly ttlMs: number | undefined;
}

export interface PoolPlan {
  /** Connections per backend. */
  readonly maxConnections: number;
  /** Requests waiting for a connection of one backend. */
  readonly maxQueue: number;
  readonly queueTimeoutMs: number;
  /** Upper bound; what is learned of the backend's own idle timeout lowers it. */
  readonly idleTimeoutMs: number;
  readonly maxRequests: number;
  /** Life of one connection, ± 10 %. */
  readonly maxAgeMs: number;
}

export interface TimeoutsPlan {
  readonly connectMs: number;
  /** From the whole request sent to the response head. */
  readonly headMs: number;
  /** Longest silence of the backend in the middle of a body or of either side of a tunnel. */
  readonly idleMs: number;
  /** 0 is off. */
  readonly totalMs: number;
}

export interface TlsPlan {
  /** PEM text of the authorities to trust instead of the system's. */
  readonly ca: string | undefined;
  readonly serverName: string | undefined;
  readonly verify: boolean;
}

export interface RetryPlan {
  /** Further attempts after the first. */
  readonly attempts: number;
  readonly maxBodyBytes: number;
  /** POST and PATCH too, when the operator knows that the backends cope. */
  readonly nonIdempotent: boolean;
}

export interface RoutePlan {
  /** Unique and readable, used in logs and metrics, e.g. `www.example.com/db`. */
  readonly name: string;
  /** Lower case; `*.example.com` matches any number of labels; undefined matches every host. */
  readonly host: string | undefined;
  /** Canonical path prefix (see target.ts), starting with `/`, no `/` at its end unless it is `/`. */
  readonly path: string;
  /** Empty matches every method. */
  readonly methods: readonly string[];
  /** Lower-case name; the value undefined matches any value that is there. All must match. */
  readonly headers: readonly { readonly name: string; readonly value: string | undefined }[];
  readonly service: string;
  /** What replaces the matched prefix (`/` for stripPrefix); undefined leaves the path as it is. */
  readonly rewrite: string | undefined;
  /** Overrides the service's, field by field. */
  readonly timeouts: Partial<TimeoutsPlan>;
  readonly maxBodyBytes: number;
  readonly requestHeaders: HeaderEditPlan;
  readonly responseHeaders: HeaderEditPlan;
}

export interface HeaderEditPlan {
  /** Replaces every field of that name. */
  readonly set: Readonly<Record<string, string>>;
  readonly remove: readonly string[];
}
