import { METRICS } from '../../../gateway/src/control/metrics/definitions.ts';
import { COLOUR, POOL_COLOURS } from '../colours.ts';
import type { Panel } from '../panels/panel.ts';
import { stat } from '../panels/stat.ts';
import { timeSeries } from '../panels/time-series.ts';
import { rate, ratio, select, sum } from '../promql.ts';
import { annotations } from './annotations.ts';
import type { Dashboard } from './dashboard.ts';
import { poolUse } from './pool-use.ts';
import { linkToService } from './service-link.ts';
import { clientSection, tunnelSection } from './tunnel-panels.ts';
import { DATA_SOURCE_VARIABLE, SERVICES } from './variables.ts';

const SERVICE = 'service=~"$service"';
const WAITING = select(METRICS.poolPendingRequests, SERVICE);
const REUSES = rate(select(METRICS.poolReuses, SERVICE));
const CONNECTS = rate(select(METRICS.poolConnects, SERVICE));

type PoolState = 'active' | 'idle' | 'connecting';

const MEANING: Readonly<Record<PoolState, string>> = {
  active: 'Connections with a request under way.',
  idle: 'Connections that wait for a request.',
  connecting: 'Connections that are being made.',
};

/** Are connections kept warm, are there enough of them, and why do they end? */
export const CONNECTIONS: Dashboard = {
  uid: 'portway-connections',
  file: 'connections',
  title: 'Portway / Connections',
  description:
    'Connections to backends and of clients: are they reused, are there enough, and why do they end? And the tunnels through them.',
  variables: [DATA_SOURCE_VARIABLE, SERVICES],
  annotations: annotations(SERVICE),
  sections: [
    {
      title: 'Right now',
      panels: [now('active'), now('idle'), now('connecting'), waitingNow(), reuseNow(), clientsNow()],
    },
    { title: 'Occupancy', panels: [byState(), waiting(), poolUse(SERVICE), idleByBackend()] },
    { title: 'Reuse', panels: [reuse(), connects(), closes()] },
    clientSection(),
    tunnelSection(),
  ],
};

function pool(state: PoolState): string {
  return select(METRICS.poolConnections, `state="${state}"`, SERVICE);
}

function now(state: PoolState): Panel {
  return stat({
    title: `${state.charAt(0).toUpperCase()}${state.slice(1)}`,
    description: MEANING[state],
    unit: 'short',
    queries: [{ expr: sum([], pool(state)), legend: state }],
  });
}

function waitingNow(): Panel {
  return stat({
    title: 'Waiting',
    description: 'Requests that wait for a connection.',
    unit: 'short',
    queries: [{ expr: sum([], WAITING), legend: 'waiting' }],
    steps: [{ from: 1, colour: COLOUR.warn }],
  });
}

function reuseNow(): Panel {
  return stat({
    title: 'Reuse',
    description: 'Share of requests that were sent on a connection that was there.',
    unit: 'percentunit',
    decimals: 1,
    queries: [{ expr: reuseShare([]), legend: 'reused' }],
    base: COLOUR.error,
    steps: [
      { from: 0.5, colour: COLOUR.warn },
      { from: 0.9, colour: COLOUR.ok },
    ],
  });
}

function clientsNow(): Panel {
  return stat({
    title: 'Clients',
    description: 'Open connections of clients, to all listeners.',
    unit: 'short',
    queries: [{ expr: sum([], select(METRICS.clientConnections)), legend: 'clients' }],
  });
}

/** Every request takes a connection that is there or one that is made for it. */
function reuseShare(by: readonly string[]): string {
  const reused = sum(by, REUSES);
  return ratio(reused, `(${reused} + ${sum(by, CONNECTS)})`);
}

function byState(): Panel {
  return timeSeries({
    title: 'Connections by state',
    description:
      'Connections to backends. Many connecting at once: they are not reused, or backends are slow to accept.',
    unit: 'short',
    width: 12,
    stack: true,
    queries: [{ expr: sum(['state'], select(METRICS.poolConnections, SERVICE)), legend: '{{state}}' }],
    colours: POOL_COLOURS,
  });
}

function waiting(): Panel {
  return timeSeries({
    title: 'Requests that wait for a connection',
    description: 'Above zero, all connections to that backend are busy: it is slow, or its limit is low.',
    unit: 'short',
    width: 12,
    queries: [{ expr: sum(['service', 'backend'], WAITING), legend: '{{service}} {{backend}}' }],
    links: [linkToService()],
  });
}

function idleByBackend(): Panel {
  return timeSeries({
    title: 'Idle by backend',
    description: MEANING.idle,
    unit: 'short',
    width: 12,
    queries: [{ expr: sum(['service', 'backend'], pool('idle')), legend: '{{service}} {{backend}}' }],
    links: [linkToService()],
  });
}

function reuse(): Panel {
  return timeSeries({
    title: 'Reuse by service',
    description:
      'Share of requests that were sent on a connection that was there. Low: the backend closes too early.',
    unit: 'percentunit',
    max: 1,
    queries: [{ expr: reuseShare(['service']), legend: '{{service}}' }],
    links: [linkToService()],
  });
}

function connects(): Panel {
  return timeSeries({
    title: 'Connects',
    description: 'Connections opened a second, by result.',
    unit: 'cps',
    stack: true,
    queries: [{ expr: sum(['result'], CONNECTS), legend: '{{result}}' }],
    colours: { ok: COLOUR.ok, failed: COLOUR.error },
  });
}

function closes(): Panel {
  return timeSeries({
    title: 'Closes by reason',
    description: 'Connections to backends that ended a second, by why.',
    unit: 'cps',
    stack: true,
    queries: [{ expr: sum(['reason'], rate(select(METRICS.poolClosed, SERVICE))), legend: '{{reason}}' }],
    emptyWhen: 'until a connection ends',
  });
}
