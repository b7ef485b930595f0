import { METRICS } from '../../../gateway/src/control/metrics/definitions.ts';
import { COLOUR } from '../colours.ts';
import { AVAILABILITY_PERCENT, ERROR_BUDGET, FAST_BURN, SLOW_SECONDS } from '../objectives.ts';
import { PROMETHEUS } from '../other-series.ts';
import type { Panel } from '../panels/panel.ts';
import { stat } from '../panels/stat.ts';
import { buckets, increase, orZero, percentile, ratio, select, sum } from '../promql.ts';
import type { Section } from './dashboard.ts';
import { backendsOut, errorShare, requestRate } from './expressions.ts';

const SERVICE = 'service=~"$service"';
const CHOSEN = ['route=~"$route"', SERVICE];

/** Six numbers that say whether to read on. */
export function nowSection(): Section {
  const panels = [rateNow(), errorsNow(), latencyNow(), budgetLeft(), outNow(), alertsNow()];
  return { title: 'Right now', panels };
}

function rateNow(): Panel {
  return stat({
    title: 'Requests',
    description: 'Requests answered a second.',
    unit: 'reqps',
    queries: [{ expr: requestRate([], ...CHOSEN), legend: 'requests' }],
  });
}

function errorsNow(): Panel {
  return stat({
    title: 'Errors',
    description: `Share of 5xx in the answers; orange from what the objective of ${AVAILABILITY_PERCENT} % allows, red from where it burns fast.`,
    unit: 'percentunit',
    decimals: 2,
    queries: [{ expr: errorShare([], ...CHOSEN), legend: '5xx' }],
    steps: [
      { from: ERROR_BUDGET, colour: COLOUR.warn },
      { from: ERROR_BUDGET * FAST_BURN.factor, colour: COLOUR.error },
    ],
  });
}

function latencyNow(): Panel {
  return stat({
    title: 'Latency (p99)',
    description: '99 of 100 requests are answered whole within this time.',
    unit: 's',
    queries: [{ expr: percentile(99, [], buckets(METRICS.requestDuration, ...CHOSEN)), legend: 'p99' }],
    steps: [
      { from: SLOW_SECONDS / 2, colour: COLOUR.warn },
      { from: SLOW_SECONDS, colour: COLOUR.error },
    ],
  });
}

function budgetLeft(): Panel {
  const requests = (code: string): string =>
    sum([], increase(select(METRICS.requests, code, ...CHOSEN), '$__range'));
  return stat({
    title: 'Error budget left',
    description: `Of the failures that ${AVAILABILITY_PERCENT} % availability allows in the time range shown; below zero, more failed than may.`,
    unit: 'percentunit',
    decimals: 0,
    queries: [
      {
        expr: `1 - ${ratio(requests('code=~"5.."'), requests('code!="499"'))} / ${ERROR_BUDGET}`,
        legend: 'left',
        instant: true,
      },
    ],
    base: COLOUR.error,
    steps: [
      { from: 0, colour: COLOUR.warn },
      { from: 0.25, colour: COLOUR.ok },
    ],
  });
}

function outNow(): Panel {
  return stat({
    title: 'Backends out',
    description: 'Backends that no replica may pick.',
    unit: 'short',
    queries: [{ expr: backendsOut(SERVICE), legend: 'out' }],
    steps: [{ from: 1, colour: COLOUR.error }],
  });
}

function alertsNow(): Panel {
  return stat({
    title: 'Alerts',
    description: 'Alerts that fire.',
    unit: 'short',
    queries: [
      { expr: orZero(`count(${select(PROMETHEUS.alerts, 'alertstate="firing"')})`), legend: 'firing' },
    ],
    steps: [{ from: 1, colour: COLOUR.error }],
  });
}
