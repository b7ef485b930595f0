import { METRICS } from '../../../gateway/src/control/metrics/definitions.ts';
import { BREAKER_STATES, ELIGIBLE_STATES, EXCLUSIONS, PROBE_STATES, type StateName } from '../colours.ts';
import type { Panel } from '../panels/panel.ts';
import { stateTimeline } from '../panels/state-timeline.ts';
import { aggregate, select } from '../promql.ts';

const BACKEND = ['service', 'backend'];

/** The three bands of a backend: whether it is picked, and the two that say why not. */
export function eligibilityTimeline(matcher: string, legend: string, width = 8): Panel {
  return stateTimeline({
    title: 'Eligible',
    description:
      'Whether a backend may be picked, and which step keeps it out if not: the operator, an ejection, its breaker or its probes. The worst of all replicas.',
    unit: 'short',
    width,
    queries: [{ expr: aggregate('max', BACKEND, exclusionNumber(matcher)), legend }],
    states: ELIGIBLE_STATES,
  });
}

/** The place among EXCLUSIONS of what keeps a backend out, from 1; 0 where nothing does. */
function exclusionNumber(matcher: string): string {
  const by = (exclusion: StateName['value']): string =>
    select(METRICS.backendExcluded, matcher, `by="${exclusion}"`);
  return EXCLUSIONS.map(({ value }, index) => `${index + 1} * ${by(value)}`).join(' or ');
}

export function breakerTimeline(matcher: string, legend: string, width = 8): Panel {
  return stateTimeline({
    title: 'Circuit breaker',
    description: 'Open: no requests. Half-open: one trial at a time. The worst of all replicas.',
    unit: 'short',
    width,
    queries: [{ expr: aggregate('max', BACKEND, select(METRICS.breakerState, matcher)), legend }],
    states: BREAKER_STATES,
  });
}

export function probeTimeline(matcher: string, legend: string): Panel {
  return stateTimeline({
    title: 'Probes say',
    description:
      'The verdict of the health checks. Ejected but healthy here: live traffic fails where probes do not.',
    unit: 'short',
    queries: [{ expr: aggregate('min', BACKEND, select(METRICS.backendHealthy, matcher)), legend }],
    states: PROBE_STATES,
  });
}
