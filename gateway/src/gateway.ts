import { DataPlane } from './data/data-plane.ts';
import type { Observer } from './data/forward.ts';
import type { Plan } from './data/plan.ts';
import type { Lookup } from './data/resolver.ts';
import { type Clock, type Random, systemClock } from './time.ts';

/** How long requests under way may take to end once the gateway stops. */
const DRAIN_MS = 25_000;

export interface GatewayOptions {
  readonly clock?: Clock;
  readonly random?: Random;
  readonly observer?: Observer;
  readonly lookup?: Lookup;
}

export interface Gateway {
  readonly data: DataPlane;
  /** Base URLs of the listeners, with the ports really in use. */
  readonly urls: readonly string[];
  /** Finishes what is under way, then closes everything. */
  stop(deadlineMs?: number): Promise<void>;
}

const silent: Observer = { exchangeEnded() {} };

/**
 * Starts a gateway; the one place that puts its parts together. Rejects, with nothing left open, when an address cannot be
 * listened on.
 */
export async function createGateway(plan: Plan, options: GatewayOptions = {}): Promise<Gateway> {
  const { clock = systemClock, random = Math.random, observer = silent, lookup } = options;
  const data = new DataPlane(plan, { clock, random, observer, ...(lookup === undefined ? {} : { lookup }) });
  await data.start();
  return {
    data,
    urls: data.listeners.map(
      ({ plan: { host }, port }) => `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    ),
    stop: (deadlineMs = DRAIN_MS) => data.drain(deadlineMs),
  };
}
