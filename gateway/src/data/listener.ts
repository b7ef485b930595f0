import type { Clock, Random, TimerWheel } from '../time.ts';
import type { FailureCounters } from './counters.ts';
import type { Forward } from './forward.ts';
import type { ProxyingContext } from './forward-proxy/forward-proxy.ts';
import { HttpListener } from './http-listener.ts';
import { TcpListener } from './layer4/tcp-listener.ts';
import { UdpListener } from './layer4/udp-listener.ts';
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
  readonly proxying: ProxyingContext;
  /** 48 secret bytes that session tickets are sealed with: the same for all that are to resume each other's sessions. */
  readonly ticketKeys: Buffer;
}

export function createListener(deps: ListenerDeps, plan: ListenerPlan): Listener {
  switch (plan.kind) {
    case 'http':
      return new HttpListener(deps, plan);
    case 'tcp':
      return new TcpListener(deps, plan);
    case 'udp':
      return new UdpListener(deps, plan);
  }
}

/** Whether a listener of `plan` may go on as one of `other`. */
export function isSameListener(plan: ListenerPlan, other: ListenerPlan): boolean {
  return plan.kind === other.kind && plan.host === other.host && plan.port === other.port;
}
