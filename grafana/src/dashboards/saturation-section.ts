import { METRICS } from '../../../gateway/src/control/metrics/definitions.ts';
import { COLOUR, POOL_COLOURS } from '../colours.ts';
import { PROCESS } from '../other-series.ts';
import type { Panel } from '../panels/panel.ts';
import { timeSeries } from '../panels/time-series.ts';
import { aggregate, JOB, rate, select, sum } from '../promql.ts';
import type { Section } from './dashboard.ts';
import { poolUse } from './pool-use.ts';

// Prometheus scrapes itself, and its process has metrics of the same names.
const OURS = `job="${JOB}"`;

/** How full everything is that can be full: queues, the event loop, the processor, memory. */
export function saturationSection(service: string): Section {
  return {
    title: 'Saturation',
    panels: [waiting(service), poolUse(service), eventLoopLag(), processor(), memory(), clients(), garbage()],
  };
}

function waiting(service: string): Panel {
  const queued = sum([], select(METRICS.poolPendingRequests, service));
  const admission = sum([], select(METRICS.concurrencyQueued, service));
  const connecting = sum([], select(METRICS.poolConnections, 'state="connecting"', service));
  return timeSeries({
    title: 'Waiting requests',
    description:
      'Requests that wait for a connection or for the concurrency limit of their service, and connections under way. Above zero for long: the backends are too slow or too few.',
    unit: 'short',
    width: 12,
    queries: [
      { expr: `${queued} + (${admission} or vector(0))`, legend: 'waiting' },
      { expr: connecting, legend: 'connecting' },
    ],
    colours: POOL_COLOURS,
  });
}

export function eventLoopLag(): Panel {
  return timeSeries({
    title: 'Event loop lag (p99)',
    description:
      'How late timers run in Node. Every request waits that long at each of its steps: above 50 ms it shows in the latency, above 200 ms something blocks.',
    unit: 's',
    queries: [
      {
        expr: aggregate('max', ['instance'], select(PROCESS.eventLoopLagP99, OURS)),
        legend: '{{instance}}',
      },
    ],
    limits: [
      { from: 0.05, colour: COLOUR.warn },
      { from: 0.2, colour: COLOUR.error },
    ],
  });
}

export function processor(): Panel {
  return timeSeries({
    title: 'Processor',
    description:
      'Share of one core that each gateway uses. One process serves with one core: near 100 % it is full.',
    unit: 'percentunit',
    queries: [{ expr: sum(['instance'], rate(select(PROCESS.cpu, OURS))), legend: '{{instance}}' }],
    limits: [
      { from: 0.8, colour: COLOUR.warn },
      { from: 0.95, colour: COLOUR.error },
    ],
  });
}

function memory(): Panel {
  return timeSeries({
    title: 'Memory',
    description:
      'What the process holds in all, the heap of JavaScript, and buffers outside it. A heap that grows under constant load is a leak.',
    unit: 'bytes',
    queries: [
      {
        expr: aggregate('max', ['instance'], select(PROCESS.resident, OURS)),
        legend: 'resident {{instance}}',
      },
      { expr: aggregate('max', ['instance'], select(PROCESS.heapUsed)), legend: 'heap used {{instance}}' },
      { expr: aggregate('max', ['instance'], select(PROCESS.heapTotal)), legend: 'heap {{instance}}' },
      { expr: aggregate('max', ['instance'], select(PROCESS.external)), legend: 'buffers {{instance}}' },
    ],
  });
}

function clients(): Panel {
  return timeSeries({
    title: 'Clients',
    description: 'Open connections of clients, and tunnels (WebSockets) in them.',
    unit: 'short',
    width: 12,
    queries: [
      { expr: sum([], select(METRICS.clientConnections)), legend: 'connections' },
      { expr: sum([], select(METRICS.tunnels)), legend: 'tunnels' },
    ],
  });
}

function garbage(): Panel {
  return timeSeries({
    title: 'Garbage collection',
    description: 'Share of its time that Node spends collecting garbage, by kind.',
    unit: 'percentunit',
    width: 12,
    queries: [
      {
        expr: sum(['kind'], `rate(${PROCESS.gcDuration.name}_sum[$__rate_interval])`),
        legend: '{{kind}}',
      },
    ],
  });
}
