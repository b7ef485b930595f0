import { ALWAYS_TRUE } from '../thresholds.ts';
import type { K6Check, K6Data, K6Metric } from './k6-data.ts';

/** What a run came to, made from k6's summary: the content of the JSON file. Times in milliseconds unless named. */
export interface Report {
  readonly scenario: string;
  /** Whether every threshold held. */
  readonly passed: boolean;
  readonly seconds: number;
  readonly requests: number;
  readonly perSecond: number;
  readonly failed: number;
  /** Iterations that were due and could not start: k6 had no virtual user free. */
  readonly droppedIterations: number;
  readonly iterations: number;
  readonly maxVirtualUsers: number;
  /** Of idempotent requests. */
  readonly latency: Latency | undefined;
  readonly routes: readonly Row[];
  readonly checks: readonly K6Check[];
  readonly thresholds: readonly ThresholdResult[];
  readonly faults: readonly FaultRow[];
  readonly timeline: readonly TimelineRow[];
  readonly chat: Chat | undefined;
}

export interface Latency {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

export interface Row {
  readonly name: string;
  readonly failed: number;
  readonly latency: Latency;
}

interface ThresholdResult {
  readonly metric: string;
  readonly rule: string;
  readonly ok: boolean;
  /** What the rule was about, e.g. `12.5` for `p(95)<200`. */
  readonly value: number | undefined;
}

/** What users saw while a kind of fault was on, its settling time included. */
type FaultRow = Row;

/** One fault at one backend, in seconds since the load started. */
export interface TimelineRow {
  readonly fault: string;
  readonly backend: string;
  readonly startS: number;
  readonly endS: number | undefined;
  /** The gateway had not yet taken it back from the fault before, so that this one was hardly felt. */
  readonly wasOut: boolean;
  /** When the gateway stopped sending requests there; undefined: it did not. */
  readonly noticedS: number | undefined;
  /** When it was seen in the rotation after the end; undefined: not before the next fault or the end. */
  readonly backS: number | undefined;
}

interface Chat {
  readonly sessions: number;
  readonly failed: number;
  readonly echo: Latency | undefined;
  readonly connecting: Latency | undefined;
}

/** Reads k6's summary data. Series that are not there count as nothing. */
export function readReport(scenario: string, data: K6Data): Report {
  const { metrics } = data;
  const thresholds = readThresholds(metrics);
  return {
    scenario,
    passed: thresholds.every(({ ok }) => ok),
    seconds: data.state.testRunDurationMs / 1_000,
    ...readTotals(metrics, data.state.testRunDurationMs / 1_000),
    droppedIterations: numberOf(metrics, 'dropped_iterations', 'count'),
    iterations: numberOf(metrics, 'iterations', 'count'),
    maxVirtualUsers: numberOf(metrics, 'vus_max', 'max'),
    latency: latencyOf(metrics['http_req_duration{idempotent:yes}']),
    routes: readRows(metrics, 'route'),
    checks: data.root_group.checks.map(({ name, passes, fails }) => ({ name, passes, fails })),
    thresholds,
    faults: readRows(metrics, 'fault'),
    timeline: readTimeline(metrics),
    chat: readChat(metrics),
  };
}

type Metrics = K6Data['metrics'];

/** Of the load only: not of the setup's requests and the chaos director's. */
function readTotals(metrics: Metrics, seconds: number): Pick<Report, 'requests' | 'perSecond' | 'failed'> {
  const series = ['http_req_failed{idempotent:yes}', 'http_req_failed{idempotent:no}'];
  const sum = (value: string) => series.reduce((total, name) => total + numberOf(metrics, name, value), 0);
  const failed = sum('passes');
  const requests = failed + sum('fails');
  return { requests, perSecond: requests / seconds, failed };
}

function numberOf(metrics: Metrics, name: string, value: string): number {
  return metrics[name]?.values[value] ?? 0;
}

/** Undefined for a series without samples: its zeros would read as a very fast answer. */
function latencyOf(metric: K6Metric | undefined): Latency | undefined {
  const at = (name: string) => metric?.values[name] ?? 0;
  if (at('count') === 0) return undefined;
  return { count: at('count'), p50: at('med'), p95: at('p(95)'), p99: at('p(99)'), max: at('max') };
}

/** `{idempotent:yes,fault:kill}` of a series' name, as a map. */
function tagsOf(series: string): ReadonlyMap<string, string> {
  const [, inside = ''] = /\{(.*)\}$/.exec(series) ?? [];
  const pairs = inside.split(',').map((pair) => {
    const colon = pair.indexOf(':');
    return [pair.slice(0, colon), pair.slice(colon + 1)] as const;
  });
  return new Map(pairs);
}

function readRows(metrics: Metrics, tag: 'route' | 'fault'): Row[] {
  return Object.entries(metrics)
    .flatMap(([series, metric]) => {
      const name = series.startsWith('http_req_duration{') ? tagsOf(series).get(tag) : undefined;
      const latency = latencyOf(metric);
      if (name === undefined || latency === undefined) return [];
      const failures = metrics[series.replace('http_req_duration', 'http_req_failed')];
      return [{ name, failed: failures?.values['passes'] ?? 0, latency }];
    })
    .sort((a, b) => a.name.localeCompare(b.name));
}

function readThresholds(metrics: Metrics): ThresholdResult[] {
  return Object.entries(metrics)
    .flatMap(([metric, { values, thresholds = {} }]) =>
      Object.entries(thresholds)
        .filter(([rule]) => !ALWAYS_TRUE.has(rule))
        .map(([rule, { ok }]) => ({ metric, rule, ok, value: values[rule.split(/[<>=!]/)[0] ?? ''] })),
    )
    .sort((a, b) => `${a.metric} ${a.rule}`.localeCompare(`${b.metric} ${b.rule}`));
}

function readTimeline(metrics: Metrics): TimelineRow[] {
  const rows = Object.entries(metrics).flatMap(([series, { values }]) => {
    if (!series.startsWith('chaos_fault_start{') || !values['count']) return [];
    const tags = tagsOf(series);
    const other = (name: string) => {
      const found = metrics[series.replace('chaos_fault_start', name)]?.values;
      return found?.['count'] ? found['min'] : undefined;
    };
    return [
      {
        fault: tags.get('fault') ?? '',
        backend: tags.get('backend') ?? '',
        startS: values['min'] ?? 0,
        endS: other('chaos_fault_end'),
        wasOut: other('chaos_out_already') !== undefined,
        noticedS: other('chaos_noticed'),
        backS: other('chaos_back'),
      },
    ];
  });
  return rows.sort((a, b) => a.startS - b.startS || a.backend.localeCompare(b.backend));
}

function readChat(metrics: Metrics): Chat | undefined {
  const sessions = metrics['chat_sessions_failed']?.values;
  if (sessions === undefined) return undefined;
  const { passes = 0, fails = 0 } = sessions;
  return {
    sessions: passes + fails,
    failed: passes,
    echo: latencyOf(metrics['chat_echo']),
    connecting: latencyOf(metrics['ws_connecting']),
  };
}
