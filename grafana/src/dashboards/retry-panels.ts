import { METRICS } from '../../../gateway/src/control/metrics/definitions.ts';
import { COLOUR } from '../colours.ts';
import type { Panel } from '../panels/panel.ts';
import { timeSeries } from '../panels/time-series.ts';
import { aggregate, rate, select, sum } from '../promql.ts';

/** What became of attempts that asked for another, of the services that `matcher` chooses. */
export function retriesByOutcome(matcher: string, width = 8): Panel {
  return timeSeries({
    title: 'Retries by outcome',
    description: 'Attempts a second that asked for another: retried, or why not.',
    unit: 'reqps',
    width,
    stack: true,
    queries: [{ expr: sum(['outcome'], rate(select(METRICS.retries, matcher))), legend: '{{outcome}}' }],
    colours: { retried: COLOUR.ok, budget: COLOUR.error },
    emptyWhen: 'until an attempt fails',
  });
}

export function retryBudget(matcher: string): Panel {
  return timeSeries({
    title: 'Retry budget',
    description:
      'Retries that a service still allows in its window of ten seconds. At zero, failures reach the clients.',
    unit: 'short',
    queries: [
      {
        expr: aggregate('min', ['service'], select(METRICS.retryBudgetRemaining, matcher)),
        legend: '{{service}}',
      },
    ],
  });
}
