/** k6's options that all scenarios share. */
import type { Options, RampingArrivalRateScenario } from 'k6/options';
import { type ScenarioName, type Thresholds, thresholdsOf } from '../thresholds.ts';
import type { Env } from './environment.ts';
import { type ShapeName, shapeOf } from './shapes.ts';

type Scenarios = NonNullable<Options['scenarios']>;

/** Without `url`, which would make a series of every item and file; `vu` likewise. Without `group` the summary lacks the checks. */
const SYSTEM_TAGS = [
  'scenario',
  'name',
  'method',
  'status',
  'error_code',
  'expected_response',
  'check',
  'group',
];

/** As many virtual users as requests of this mean latency (in seconds) keep busy. Each costs k6 some MB. */
const EXPECTED_S = 0.5;
const MOST_EXPECTED = 300;
/** More are made while the latency is higher, up to this one; a request that is due meanwhile may be dropped. */
const HIGHEST_S = 1;

/** Options of a scenario that runs `scenarios`. */
export function sharedOptions(name: ScenarioName, scenarios: Scenarios, thresholds: Thresholds): Options {
  return {
    scenarios,
    thresholds: { ...thresholds },
    systemTags: SYSTEM_TAGS,
    tags: { test: name },
    summaryTrendStats: ['count', 'avg', 'min', 'med', 'p(50)', 'p(95)', 'p(99)', 'max'],
    userAgent: 'portway-load-tests',
    setupTimeout: '90s',
  };
}

/** Options of a scenario whose rate follows a shape; the requests are the exported function `traffic`. */
export function shapedOptions(name: ShapeName, env: Env): Options {
  const shape = shapeOf(name, env);
  const traffic: RampingArrivalRateScenario = {
    executor: 'ramping-arrival-rate',
    exec: 'traffic',
    startRate: shape.startRate,
    timeUnit: '1s',
    stages: shape.stages.map(({ seconds, rate }) => ({ duration: duration(seconds), target: rate })),
    ...virtualUsers(shape.rate),
  };
  return sharedOptions(name, { traffic }, thresholdsOf(name));
}

/** The virtual users that an arrival rate (per second) needs. */
function virtualUsers(rate: number): { readonly preAllocatedVUs: number; readonly maxVUs: number } {
  return {
    preAllocatedVUs: Math.min(MOST_EXPECTED, Math.max(10, Math.ceil(rate * EXPECTED_S))),
    maxVUs: Math.max(50, Math.ceil(rate * HIGHEST_S)),
  };
}

/** k6's notation; it takes no fraction of a millisecond. */
export function duration(seconds: number): string {
  return `${Math.round(seconds * 1_000)}ms`;
}
