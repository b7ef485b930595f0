import type { Series } from '../promql.ts';

/** A series of a rule test and its samples, at equal intervals. */
export interface SampleSeries {
  readonly series: string;
  /** In promtool's notation: `1x8 0x40` is nine ones, then 41 zeros. */
  readonly values: string;
}

/** Samples: two hours of them at one a minute, half an hour at one every 15 s. */
const LONG = 120;

type Labels = Readonly<Record<string, string>>;

/** Throws when a label is missing or none of the metric's, for a test of series that nobody makes proves nothing. */
export function at(series: Series, labels: Labels, values: string, suffix = ''): SampleSeries {
  const own = suffix === '_bucket' ? [...series.labels, 'le'] : series.labels;
  const missing = own.filter((label) => labels[label] === undefined);
  const unknown = Object.keys(labels).filter((label) => ![...own, 'job', 'instance'].includes(label));
  if (missing.length + unknown.length > 0) {
    throw new Error(`a sample of ${series.name} lacks [${missing}] and has [${unknown}] too many`);
  }
  const pairs = Object.entries(labels).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  return { series: `${series.name}${suffix}{${pairs.join(', ')}}`, values };
}

/** The same value throughout. */
export function steady(series: Series, labels: Labels, value: number): SampleSeries {
  return at(series, labels, `${value}x${LONG}`);
}

/** A counter that grows by so much at each sample. */
export function ramp(series: Series, labels: Labels, by: number, suffix = ''): SampleSeries {
  return at(series, labels, `0+${by}x${LONG}`, suffix);
}
