import { METRICS } from '../../../gateway/src/control/metrics/definitions.ts';
import { COLOUR } from '../colours.ts';
import type { Panel } from '../panels/panel.ts';
import { timeSeries } from '../panels/time-series.ts';
import { ratio, select, sum } from '../promql.ts';
import { linkToService } from './service-link.ts';

const BACKEND = ['service', 'backend'];

/** How full the pools are, of the services that `matcher` chooses. */
export function poolUse(matcher: string): Panel {
  const active = select(METRICS.poolConnections, 'state="active"', matcher);
  return timeSeries({
    title: 'Pool use by backend',
    description:
      'Share of the connections that a backend may have (pool.maxConnections) with a request under way. At 100 % requests wait.',
    unit: 'percentunit',
    width: 12,
    queries: [
      {
        expr: ratio(sum(BACKEND, active), sum(BACKEND, select(METRICS.poolMaxConnections, matcher))),
        legend: '{{service}} {{backend}}',
      },
    ],
    limits: [
      { from: 0.8, colour: COLOUR.warn },
      { from: 1, colour: COLOUR.error },
    ],
    links: [linkToService()],
  });
}
