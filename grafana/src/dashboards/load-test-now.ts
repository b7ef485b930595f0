import { COLOUR } from '../colours.ts';
import { ERROR_BUDGET, SLOW_SECONDS } from '../objectives.ts';
import { K6 } from '../other-series.ts';
import type { Panel } from '../panels/panel.ts';
import { stat } from '../panels/stat.ts';
import { increase, orZero, rate, select, share, sum } from '../promql.ts';

/** What users ask, without what the test itself does: putting data there, breaking backends. */
export const OF_USERS = 'route!~"setup|chaos.control"';

/** Six numbers of the run. */
export function loadTestNow(): readonly Panel[] {
  return [users(), requests(), failed(), latency(), checks(), dropped()];
}

/**
 * Share of requests that were not answered as expected. From counters: k6's own failure rate comes apart by status, where
 * each part is all or nothing.
 */
export function failedShare(by: readonly string[]): string {
  const requests = (...matchers: readonly string[]): string =>
    sum(by, rate(select(K6.requests, OF_USERS, ...matchers)));
  return share(requests('expected_response="false"'), requests());
}

function users(): Panel {
  return stat({
    title: 'Users (k6)',
    description: 'Users that k6 has under way.',
    unit: 'short',
    queries: [{ expr: sum([], select(K6.vus)), legend: 'users' }],
  });
}

function requests(): Panel {
  return stat({
    title: 'Requests (k6)',
    description: 'Requests that k6 makes a second.',
    unit: 'reqps',
    queries: [{ expr: sum([], rate(select(K6.requests, OF_USERS))), legend: 'requests' }],
  });
}

function failed(): Panel {
  return stat({
    title: 'Failed (k6)',
    description: 'Share of requests whose answer was not the one expected.',
    unit: 'percentunit',
    decimals: 2,
    queries: [{ expr: failedShare([]), legend: 'failed' }],
    steps: [{ from: ERROR_BUDGET, colour: COLOUR.error }],
  });
}

function latency(): Panel {
  return stat({
    title: 'Median (k6)',
    description:
      'Half of the requests of the slowest kind are answered within this time, over the whole run so far.',
    unit: 's',
    queries: [{ expr: `max(${select(K6.durationP50, OF_USERS)})`, legend: 'p50' }],
    steps: [
      { from: SLOW_SECONDS / 2, colour: COLOUR.warn },
      { from: SLOW_SECONDS, colour: COLOUR.error },
    ],
  });
}

function checks(): Panel {
  return stat({
    title: 'Checks that hold',
    description: 'Share of checks that held; of the check that held least often, over the whole run so far.',
    unit: 'percentunit',
    decimals: 2,
    queries: [{ expr: `min(${select(K6.checks)})`, legend: 'held' }],
    base: COLOUR.error,
    steps: [
      { from: 0.99, colour: COLOUR.warn },
      { from: 1, colour: COLOUR.ok },
    ],
  });
}

function dropped(): Panel {
  return stat({
    title: 'Dropped',
    description: 'Iterations in the time range shown that k6 had no free user for.',
    unit: 'short',
    decimals: 0,
    queries: [
      { expr: orZero(sum([], increase(select(K6.dropped), '$__range'))), legend: 'dropped', instant: true },
    ],
    steps: [{ from: 1, colour: COLOUR.warn }],
  });
}
