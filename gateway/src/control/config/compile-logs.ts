import { dirname, resolve } from 'node:path';
import type { AccessLogPlan, LogPlan, RedactPlan, TracingPlan } from '../control-plan.ts';
import { DEFAULTS } from './defaults.ts';
import { parseOtlpUrl } from './otlp-url.ts';
import { checked } from './parsed.ts';
import { parsePercent } from './percent.ts';
import type { Config } from './schema.ts';

/** Fields that hold secrets more often than not. */
const USUALLY_SECRET: readonly string[] = [
  'x-api-key',
  'x-auth-token',
  'x-amz-security-token',
  'x-csrf-token',
  'x-xsrf-token',
];

/** By the names it has elsewhere. */
const STDOUT: ReadonlySet<string> = new Set(['stdout', '-', '/dev/stdout']);

export function compileLog(log: Config['log']): LogPlan {
  return { format: log?.format ?? DEFAULTS.log.format, level: log?.level ?? DEFAULTS.log.level };
}

/** @param configFile what its path starts at */
export function compileAccessLog(log: Config['accessLog'], configFile: string): AccessLogPlan | undefined {
  const mode = accessLogMode(log);
  if (!log || mode === 'off') return undefined;
  const { path = DEFAULTS.accessLog.path, sample = DEFAULTS.accessLog.sample } = log;
  return {
    mode,
    sampleRatio: checked(parsePercent(sample)),
    file: STDOUT.has(path) ? undefined : resolve(dirname(configFile), path),
    headers: lowered(log.headers ?? []),
    redact: compileRedact(log),
  };
}

/** What a block means that says no mode. */
function accessLogMode(log: Config['accessLog']): 'off' | AccessLogPlan['mode'] {
  if (!log) return 'off';
  return log.mode ?? (log.sample === undefined ? DEFAULTS.accessLog.mode : 'sampled');
}

export function compileTracing({ tracing, accessLog }: Config): TracingPlan | undefined {
  if (!tracing || tracing.otlp === '') return undefined;
  return {
    url: checked(parseOtlpUrl(tracing.otlp)).href,
    sampleRatio: checked(parsePercent(tracing.sample ?? DEFAULTS.tracing.sample)),
    headers: tracing.headers ?? {},
    serviceName: tracing.serviceName ?? DEFAULTS.tracing.serviceName,
    redact: compileRedact(accessLog),
  };
}

function compileRedact(log: Config['accessLog']): RedactPlan {
  const { headers = USUALLY_SECRET, query = [] } = (log ? log.redact : undefined) ?? {};
  return {
    headers: lowered(headers),
    query: typeof query === 'boolean' ? (query ? 'all' : 'none') : lowered(query),
  };
}

function lowered(names: readonly string[]): readonly string[] {
  return names.map((name) => name.toLowerCase());
}
