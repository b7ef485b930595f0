import { METRICS } from '../../../gateway/src/control/metrics/definitions.ts';
import { PROMETHEUS } from '../other-series.ts';
import { orZero, rate, ratio, type Series, select, share, sum } from '../promql.ts';

/** What several dashboards ask in the same words. */

/** Of all replicas, by status class: `2xx` and so on, `client left` for 499, and `failed` where there was no answer. */
export function byStatusClass(series: Series, ...matchers: readonly string[]): string {
  const failed = `label_replace(${rate(select(series, ...matchers))}, "class", "failed", "code", "[a-z_]+")`;
  const answered = `label_replace(${failed}, "class", "\${1}xx", "code", "([1-5])..")`;
  const left = `label_replace(${answered}, "class", "client left", "code", "499|client_left")`;
  return sum(['class'], left);
}

export function requestRate(by: readonly string[], ...matchers: readonly string[]): string {
  return sum(by, rate(select(METRICS.requests, ...matchers)));
}

/** Share of 5xx in the requests whose client stayed. Nothing for those that met no route. */
export function errorShare(by: readonly string[], ...matchers: readonly string[]): string {
  return ratio(requestRate(by, 'code=~"5.."', ...matchers), requestRate(by, 'code!="499"', ...matchers));
}

/** Attempts that came to nothing or to a 5xx. */
export function attemptErrorShare(by: readonly string[], ...matchers: readonly string[]): string {
  const attempts = (...more: readonly string[]): string =>
    sum(by, rate(select(METRICS.upstreamRequests, ...more, ...matchers)));
  return share(attempts('code=~"5..|[a-z_]+"', 'code!="client_left"'), attempts());
}

/** Pairs of service and backend that no replica may pick. */
export function backendsOut(...matchers: readonly string[]): string {
  const eligible = select(METRICS.backendEligible, ...matchers);
  return orZero(`count(max by (service, backend) (${eligible}) == 0)`);
}

/** Alerts that fire, with the time since when in milliseconds since 1970. */
export function firingSince(by: readonly string[]): string {
  const firing = select(PROMETHEUS.alerts, 'alertstate="firing"');
  const since = select(PROMETHEUS.alertsSince);
  return `max by (${by.join(', ')}) (1000 * ${since} and ignoring (alertstate) ${firing})`;
}
