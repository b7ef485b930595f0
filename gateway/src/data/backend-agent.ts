import type { FailureCode } from '../errors.ts';
import type { Exchange } from './exchange.ts';
import type { PoolPlan, TimeoutsPlan, TlsPlan } from './plan.ts';

export interface AgentCounters {
  connects: number;
  connectFailures: number;
  reuses: number;
  /** By reason. */
  readonly closed: Map<string, number>;
}

/** Connections of one agent, and requests that wait for one. */
export interface AgentStats {
  readonly active: number;
  readonly idle: number;
  readonly connecting: number;
  readonly queued: number;
}

/** The pool of connections to one backend, whatever is spoken on them. */
export interface BackendAgent {
  readonly counters: AgentCounters;
  readonly stats: AgentStats;
  readonly maxConnections: number;
  /**
   * Sends `exchange` on a connection now, or as soon as there is one for it.
   * @param fresh only on a connection that has served nothing yet
   * Returns 'queue_full' when it cannot even wait.
   */
  take(exchange: Exchange, fresh: boolean): FailureCode | undefined;
  /** Takes `exchange` out of the queue; its client left. */
  cancel(exchange: Exchange): void;
  /** Takes over new settings; connections that would be made otherwise now serve no further request. */
  update(plan: PoolPlan, timeouts: TimeoutsPlan, tls: TlsPlan): void;
  /** Closes connections to addresses that the backend's name no longer has: idle ones now, the others after use. */
  addressesChanged(host: string, addresses: readonly string[]): void;
  closeIdle(): void;
  /** Ends every connection, whatever it carries. */
  destroy(): void;
}
