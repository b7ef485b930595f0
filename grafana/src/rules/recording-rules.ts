import { METRICS } from '../../../gateway/src/control/metrics/definitions.ts';
import { SLOW_SECONDS, WINDOWS } from '../objectives.ts';
import { buckets, observations, rate, ratio, type Series, select, sum } from '../promql.ts';
import type { RecordingRule } from './rule-file.ts';

export const RECORDING_GROUP = 'portway-recording';

/** Share of requests that ended in a 5xx, of those whose client stayed, by service. */
export function errorRatio(window: string): Series {
  return recorded(`service:portway_request_errors:ratio_rate${window}`);
}

/** Share of requests that took longer than `SLOW_SECONDS`, by service. */
export function slowRatio(window: string): Series {
  return recorded(`service:portway_slow_requests:ratio_rate${window}`);
}

/** For each of `WINDOWS`, so that alerts and panels need not read six hours of every series each time they are asked. */
export const RECORDING_RULES: readonly RecordingRule[] = WINDOWS.flatMap((window) => [
  {
    record: errorRatio(window).name,
    expr: errors(window),
    help: `Share of requests that ended in a 5xx, in ${window}; requests whose client left count neither way.`,
    labels: ['service'],
  },
  {
    record: slowRatio(window).name,
    expr: slow(window),
    help: `Share of requests that took longer than ${SLOW_SECONDS} s, in ${window}.`,
    labels: ['service'],
  },
]);

function errors(window: string): string {
  const requests = (matcher: string): string =>
    sum(['service'], rate(select(METRICS.requests, matcher), window));
  return ratio(requests('code=~"5.."'), requests('code!="499"'));
}

function slow(window: string): string {
  const all = sum(['service'], rate(observations(METRICS.requestDuration), window));
  const quick = sum(['service'], rate(buckets(METRICS.requestDuration, `le="${SLOW_SECONDS}"`), window));
  return `1 - ${ratio(quick, all)}`;
}

function recorded(name: string): Series {
  return { name, type: 'gauge', labels: ['service'] };
}
