import { METRICS } from '../../../gateway/src/control/metrics/definitions.ts';
import { COLOUR } from '../colours.ts';
import { ERROR_BUDGET, FAST_BURN, SLOW_SECONDS } from '../objectives.ts';
import type { Panel } from '../panels/panel.ts';
import { stat } from '../panels/stat.ts';
import { timeSeries } from '../panels/time-series.ts';
import { aggregate, buckets, percentile, select, sum } from '../promql.ts';
import { backendsOut, errorShare, requestRate } from './expressions.ts';

/** Six numbers of the service that `matcher` chooses. */
export function serviceNow(matcher: string): readonly Panel[] {
  return [
    rateNow(matcher),
    errorsNow(matcher),
    latencyNow(matcher),
    eligibleNow(matcher),
    out(matcher),
    budget(matcher),
  ];
}

function rateNow(matcher: string): Panel {
  return stat({
    title: 'Requests',
    description: 'Requests of the service answered a second.',
    unit: 'reqps',
    queries: [{ expr: requestRate([], matcher), legend: 'requests' }],
  });
}

function errorsNow(matcher: string): Panel {
  return stat({
    title: 'Errors',
    description: 'Share of 5xx in the answers, after retries.',
    unit: 'percentunit',
    decimals: 2,
    queries: [{ expr: errorShare([], matcher), legend: '5xx' }],
    steps: [
      { from: ERROR_BUDGET, colour: COLOUR.warn },
      { from: ERROR_BUDGET * FAST_BURN.factor, colour: COLOUR.error },
    ],
  });
}

function latencyNow(matcher: string): Panel {
  return stat({
    title: 'Latency (p99)',
    description: '99 of 100 attempts have the head of their answer within this time.',
    unit: 's',
    queries: [{ expr: percentile(99, [], buckets(METRICS.upstreamDuration, matcher)), legend: 'p99' }],
    steps: [
      { from: SLOW_SECONDS / 2, colour: COLOUR.warn },
      { from: SLOW_SECONDS, colour: COLOUR.error },
    ],
  });
}

function eligibleNow(matcher: string): Panel {
  const eligible = aggregate('max', ['service', 'backend'], select(METRICS.backendEligible, matcher));
  return stat({
    title: 'Eligible backends',
    description: 'Backends that may be picked. At zero the service is down.',
    unit: 'short',
    queries: [{ expr: sum([], eligible), legend: 'eligible' }],
    base: COLOUR.error,
    steps: [{ from: 1, colour: COLOUR.ok }],
  });
}

function out(matcher: string): Panel {
  return stat({
    title: 'Backends out',
    description: 'Backends that may not be picked.',
    unit: 'short',
    queries: [{ expr: backendsOut(matcher), legend: 'out' }],
    steps: [{ from: 1, colour: COLOUR.error }],
  });
}

function budget(matcher: string): Panel {
  return stat({
    title: 'Retries left',
    description: 'Retries that the service still allows in its window of ten seconds.',
    unit: 'short',
    queries: [{ expr: `min(${select(METRICS.retryBudgetRemaining, matcher)})`, legend: 'left' }],
    base: COLOUR.error,
    steps: [{ from: 1, colour: COLOUR.ok }],
  });
}

/** Requests under way of a service that has a limit, and the limit, which may move. */
export function concurrency(matcher: string): Panel {
  return timeSeries({
    title: 'Concurrency',
    description: 'Requests under way, what they are held to, and those that wait for one to end.',
    unit: 'short',
    queries: [
      { expr: sum([], select(METRICS.concurrencyInFlight, matcher)), legend: 'under way' },
      { expr: sum([], select(METRICS.concurrencyLimit, matcher)), legend: 'limit' },
      { expr: sum([], select(METRICS.concurrencyQueued, matcher)), legend: 'waiting' },
    ],
    colours: { 'under way': COLOUR.plain, limit: COLOUR.warn, waiting: COLOUR.error },
    emptyWhen: 'where the service has no concurrency limit',
  });
}
