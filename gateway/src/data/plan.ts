/**
 * What the control plane tells the data plane: listeners, services and routes with every default filled in.
 * Plain data (it could travel over IPC): times in milliseconds, sizes in bytes, nothing optional that has a default.
 */

export interface Plan {
  readonly listeners: readonly ListenerPlan[];
  readonly services: readonly ServicePlan[];
  readonly routes: readonly RoutePlan[];
  /**
   * SHA-256 (hex) of the token by which a client may ask, with `X-Portway-Explain`, why its request went where it went.
   * Undefined: nobody may.
   */
  readonly explainTokenSha256: string | undefined;
}

/** An address that clients connect to, and what is spoken there. */
export type ListenerPlan = HttpListenerPlan | TcpListenerPlan | UdpListenerPlan;

interface ListenerAddressPlan {
  /** IP address without brackets, e.g. `0.0.0.0`, `::1`. */
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** CIDR blocks (`10.0.0.0/8`, `::1/128`) whose X-Forwarded-*, Forwarded and PROXY headers are believed. */
  readonly trustedProxies: readonly string[];
  /** Of udp: clients that are remembered at once. */
  readonly maxConnections: number;
}

export interface HttpListenerPlan extends ListenerAddressPlan {
  readonly kind: 'http';
  readonly headTimeoutMs: number;
  /** Longest silence of a client in the middle of its request body. */
  readonly bodyTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  readonly maxHeadBytes: number;
  readonly maxTargetBytes: number;
  readonly maxHeaders: number;
  /** Undefined: in the clear. */
  readonly tls: ListenerTlsPlan | undefined;
  /** HTTP/2, by ALPN with TLS and by prior knowledge without; undefined: not spoken. */
  readonly http2: Http2Plan | undefined;
  /** Whether trusted proxies start each connection with a PROXY header (v1 or v2); from others none is taken. */
  readonly proxyProtocol: boolean;
  /** The port of the https URL that every request is sent to; undefined: requests are served. */
  readonly redirectToHttpsPort: number | undefined;
  /** What this listener does as a forward proxy; undefined: nothing. */
  readonly tunnel: ForwardProxyPlan | undefined;
}

export interface ListenerTlsPlan {
  /** The first is the default for names that none is for, and for clients that send no name. Never empty. */
  readonly certificates: readonly CertificatePlan[];
  /** PEM text of the authorities of client certificates; undefined: none is asked for. */
  readonly clientCa: string | undefined;
  /** Whether a client without a valid certificate is turned away. */
  readonly clientCertificate: 'none' | 'optional' | 'required';
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  /** The value of Strict-Transport-Security; undefined: it is not sent. */
  readonly hsts: string | undefined;
}

export interface CertificatePlan {
  /** Host names that it is for, lower case, `*.example.com` among them; as its subjectAltName says. */
  readonly names: readonly string[];
  /** PEM text of the certificate and its chain, and of its key. */
  readonly cert: string;
  readonly key: string;
}

export interface Http2Plan {
  /** Streams of one connection at once. */
  readonly maxStreams: number;
  /** Bytes that a client may send ahead on one stream. */
  readonly initialWindowBytes: number;
}

/** Tunnels (CONNECT) and requests in absolute-form to where nobody has configured a backend: only what is listed. */
export interface ForwardProxyPlan {
  /** Never empty. */
  readonly allow: readonly TunnelTargetPlan[];
  /** Who may; undefined: whoever can connect. */
  readonly auth: readonly ProxyUserPlan[] | undefined;
  readonly maxTunnels: number;
  readonly connectTimeoutMs: number;
  readonly idleTimeoutMs: number;
}

export interface TunnelTargetPlan {
  /** Lower-case host name, `*.example.com` for its subdomains, an IP address, or a CIDR block. */
  readonly host: string;
  /** Undefined: 443 alone. */
  readonly ports: readonly { readonly from: number; readonly to: number }[];
}

export interface ProxyUserPlan {
  readonly name: string;
  /** SHA-256 (hex) of `name:password`. */
  readonly sha256: string;
}

