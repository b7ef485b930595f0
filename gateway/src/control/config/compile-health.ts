import type { BreakerPlan, EjectionPlan, HealthPlan, ProbePlan } from '../../data/plan.ts';
import { DEFAULTS } from './defaults.ts';
import { checked } from './parsed.ts';
import type { Settings } from './settings.ts';
import { probeType, toMs } from './settings.ts';
import { parseStatusRange } from './status-range.ts';

type On<Key extends 'health' | 'ejection' | 'breaker'> = Exclude<NonNullable<Settings[Key]>, false>;

/** Left out, probes only connect: asking for `/` would take out backends that have nothing there. */
export function compileHealth(health: Settings['health']): HealthPlan | undefined {
  if (health === false) return undefined;
  const own = health ?? {};
  const preset = DEFAULTS.health;
  return {
    probe: compileProbe(own),
    intervalMs: toMs(own.interval ?? preset.interval),
    timeoutMs: toMs(own.timeout ?? preset.timeout),
    rise: own.rise ?? preset.rise,
    fall: own.fall ?? preset.fall,
  };
}

function compileProbe(health: On<'health'>): ProbePlan {
  switch (probeType(health)) {
    case 'http':
      return compileHttpProbe(health);
    case 'grpc':
      return { type: 'grpc', service: health.service ?? '' };
    default:
      return { type: 'tcp' };
  }
}

function compileHttpProbe(health: On<'health'>): ProbePlan {
  const headers = Object.entries(health.headers ?? {}).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return {
    type: 'http',
    path: health.path ?? DEFAULTS.health.path,
    host: health.host,
    headers: Object.fromEntries(headers),
    ...checked(parseStatusRange(String(health.status ?? DEFAULTS.health.status))),
    body: health.body,
  };
}

/** On by default; false is none. */
export function compileEjection(ejection: Settings['ejection']): EjectionPlan | undefined {
  if (ejection === false) return undefined;
  const own: On<'ejection'> = ejection ?? {};
  const preset = DEFAULTS.ejection;
  return {
    consecutiveFailures: own.consecutiveFailures ?? preset.consecutiveFailures,
    failurePercent: own.failurePercent ?? preset.failurePercent,
    minRequests: own.minRequests ?? preset.minRequests,
    windowMs: toMs(own.window ?? preset.window),
    baseMs: toMs(own.baseTime ?? preset.baseTime),
    maxMs: toMs(own.maxTime ?? preset.maxTime),
    maxPercent: own.maxPercent ?? preset.maxPercent,
  };
}

/** On by default; false is none. Slow answers count only with `slowCall`. */
export function compileBreaker(breaker: Settings['breaker']): BreakerPlan | undefined {
  if (breaker === false) return undefined;
  const own: On<'breaker'> = breaker ?? {};
  const preset = DEFAULTS.breaker;
  return {
    failurePercent: own.failurePercent ?? preset.failurePercent,
    minRequests: own.minRequests ?? preset.minRequests,
    windowMs: toMs(own.window ?? preset.window),
    openMs: toMs(own.openTime ?? preset.openTime),
    maxOpenMs: toMs(own.maxOpenTime ?? preset.maxOpenTime),
    slowCallMs: toMs(own.slowCall ?? 0),
    slowPercent: own.slowPercent ?? preset.slowPercent,
  };
}

/** The ramp of a backend that came back, in milliseconds; 0 is none. */
export function compileSlowStart(slowStart: Settings['slowStart']): number {
  return slowStart === false ? 0 : toMs(slowStart ?? DEFAULTS.slowStart);
}
