import { METRICS, type MetricDefinition } from '../../../gateway/src/control/metrics/definitions.ts';
import { LATENCY_BUCKETS_MS } from '../../../gateway/src/data/counters.ts';
import { K6, PROCESS, PROMETHEUS } from '../../src/other-series.ts';
import type { Series } from '../../src/promql.ts';
import { ALERT_RULES } from '../../src/rules/alert-rules.ts';
import { RECORDING_RULES } from '../../src/rules/recording-rules.ts';

/** When the history ends, in seconds since 1970: a whole hour, some time ago. */
export const END_SECONDS = 1_767_247_200;
const STEP_SECONDS = 15;
const SAMPLES = 240;

type Labels = Readonly<Record<string, string>>;

/** Labels that come together. `db` is down, `web` is well. */
const PLACES: readonly Labels[] = [
  { route: '/db', service: 'db', backend: '10.0.0.1:3001' },
  { route: '/db', service: 'db', backend: '10.0.0.2:3001' },
  { route: '/', service: 'web', backend: '10.0.0.3:3000' },
];

/** What else a label says; a metric's own words go before those of all. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  [`${METRICS.upstreamRequests.name} code`]: ['200', '503', 'connect_refused'],
  code: ['101', '200', '404', '499', '503'],
  method: ['GET'],
  state: ['active', 'idle', 'connecting'],
  [`${METRICS.configReloads.name} result`]: ['succeeded', 'failed', 'unchanged'],
  [`${METRICS.healthChecks.name} result`]: ['success', 'failure', 'timeout'],
  [`${METRICS.poolConnects.name} result`]: ['ok', 'failed'],
  [`${METRICS.retries.name} reason`]: ['reset'],
  [`${METRICS.rejectedRequests.name} reason`]: ['queue_full', 'no_route'],
  [`${METRICS.poolClosed.name} reason`]: ['idle'],
  [`${METRICS.tunnelsEnded.name} reason`]: ['client', 'idle'],
  direction: ['in', 'out'],
  name: ['www.example.com'],
  outcome: ['retried', 'budget'],
  to: ['closed', 'half-open', 'open'],
  listener: ['0.0.0.0:8080'],
  version: ['0.1.0'],
  node: ['26.10.0'],
  kind: ['minor'],
  by: ['admin', 'health', 'ejection', 'breaker'],
  scenario: ['load'],
  fault: ['none', 'kill'],
  status: ['200'],
  expected_response: ['true', 'false'],
  check: ['status is 200'],
  alertname: [ALERT_RULES[0]?.alert ?? ''],
  severity: ['critical'],
  alertstate: ['firing'],
  [`${PROMETHEUS.alerts.name} reason`]: ['queue_full'],
  [`${PROMETHEUS.alertsSince.name} reason`]: ['queue_full'],
};

/** How a gauge goes, where it is not plainly 3; `tick` counts samples. */
const GAUGES: Readonly<Record<string, (labels: Labels, tick: number) => number>> = {
  [METRICS.backendEligible.name]: ({ service }) => (service === 'db' ? 0 : 1),
  [METRICS.backendExcluded.name]: ({ service, by }) => (service === 'db' && by === 'breaker' ? 1 : 0),
  [METRICS.serviceFailOpen.name]: ({ service }) => (service === 'web' ? 1 : 0),
  [METRICS.configLastReloadSuccessful.name]: () => 0,
  [METRICS.backendHealthy.name]: ({ service }) => (service === 'db' ? 0 : 1),
  // flips at the very end, where annotations look
  [METRICS.breakerState.name]: ({ service }, tick) => (service === 'db' && tick >= SAMPLES - 1 ? 2 : 0),
  [METRICS.redisUp.name]: () => 0,
  [METRICS.certificateExpiry.name]: () => END_SECONDS + 86_400,
  [METRICS.fleetReplicas.name]: (_, tick) => (tick < SAMPLES / 2 ? 3 : 2),
  [PROMETHEUS.up.name]: () => 0,
  [PROMETHEUS.alertsSince.name]: () => END_SECONDS - 600,
};

/** An hour in which everything went wrong that there is an alert for, so that no query has a reason to be empty. */
export function syntheticHistory(): string {
  const recorded = RECORDING_RULES.map(
    ({ record, labels }): Series => ({ name: record, type: 'gauge', labels }),
  );
  const all: Series[] = [METRICS, PROCESS, K6, PROMETHEUS].flatMap((family) => Object.values<Series>(family));
  return `${[...all, ...recorded].flatMap(seriesLines).join('\n')}\n# EOF\n`;
}

function seriesLines(series: Series): string[] {
  return labelSets(series).flatMap((labels) =>
    series.type === 'histogram'
      ? histogramLines(series, labels)
      : sampleLines(series.name, labels, (tick) => valueAt(series, labels, tick)),
  );
}

function valueAt({ name, type }: Series, labels: Labels, tick: number): number {
  return type === 'counter' ? tick * 10 : (GAUGES[name]?.(labels, tick) ?? 3);
}

/** A quarter of the observations are slower than any bound. */
function histogramLines({ name }: Series, labels: Labels): string[] {
  const bounds = [...LATENCY_BUCKETS_MS.map((ms) => `${ms / 1_000}`), '+Inf'];
  const buckets = bounds.flatMap((le, index) =>
    sampleLines(`${name}_bucket`, { ...labels, le }, (tick) =>
      le === '+Inf' ? tick * 40 : tick * Math.min(30, 10 * index),
    ),
  );
  return [
    ...buckets,
    ...sampleLines(`${name}_count`, labels, (tick) => tick * 40),
    ...sampleLines(`${name}_sum`, labels, (tick) => tick),
  ];
}

function sampleLines(name: string, labels: Labels, sampleAt: (tick: number) => number): string[] {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  const start = END_SECONDS - (SAMPLES - 1) * STEP_SECONDS;
  return Array.from(
    { length: SAMPLES },
    (_, tick) => `${name}{${pairs.join(',')}} ${sampleAt(tick)} ${start + tick * STEP_SECONDS}`,
  );
}

/** Every combination of the label values of a series, but the places only as they are. */
function labelSets({ name, labels }: Pick<MetricDefinition, 'name' | 'labels'>): Labels[] {
  const target = { instance: 'gateway:9901', job: 'gateway' };
  const isPlace = (label: string): boolean => label in (PLACES[0] ?? {});
  const places = PLACES.map((place) =>
    Object.fromEntries(labels.filter(isPlace).map((label) => [label, place[label] ?? ''])),
  );
  let sets: Labels[] = [...new Map(places.map((place) => [JSON.stringify(place), place])).values()];
  for (const label of labels.filter((each) => !isPlace(each))) {
    const values = VALUES[`${name} ${label}`] ?? VALUES[label];
    if (values === undefined) throw new Error(`no value for ${label} of ${name}: add one to VALUES`);
    sets = sets.flatMap((set) => values.map((value) => ({ ...set, [label]: value })));
  }
  return sets.map((set) => ({ ...set, ...target }));
}
