import type { Clock, Random, TimerWheel } from '../time.ts';
import type { FailureCounters } from './counters.ts';
import type { Forward } from './forward.ts';
import { HttpListener } from './http-listener.ts';
import type { ListenerPlan } from './plan.ts';
import type { ReadBuffers } from './read-buffers.ts';
import type { RequestIds } from './request-id.ts';
import type { Route } from './route.ts';
import type { Service, ServiceContext } from './service.ts';
import type { OpenTunnels } from './tunnel/open-tunnels.ts';

/** Accepts clients on one address. */
export interface Listener {
  readonly plan: ListenerPlan;
  /** Host and port in use. */
  readonly address: string;
  readonly port: number;
  /** Clients there are now. */
  readonly connections: number;
  /** Routes that are the listener's own and not the plan's: what a TCP or UDP listener serves, say. */
  readonly ownRoutes: readonly Route[];
  /** Resolves when listening; rejects with the system's error, e.g. EADDRINUSE. */
  listen(): Promise<void>;
  /** Gives the address up, at once; connections stay, and `listen` may take it again. */
  stopListening(): void;
  /** Takes over new settings of the same kind and address. */
  update(plan: ListenerPlan): void;
  /** The services of a new plan are in force. */
  servicesChanged(): void;
  /** Accepts no more, closes idle connections, and resolves when the last client is served. */
  drain(): Promise<void>;
  /** Ends every connection now. */
  destroy(): void;
}

export interface ListenerDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: RequestIds;
  readonly wheel: TimerWheel;
  readonly buffers: ReadBuffers;
  readonly counters: FailureCounters;
  readonly line: Forward;
  readonly tunnels: OpenTunnels;
  /** For routes and services of a listener's own. */
  readonly services: ServiceContext;
  /** By the plan in force. */
  readonly serviceNamed: (name: string) => Service | undefined;
}

/** @throws Error for a kind that is not there yet */
export function createListener(deps: ListenerDeps, plan: ListenerPlan): Listener {
  switch (plan.kind) {
    case 'http':
      return new HttpListener(deps, plan);
    case 'tcp':
    case 'udp':
      throw new Error(`no ${plan.kind} listeners yet`);
  }
}

/** Whether a listener of `plan` may go on as one of `other`. */
export function isSameListener(plan: ListenerPlan, other: ListenerPlan): boolean {
  return plan.kind === other.kind && plan.host === other.host && plan.port === other.port;
}