export interface TcpListenerPlan extends ListenerAddressPlan {
  readonly kind: 'tcp';
  /** Where connections go that no name is for, or without TLS; undefined: such are closed. */
  readonly service: string | undefined;
  /** By the name that the client's TLS hello asks for, which is passed through; empty: the hello is not looked at. */
  readonly sniServices: readonly { readonly name: string; readonly service: string }[];
  readonly proxyProtocol: boolean;
  /** How long a client may take for the PROXY header and the TLS hello. */
  readonly helloTimeoutMs: number;
  /** Longest silence of both sides of a connection. */
  readonly idleTimeoutMs: number;
}

export interface UdpListenerPlan extends ListenerAddressPlan {
  readonly kind: 'udp';
  readonly service: string;
  /** A client is forgotten when neither side has sent anything for so long. */
  readonly idleTimeoutMs: number;
  /** Datagrams that a backend may answer for one of the client's; 0 is no limit. */
  readonly maxAnswers: number;
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
  readonly retryBudget: RetryBudgetPlan;
  /** Undefined: backends are not probed and taken to be healthy. */
  readonly health: HealthPlan | undefined;
  readonly ejection: EjectionPlan | undefined;
  readonly breaker: BreakerPlan | undefined;
  /** How long a backend that came back takes to its full share; 0 is at once. */
  readonly slowStartMs: number;
  /** What happens when no backend is eligible: 503, or every backend that the operator has not taken out is tried. */
  readonly whenNoneEligible: 'reject' | 'all';
  /** Undefined: no limit of its own. */
  readonly concurrency: ConcurrencyPlan | undefined;
  /** The PROXY header that connections to backends start with; undefined: none. Of tcp services only. */
  readonly sendProxyProtocol: 'v1' | 'v2' | undefined;
}

export interface BackendPlan {
  /** `host:port`, as in the config; how a backend is known everywhere. */
  readonly name: string;
  readonly protocol: BackendProtocol;
  /** Host name or IP address without brackets. */
  readonly host: string;
  readonly port: number;
  /** 1 to 1000. */
  readonly weight: number;
}

/** `h2` is HTTP/2 over TLS, `h2c` HTTP/2 in the clear by prior knowledge, `tcp` and `udp` are layer 4. */
export type BackendProtocol = 'http' | 'https' | 'h2' | 'h2c' | 'tcp' | 'udp';

export type BalancePlan =
  | { readonly kind: 'round-robin' }
  | { readonly kind: 'least-pending' }
  | { readonly kind: 'p2c' }
  | { readonly kind: 'random' }
  | {
      readonly kind: 'hash';
      readonly key: HashKeyPlan;
      /** No backend is to hold more than this times its share of what is pending; undefined: keys never move for that. */
      readonly balanceFactor: number | undefined;
    };

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
  /** 0 is off. Event streams and tunnels have none. */
  readonly totalMs: number;
  /** Longest silence of a backend in the middle of an event stream (text/event-stream). */
  readonly eventStreamMs: number;
}

/** How upgraded connections (WebSocket and other tunnels) of a route are treated. */
export interface WebSocketPlan {
  /** Open ones of the route at once; more are refused with 503. */
  readonly maxConnections: number;
  /** Longest silence of both sides. */
  readonly idleMs: number;
  /** How often a WebSocket on which nothing happens is pinged, both ways; 0 is off. */
  readonly pingMs: number;
}

export interface TlsPlan {
  /** PEM text of the authorities to trust instead of the system's. */
  readonly ca: string | undefined;
  readonly serverName: string | undefined;
  readonly verify: boolean;
}

/** The last three are statuses of gRPC answers that hold nothing but a status. */
export type RetryCondition =
  | ('connect-failure' | 'reset' | 'timeout' | '500' | '502' | '503' | '504')
  | ('grpc-unavailable' | 'grpc-resource-exhausted' | 'grpc-deadline-exceeded');

