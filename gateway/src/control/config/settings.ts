import type { Draft } from './draft.ts';
import { checked } from './parsed.ts';
import { parseDuration } from './quantities.ts';
import type { RouteConfig } from './schema-route.ts';
import type { DefaultsConfig } from './schema-service.ts';

/** How a service is used: its keys without `backends`, or those of `defaults`. */
export type Settings = Draft<DefaultsConfig>;

/** A service's settings over the defaults: blocks field by field, `false` and everything else as a whole. */
export function effectiveSettings(own: Settings, defaults: Settings): Settings {
  return {
    ...defaults,
    ...own,
    sticky: merged(own.sticky, defaults.sticky),
    health: mergedHealth(own.health, defaults.health),
    ejection: merged(own.ejection, defaults.ejection),
    breaker: merged(own.breaker, defaults.breaker),
    retry: merged(own.retry, defaults.retry),
    concurrency: merged(own.concurrency, defaults.concurrency),
    pool: merged(own.pool, defaults.pool) || undefined,
    timeouts: merged(own.timeouts, defaults.timeouts) || undefined,
    tls: merged(own.tls, defaults.tls) || undefined,
  };
}

/** What a route says of timeouts, retries and WebSockets, over the effective settings of its service. */
export function effectiveRoute(
  own: Pick<Draft<RouteConfig>, 'timeouts' | 'retry' | 'webSocket'>,
  service: Settings,
): Pick<Settings, 'timeouts' | 'retry' | 'webSocket'> {
  return {
    timeouts: merged(own.timeouts, service.timeouts) || undefined,
    retry: merged(own.retry, service.retry),
    webSocket: merged(own.webSocket, service.webSocket) || undefined,
  };
}

function merged<T extends object>(
  own: T | false | undefined,
  base: T | false | undefined,
): T | false | undefined {
  if (own === undefined) return base;
  if (own === false || base === false || base === undefined) return own;
  return { ...base, ...own };
}

type HealthSettings = Exclude<NonNullable<Settings['health']>, false>;

/** What only an http probe has, and what only a grpc probe has. */
export const PROBE_KEYS = {
  tcp: [],
  http: ['path', 'status', 'headers', 'host', 'body'],
  grpc: ['service'],
} as const;

export type ProbeType = keyof typeof PROBE_KEYS;

/** Which kind of probe a `health` block asks for; undefined when it says nothing of that. */
export function probeType(health: HealthSettings): ProbeType | undefined {
  if (health.type !== undefined) return health.type;
  if (PROBE_KEYS.http.some((key) => health[key] !== undefined)) return 'http';
  return health.service === undefined ? undefined : 'grpc';
}

/** What every kind of probe has: when, and how often. */
export function probeTiming(health: HealthSettings): HealthSettings {
  const { type, path, status, headers, host, body, service, ...timing } = health;
  return timing;
}

/** As other blocks, but a service that asks for another kind of probe does not inherit what is for this one. */
function mergedHealth(own: Settings['health'], base: Settings['health']): Settings['health'] {
  if (!own || !base) return merged(own, base);
  const wanted = probeType(own);
  const type = wanted ?? probeType(base);
  const inherited = wanted === undefined || wanted === probeType(base) ? base : probeTiming(base);
  return { ...inherited, ...own, type };
}

/** Milliseconds of a duration that was checked before; 0 is itself. */
export function toMs(value: string | number): number {
  return typeof value === 'number' ? value : checked(parseDuration(value));
}
