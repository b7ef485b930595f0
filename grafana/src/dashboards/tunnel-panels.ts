import { METRICS } from '../../../gateway/src/control/metrics/definitions.ts';
import { COLOUR } from '../colours.ts';
import type { Panel } from '../panels/panel.ts';
import { timeSeries } from '../panels/time-series.ts';
import { aggregate, buckets, percentile, rate, select, sum } from '../promql.ts';
import type { Section } from './dashboard.ts';

/** Connections that stay: WebSockets, CONNECT, TCP, UDP. */
export function tunnelSection(): Section {
  return { title: 'Tunnels', panels: [open(), bytes(), opened(), ended(), duration()] };
}

/** What clients connect to: who is there, and until when its certificates are good. */
export function clientSection(): Section {
  return { title: 'Clients', panels: [clients(), certificates()] };
}

function open(): Panel {
  return timeSeries({
    title: 'Tunnels',
    description:
      'Open tunnels by route: WebSockets and other upgrades, CONNECT, TCP connections, UDP sessions. A listener for TCP, UDP or tunnels has a route of its own.',
    unit: 'short',
    width: 12,
    queries: [{ expr: sum(['route'], select(METRICS.tunnels)), legend: '{{route}}' }],
  });
}

function bytes(): Panel {
  const through = (direction: string): string =>
    sum(['route'], rate(select(METRICS.tunnelBytes, `direction="${direction}"`)));
  return timeSeries({
    title: 'Bytes through tunnels',
    description: 'Bytes a second by route: in is from clients to backends, out is back.',
    unit: 'Bps',
    width: 12,
    queries: [
      { expr: through('in'), legend: '{{route}} in' },
      { expr: through('out'), legend: '{{route}} out' },
    ],
  });
}

function opened(): Panel {
  return timeSeries({
    title: 'Tunnels opened',
    description:
      'Tunnels opened a second, by route. Many beside few that are open: clients come back in a loop.',
    unit: 'cps',
    queries: [{ expr: sum(['route'], rate(select(METRICS.tunnelsOpened))), legend: '{{route}}' }],
  });
}

function ended(): Panel {
  return timeSeries({
    title: 'Tunnels ended by reason',
    description:
      'Tunnels that ended a second, by why: the client or the backend closed first, nothing was said for too long (idle), a ping had no answer (silent), frames broke the protocol, a drain or a reload closed them.',
    unit: 'cps',
    stack: true,
    queries: [{ expr: sum(['reason'], rate(select(METRICS.tunnelsEnded))), legend: '{{reason}}' }],
    emptyWhen: 'until there is a tunnel',
  });
}

function duration(): Panel {
  const selected = buckets(METRICS.tunnelDuration);
  return timeSeries({
    title: 'How long tunnels were open',
    description: 'Of the tunnels that have ended: half were open for less than the p50.',
    unit: 's',
    queries: [50, 99].map((percent) => ({ expr: percentile(percent, [], selected), legend: `p${percent}` })),
    emptyWhen: 'until a tunnel ends',
  });
}

function clients(): Panel {
  return timeSeries({
    title: 'Client connections',
    description: 'Open connections of clients, by listener.',
    unit: 'short',
    width: 12,
    queries: [{ expr: sum(['listener'], select(METRICS.clientConnections)), legend: '{{listener}}' }],
  });
}

function certificates(): Panel {
  const left = `${aggregate('min', ['listener', 'name'], select(METRICS.certificateExpiry))} - time()`;
  return timeSeries({
    title: 'Certificates: time left',
    description: 'How long each certificate of a listener is still good for. A step up is a renewal.',
    unit: 's',
    width: 12,
    queries: [{ expr: left, legend: '{{name}} at {{listener}}' }],
    limits: [{ from: 7 * 86_400, colour: COLOUR.warn }],
    emptyWhen: 'where no listener has tls',
  });
}
