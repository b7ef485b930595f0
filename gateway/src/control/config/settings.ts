import type { Draft } from './draft.ts';
import { checked } from './parsed.ts';
import { parseDuration } from './quantities.ts';
import type { DefaultsConfig } from './schema-service.ts';

/** How a service is used: its keys without `backends`, or those of `defaults`. */
export type Settings = Draft<DefaultsConfig>;

/** A service's settings over the defaults: blocks field by field, `false` and everything else as a whole. */
export function effectiveSettings(own: Settings, defaults: Settings): Settings {
  return {
    ...defaults,
    ...own,
    sticky: merged(own.sticky, defaults.sticky),
    health: merged(own.health, defaults.health),
    ejection: merged(own.ejection, defaults.ejection),
    breaker: merged(own.breaker, defaults.breaker),
    retry: merged(own.retry, defaults.retry),
    pool: merged(own.pool, defaults.pool) || undefined,
    timeouts: merged(own.timeouts, defaults.timeouts) || undefined,
    tls: merged(own.tls, defaults.tls) || undefined,
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

/** Milliseconds of a duration that was checked before; 0 is itself. */
export function toMs(value: string | number): number {
  return typeof value === 'number' ? value : checked(parseDuration(value));
}
