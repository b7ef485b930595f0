import { METRICS } from '../../../gateway/src/control/metrics/definitions.ts';
import { COLOUR, PERCENTILE_COLOURS, STATUS_COLOURS } from '../colours.ts';
import { ERROR_BUDGET, SLOW_SECONDS } from '../objectives.ts';
import type { Panel } from '../panels/panel.ts';
import { timeSeries } from '../panels/time-series.ts';
import { buckets, percentile } from '../promql.ts';
import type { Section } from './dashboard.ts';
import { byStatusClass, errorShare, requestRate } from './expressions.ts';
import { linkToService } from './service-link.ts';

const CHOSEN = ['route=~"$route"', 'service=~"$service"'];
const DURATIONS = buckets(METRICS.requestDuration, ...CHOSEN);
/** The service too, for the link that leads to it. */
const BY_ROUTE = ['route', 'service'];

/** The three questions that are asked of every service (RED), by route and in all. */
export function redSection(): Section {
  const panels = [rateByRoute(), errorsByRoute(), latencyByRoute(), answersByStatus(), latency()];
  return { title: 'Rate, errors, duration', panels };
}

function rateByRoute(): Panel {
  return timeSeries({
    title: 'Rate by route',
    description: 'Requests answered a second. Those that met no route are under "none".',
    unit: 'reqps',
    queries: [{ expr: requestRate(BY_ROUTE, ...CHOSEN), legend: '{{route}}' }],
    links: [linkToService()],
  });
}

function errorsByRoute(): Panel {
  return timeSeries({
    title: 'Errors by route',
    description: 'Share of 5xx in the answers whose client stayed.',
    unit: 'percentunit',
    queries: [{ expr: errorShare(BY_ROUTE, ...CHOSEN), legend: '{{route}}' }],
    limits: [{ from: ERROR_BUDGET, colour: COLOUR.error }],
    links: [linkToService()],
  });
}

function latencyByRoute(): Panel {
  return timeSeries({
    title: 'Latency by route (p99)',
    description: 'From the head of a request to the end of its answer.',
    unit: 's',
    queries: [{ expr: percentile(99, BY_ROUTE, DURATIONS), legend: '{{route}}', exemplars: true }],
    limits: [{ from: SLOW_SECONDS, colour: COLOUR.error }],
    links: [linkToService()],
  });
}

/** Also the load test's: what users got. */
export function answersByStatus(matchers: readonly string[] = CHOSEN): Panel {
  return timeSeries({
    title: 'Answers by status',
    description:
      'Answers a second by the class of their status. A client that left before its answer is none of them.',
    unit: 'reqps',
    width: 12,
    stack: true,
    queries: [{ expr: byStatusClass(METRICS.requests, ...matchers), legend: '{{class}}' }],
    colours: STATUS_COLOURS,
  });
}

function latency(): Panel {
  return timeSeries({
    title: 'Latency',
    description: 'Half, 95 and 99 of 100 requests are answered whole within this time.',
    unit: 's',
    width: 12,
    queries: [50, 95, 99].map((percent) => ({
      expr: percentile(percent, [], DURATIONS),
      legend: `p${percent}`,
      exemplars: percent === 99,
    })),
    colours: PERCENTILE_COLOURS,
  });
}