export interface RetryPlan {
  /** Further attempts after the first, of requests of which something was sent. */
  readonly attempts: number;
  /** What is worth another attempt. */
  readonly on: readonly RetryCondition[];
  /** How long one attempt may take until the head of its answer; 0 is off. */
  readonly perTryTimeoutMs: number;
  /** Base of the pause before a second and further retry: a random share of `backoffMs * 2^n`. */
  readonly backoffMs: number;
  readonly maxBodyBytes: number;
  /** POST and PATCH too, when the operator knows that the backends cope. */
  readonly nonIdempotent: boolean;
  readonly hedge: HedgePlan | undefined;
}

/** When a second attempt starts beside a first one that is slow. */
export type HedgePlan =
  /** After a fixed time. */
  | { readonly kind: 'after'; readonly afterMs: number }
  /** After this percentile (50 to 99.9) of the service's recent latencies. */
  | { readonly kind: 'percentile'; readonly percentile: number };

/** How many retries and hedges a service allows beside first attempts, in a window of ten seconds. */
export interface RetryBudgetPlan {
  /** Of the requests of the window. */
  readonly percent: number;
  /** Allowed whatever the percentage comes to. */
  readonly minPerSecond: number;
}

export interface HealthPlan {
  readonly probe: ProbePlan;
  /** From one probe to the next, ± 10 %; 1 s while the verdict is changing, if that is sooner. */
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Good probes in a row that make a backend healthy; the first probe of all decides alone. */
  readonly rise: number;
  readonly fall: number;
}

export type ProbePlan =
  | { readonly type: 'tcp' }
  /** grpc.health.v1.Health/Check; the empty service name is the whole server. */
  | { readonly type: 'grpc'; readonly service: string }
  | {
      readonly type: 'http';
      /** Path and query. */
      readonly path: string;
      /** The Host field; undefined for the backend's own. */
      readonly host: string | undefined;
      readonly headers: Readonly<Record<string, string>>;
      /** Statuses of a good answer, both included. */
      readonly minStatus: number;
      readonly maxStatus: number;
      /** Text that the first 64 KiB of a good answer hold. */
      readonly body: string | undefined;
    };

/** Passive ejection: what live traffic says of a backend (Envoy's outlier detection). */
export interface EjectionPlan {
  /** Failures in a row that eject. */
  readonly consecutiveFailures: number;
  /** Or this share of failures in the window, in percent, of at least `minRequests`. */
  readonly failurePercent: number;
  readonly minRequests: number;
  readonly windowMs: number;
  /** The first ejection; each further one doubles it, up to `maxMs`. */
  readonly baseMs: number;
  readonly maxMs: number;
  /** Most of a service that may be ejected at once, in percent; the last one never is. */
  readonly maxPercent: number;
}

export interface BreakerPlan {
  readonly failurePercent: number;
  readonly minRequests: number;
  readonly windowMs: number;
  readonly openMs: number;
  readonly maxOpenMs: number;
  /** An answer whose head takes longer counts as slow; 0 is off. */
  readonly slowCallMs: number;
  readonly slowPercent: number;
}

/** Requests under way at once, of a service or of a route. */
export interface ConcurrencyPlan {
  readonly max: number;
  /** Requests that may wait for one under way to end. */
  readonly queue: number;
  readonly queueTimeoutMs: number;
  /** Whether the limit follows the latency (from 1 to `max`) instead of standing at `max`. */
  readonly adaptive: boolean;
}

/** Who waits and who is turned away when a concurrency limit is reached. */
export type Priority = 'high' | 'normal' | 'low';

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
  /** The service's, what the route says over it; undefined: no retries. */
  readonly retry: RetryPlan | undefined | 'service';
  readonly concurrency: ConcurrencyPlan | undefined;
  readonly priority: Priority;
  readonly webSocket: WebSocketPlan;
  readonly maxBodyBytes: number;
  readonly requestHeaders: HeaderEditPlan;
  readonly responseHeaders: HeaderEditPlan;
}

export interface HeaderEditPlan {
  /** Replaces every field of that name. */
  readonly set: Readonly<Record<string, string>>;
  readonly remove: readonly string[];
}
