import type { MetricDefinition } from '../../gateway/src/control/metrics/definitions.ts';

/** A series that queries may name: a metric of the gateway, or one that somebody else makes. */
export type Series = Pick<MetricDefinition, 'name' | 'labels' | 'type'>;

/** What Prometheus calls its scrape of the gateway (prometheus.yml). */
export const JOB = 'gateway';

/** Grafana's: at least four scrapes, so that a rate never has fewer than two samples. */
const RATE_INTERVAL = '$__rate_interval';

/** Labels that Prometheus adds to what it scrapes. */
const TARGET_LABELS: readonly string[] = ['job', 'instance'];

/**
 * A selector of one metric, its matchers written as in PromQL: `code=~"5.."`. Throws for a label that it does not have, so
 * that what renames a label breaks the generator and not a panel.
 */
export function select(series: Series, ...matchers: readonly string[]): string {
  return selector(series, '', [], matchers);
}

/** The buckets of a histogram. */
export function buckets(series: Series, ...matchers: readonly string[]): string {
  return selector(histogram(series), '_bucket', ['le'], matchers);
}

/** How many observations a histogram has seen. */
export function observations(series: Series, ...matchers: readonly string[]): string {
  return selector(histogram(series), '_count', [], matchers);
}

export function rate(selected: string, window = RATE_INTERVAL): string {
  return `rate(${selected}[${window}])`;
}

export function increase(selected: string, window = RATE_INTERVAL): string {
  return `increase(${selected}[${window}])`;
}

type Aggregation = 'sum' | 'min' | 'max' | 'count';

export function aggregate(how: Aggregation, by: readonly string[], expr: string): string {
  return by.length === 0 ? `${how}(${expr})` : `${how} by (${by.join(', ')}) (${expr})`;
}

export function sum(by: readonly string[], expr: string): string {
  return aggregate('sum', by, expr);
}

/** `part` of `whole`, both of the same labels; nothing where there is no whole. */
export function ratio(part: string, whole: string): string {
  return `${part} / (${whole} > 0)`;
}

/** The same, and 0 where there is a whole and no part: of counters that begin with what they count first. */
export function share(part: string, whole: string): string {
  return ratio(`(${part} or 0 * ${whole})`, whole);
}

/** Seconds that `percent` of the observations stay under. */
export function percentile(percent: number, by: readonly string[], selected: string): string {
  return `histogram_quantile(${percent / 100}, ${sum(['le', ...by], rate(selected))})`;
}

/** 0 where nothing matches, for what is nothing when all is well. */
export function orZero(expr: string): string {
  return `${expr} or vector(0)`;
}

function selector(
  series: Series,
  suffix: string,
  extraLabels: readonly string[],
  matchers: readonly string[],
): string {
  for (const matcher of matchers) {
    const label = /^(\w+)(=~|!~|=|!=)"/.exec(matcher)?.[1] ?? matcher;
    if (![...series.labels, ...extraLabels, ...TARGET_LABELS].includes(label)) {
      throw new Error(`${series.name} has no label ${label}`);
    }
  }
  const inner = matchers.join(', ');
  return inner === '' ? `${series.name}${suffix}` : `${series.name}${suffix}{${inner}}`;
}

function histogram(series: Series): Series {
  if (series.type !== 'histogram') throw new Error(`${series.name} is no histogram`);
  return series;
}
