/** What a config says to the control plane itself, with every default filled in; durations in milliseconds. */
export interface ControlPlan {
  /** Undefined: no admin port. */
  readonly admin: AdminPlan | undefined;
  /** Undefined: what is known of backends stays in memory. */
  readonly redis: RedisPlan | undefined;
  readonly drain: DrainPlan;
  readonly log: LogPlan;
  /** Undefined: none is written. */
  readonly accessLog: AccessLogPlan | undefined;
  /** Undefined: no spans are made; a client's traceparent is passed on all the same. */
  readonly tracing: TracingPlan | undefined;
}

export interface AdminPlan {
  /** IP address without brackets. */
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Needed for writes when the address is not loopback. Never shown, never logged. */
  readonly token: string | undefined;
}

export interface RedisPlan {
  /**
   * `redis://` and `rediss://` (TLS) for one server; `redis+sentinel://host:port,host:port/MASTER` and
   * `redis+cluster://host:port,host:port` (and `rediss+…`). May hold a user and a password. Never shown, never logged.
   */
  readonly url: string;
  /** Replicas of one fleet share; others do not: `portway:{fleet}:…`. */
  readonly fleet: string;
}

/** What SIGTERM does. */
interface DrainPlan {
  /** How long new requests are still taken after readiness is false, so that balancers before us notice. */
  readonly delayMs: number;
  /** How long requests under way may take to end. */
  readonly timeoutMs: number;
}

export const LOG_LEVELS = ['error', 'warn', 'info'] as const;

/** What the gateway says of itself. */
export interface LogPlan {
  /** `text`: for people, warnings and errors on stderr; `json`: one object a line, all on stdout. */
  readonly format: 'text' | 'json';
  /** The least that is said. */
  readonly level: (typeof LOG_LEVELS)[number];
}

/** One line a request. */
export interface AccessLogPlan {
  /** `errors`: statuses from 500 on and failures; `sampled`: those, and some of the others. */
  readonly mode: 'errors' | 'sampled' | 'all';
  /** 0 to 1, of what is no error. */
  readonly sampleRatio: number;
  /** Where it goes; undefined: stdout. */
  readonly file: string | undefined;
  /** Request fields to log, in lower case; `*` is all. */
  readonly headers: readonly string[];
  readonly redact: RedactPlan;
}

/** What is kept out of logs and traces, beside credentials, which always are. */
export interface RedactPlan {
  /** Fields, in lower case. */
  readonly headers: readonly string[];
  /** Values of the query: all, none, or those whose names look secret and these, in lower case. */
  readonly query: 'all' | 'none' | readonly string[];
}

export interface TracingPlan {
  /** Where spans are sent, by OTLP over HTTP. */
  readonly url: string;
  /** 0 to 1, of requests whose client has not decided. */
  readonly sampleRatio: number;
  /** Sent with the spans. Never shown, never logged. */
  readonly headers: Readonly<Record<string, string>>;
  readonly serviceName: string;
  readonly redact: RedactPlan;
}
