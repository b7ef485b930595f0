import {
  type BurnRate,
  ERROR_BUDGET,
  FAST_BURN,
  LATENCY_BUDGET,
  SLOW_BURN,
  SLOW_SECONDS,
} from '../objectives.ts';
import { type Series, select } from '../promql.ts';
import { errorRatio, slowRatio } from './recording-rules.ts';
import type { AlertRule } from './rule-file.ts';

const OF_SERVICE = 'of {{ $labels.service }}';
const SHARE = '{{ $value | humanizePercentage }}';

/** Two windows each: the long one says that it matters, the short one that it is not over. */
export const BURN_RATE_ALERTS: readonly AlertRule[] = [
  {
    alert: 'PortwayAvailabilityBurnsFast',
    expr: burns(errorRatio, FAST_BURN, ERROR_BUDGET),
    holdsFor: '2m',
    severity: 'critical',
    summary: `Many requests ${OF_SERVICE} fail`,
    description: `${SHARE} of its requests ended in a 5xx in the last hour: ${pace(FAST_BURN, ERROR_BUDGET)}.`,
  },
  {
    alert: 'PortwayAvailabilityBurnsSlowly',
    expr: burns(errorRatio, SLOW_BURN, ERROR_BUDGET),
    holdsFor: '15m',
    severity: 'warning',
    summary: `Requests ${OF_SERVICE} keep failing`,
    description: `${SHARE} of its requests ended in a 5xx in the last six hours: ${pace(SLOW_BURN, ERROR_BUDGET)}.`,
  },
  {
    alert: 'PortwayLatencyBurnsFast',
    expr: burns(slowRatio, FAST_BURN, LATENCY_BUDGET),
    holdsFor: '2m',
    severity: 'critical',
    summary: `Many requests ${OF_SERVICE} are slow`,
    description: `${SHARE} of its requests took longer than ${SLOW_SECONDS} s in the last hour: ${pace(FAST_BURN, LATENCY_BUDGET)}.`,
  },
  {
    alert: 'PortwayLatencyBurnsSlowly',
    expr: burns(slowRatio, SLOW_BURN, LATENCY_BUDGET),
    holdsFor: '15m',
    severity: 'warning',
    summary: `Requests ${OF_SERVICE} keep being slow`,
    description: `${SHARE} of its requests took longer than ${SLOW_SECONDS} s in the last six hours: ${pace(SLOW_BURN, LATENCY_BUDGET)}.`,
  },
];

function burns(ratio: (window: string) => Series, { factor, long, short }: BurnRate, budget: number): string {
  const over = (window: string): string => `${select(ratio(window))} > ${factor} * ${budget}`;
  return `${over(long)}\nand ${over(short)}`;
}

function pace({ factor }: BurnRate, budget: number): string {
  return `more than ${factor} times the ${percent(budget)} % that may`;
}

function percent(share: number): number {
  return Number((share * 100).toFixed(4));
}
