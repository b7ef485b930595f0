import { COLOUR } from '../colours.ts';
import {
  AVAILABILITY_PERCENT,
  ERROR_BUDGET,
  FAST_BURN,
  LATENCY_BUDGET,
  SLOW_BURN,
  SLOW_SECONDS,
} from '../objectives.ts';
import type { Panel } from '../panels/panel.ts';
import { timeSeries } from '../panels/time-series.ts';
import { type Series, select } from '../promql.ts';
import { errorRatio, slowRatio } from '../rules/recording-rules.ts';
import type { Section } from './dashboard.ts';
import { linkToService } from './service-link.ts';

/** How fast each service spends what the objectives leave it. */
export function budgetSection(): Section {
  return {
    title: 'Error budget',
    panels: [
      burnRate(
        'Availability: how fast the budget burns',
        `1 uses up exactly the failures that ${AVAILABILITY_PERCENT} % availability allows.`,
        errorRatio,
        ERROR_BUDGET,
      ),
      burnRate(
        'Latency: how fast the budget burns',
        `1 is as many answers slower than ${SLOW_SECONDS} s as are allowed, one in a hundred.`,
        slowRatio,
        LATENCY_BUDGET,
      ),
    ],
  };
}

function burnRate(title: string, meaning: string, ratio: (window: string) => Series, budget: number): Panel {
  const { long, short } = FAST_BURN;
  return timeSeries({
    title,
    description: `${meaning} Somebody is woken when both windows are above ${FAST_BURN.factor}; above ${SLOW_BURN.factor} for hours is a warning.`,
    unit: 'short',
    width: 12,
    queries: [short, long].map((window) => ({
      expr: `${select(ratio(window), 'service=~"$service"')} / ${budget}`,
      legend: `{{service}} ${window}`,
    })),
    limits: [
      { from: SLOW_BURN.factor, colour: COLOUR.warn },
      { from: FAST_BURN.factor, colour: COLOUR.error },
    ],
    links: [linkToService()],
  });
}
