/** What a config says to the control plane itself, with every default filled in; durations in milliseconds. */
export interface ControlPlan {
  /** Undefined: no admin port. */
  readonly admin: AdminPlan | undefined;
  /** Undefined: what is known of backends stays in memory. */
  readonly redis: RedisPlan | undefined;
  readonly drain: DrainPlan;
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
export interface DrainPlan {
  /** How long new requests are still taken after readiness is false, so that balancers before us notice. */
  readonly delayMs: number;
  /** How long requests under way may take to end. */
  readonly timeoutMs: number;
}
