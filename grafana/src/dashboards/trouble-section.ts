import { METRICS } from '../../../gateway/src/control/metrics/definitions.ts';
import { COLOUR, EXCLUSIONS } from '../colours.ts';
import { dashboardLink, type Panel } from '../panels/panel.ts';
import { stat } from '../panels/stat.ts';
import { table } from '../panels/table.ts';
import { aggregate, select, sum } from '../promql.ts';
import type { Section } from './dashboard.ts';
import { firingSince } from './expressions.ts';

const SERVICE = 'service=~"$service"';

/** What is wrong right now: two tables that are empty when all is well, and the one thing that looks well and is not. */
export function troubleSection(): Section {
  return {
    title: 'What is wrong right now',
    panels: [backendsThatAreOut(), firingAlerts(), failingOpen()],
  };
}

const EXCLUDED = aggregate(
  'max',
  ['service', 'backend', 'by', 'instance'],
  select(METRICS.backendExcluded, SERVICE),
);
const HEIGHT = 7;
const TO_SERVICE = dashboardLink('Service', 'portway-service', `var-service=\${__value.raw}`);

function backendsThatAreOut(): Panel {
  return table({
    title: 'Backends that are out',
    description: 'Backends that a replica may not pick, and the first step that keeps them out.',
    unit: 'short',
    width: 10,
    height: HEIGHT,
    queries: [{ expr: `${EXCLUDED} == 1`, legend: '{{service}} {{backend}} {{by}}', instant: true }],
    columns: [
      { field: 'service', title: 'Service', links: [TO_SERVICE] },
      { field: 'backend', title: 'Backend' },
      { field: 'by', title: 'Kept out by', states: EXCLUSIONS },
      { field: 'instance', title: 'Seen by' },
    ],
    nothing: 'Every backend is eligible',
    emptyWhen: 'while every backend is eligible',
  });
}

function firingAlerts(): Panel {
  const labels = ['alertname', 'severity', 'service', 'backend', 'route'];
  return table({
    title: 'Alerts that fire',
    description: 'Alerts of Prometheus, and since when. gateway/docs/runbook.md says what to do about each.',
    unit: 'dateTimeFromNow',
    width: 10,
    height: HEIGHT,
    queries: [{ expr: firingSince(labels), legend: '{{alertname}}', instant: true }],
    columns: [
      { field: 'alertname', title: 'Alert' },
      { field: 'severity', title: 'Severity' },
      { field: 'service', title: 'Service', links: [TO_SERVICE] },
      { field: 'backend', title: 'Backend' },
      { field: 'route', title: 'Route' },
      { field: 'Value', title: 'Since', unit: 'dateTimeFromNow' },
    ],
    nothing: 'No alert fires',
    emptyWhen: 'while no alert fires',
  });
}

function failingOpen(): Panel {
  const services = aggregate('max', ['service'], select(METRICS.serviceFailOpen, SERVICE));
  return stat({
    title: 'Failing open',
    description:
      'Services none of whose backends is eligible, and which try them all the same (whenNoneEligible: all).',
    unit: 'short',
    height: HEIGHT,
    queries: [{ expr: sum([], services), legend: 'services' }],
    steps: [{ from: 1, colour: COLOUR.error }],
  });
}
