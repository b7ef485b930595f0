import { METRICS } from '../../../gateway/src/control/metrics/definitions.ts';
import { COLOUR, CONFIG_STATES, REDIS_STATES } from '../colours.ts';
import type { Panel } from '../panels/panel.ts';
import { stat } from '../panels/stat.ts';
import { timeSeries } from '../panels/time-series.ts';
import { increase, rate, select, sum } from '../promql.ts';
import { annotations } from './annotations.ts';
import { budgetSection } from './budget-section.ts';
import type { Dashboard, Section } from './dashboard.ts';
import { nowSection } from './now-section.ts';
import { redSection } from './red-section.ts';
import { retriesByOutcome, retryBudget } from './retry-panels.ts';
import { saturationSection } from './saturation-section.ts';
import { troubleSection } from './trouble-section.ts';
import { DATA_SOURCE_VARIABLE, ROUTES, SERVICES } from './variables.ts';

const SERVICE = 'service=~"$service"';

/** Is the gateway well, and if not, where is it hurt? */
export const OVERVIEW: Dashboard = {
  uid: 'portway-overview',
  file: 'overview',
  title: 'Portway / Overview',
  description:
    'Is the gateway well, and if not, which route, service or backend is it? Rate, errors and duration by route.',
  variables: [DATA_SOURCE_VARIABLE, SERVICES, ROUTES],
  annotations: annotations(SERVICE),
  sections: [
    nowSection(),
    troubleSection(),
    redSection(),
    budgetSection(),
    saturationSection(SERVICE),
    {
      title: 'Retries and refusals',
      panels: [retriesByOutcome(SERVICE), retryBudget(SERVICE), refusals()],
    },
    fleetSection(),
  ],
};

function refusals(): Panel {
  return timeSeries({
    title: 'Refusals by reason',
    description: 'Requests a second that the gateway answered itself, by failure code.',
    unit: 'reqps',
    stack: true,
    queries: [
      {
        expr: sum(['reason'], rate(select(METRICS.rejectedRequests, 'route=~"$route"'))),
        legend: '{{reason}}',
      },
    ],
    emptyWhen: 'until a request is refused',
  });
}

function fleetSection(): Section {
  return { title: 'Fleet', panels: [replicas(), redis(), configState(), reloads(), versions()] };
}

function replicas(): Panel {
  return stat({
    title: 'Replicas',
    description: 'Live replicas of the fleet.',
    unit: 'short',
    queries: [{ expr: `max(${select(METRICS.fleetReplicas)})`, legend: 'replicas' }],
  });
}

function redis(): Panel {
  return stat({
    title: 'Redis',
    description: 'Whether Redis answers every replica.',
    unit: 'short',
    queries: [{ expr: `min(${select(METRICS.redisUp)})`, legend: 'Redis' }],
    base: COLOUR.error,
    steps: [{ from: 1, colour: COLOUR.ok }],
    states: REDIS_STATES,
    emptyWhen: 'where no Redis is configured',
  });
}

function configState(): Panel {
  return stat({
    title: 'Config',
    description:
      'Whether every replica could put in force what its config file said when it last read it. Refused: it goes on with the one before.',
    unit: 'short',
    queries: [{ expr: `min(${select(METRICS.configLastReloadSuccessful)})`, legend: 'config' }],
    base: COLOUR.error,
    steps: [{ from: 1, colour: COLOUR.ok }],
    states: CONFIG_STATES,
  });
}

function reloads(): Panel {
  return stat({
    title: 'Config reloads',
    description: 'In the time range shown, by what came of them.',
    unit: 'short',
    width: 6,
    decimals: 0,
    queries: [
      {
        expr: sum(['result'], increase(select(METRICS.configReloads), '$__range')),
        legend: '{{result}}',
        instant: true,
      },
    ],
  });
}

function versions(): Panel {
  return stat({
    title: 'Versions',
    description: 'What runs. Two at a time: a rollout is under way, or stuck.',
    unit: 'short',
    width: 6,
    names: true,
    queries: [
      { expr: sum(['version', 'node'], select(METRICS.buildInfo)), legend: '{{version}} on Node {{node}}' },
    ],
  });
}
