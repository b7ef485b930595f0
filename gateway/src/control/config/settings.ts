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

/** What a route says of timeouts and retries, over the effective settings of its service. */
export function effectiveRoute(
  own: Pick<Draft<RouteConfig>, 'timeouts' | 'retry'>,
  service: Settings,
): Pick<Settings, 'timeouts' | 'retry'> {
  return {
    timeouts: merged(own.timeouts, service.timeouts) || undefined,
    retry: merged(own.retry, service.retry),
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

/** What only an http probe has. */
export const HTTP_PROBE_KEYS = ['path', 'status', 'headers', 'host', 'body'] as const;

/** Which kind of probe a `health` block asks for; undefined when it says nothing of that. */
export function probeType(health: HealthSettings): 'http' | 'tcp' | undefined {
  if (health.type !== undefined) return health.type;
  return HTTP_PROBE_KEYS.some((key) => health[key] !== undefined) ? 'http' : undefined;
}

/** As other blocks, but a service that asks for the other kind of probe does not inherit what is for this one. */
function mergedHealth(own: Settings['health'], base: Settings['health']): Settings['health'] {
  if (!own || !base) return merged(own, base);
  const type = probeType(own) ?? probeType(base);
  const { path, status, headers, host, body, ...timing } = base;
  return type === 'tcp' ? { ...timing, ...own, type } : { ...base, ...own, type };
}

/** Milliseconds of a duration that was checked before; 0 is itself. */
export function toMs(value: string | number): number {
  return typeof value === 'number' ? value : checked(parseDuration(value));
}
