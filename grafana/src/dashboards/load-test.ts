import { METRICS } from '../../../gateway/src/control/metrics/definitions.ts';
import { COLOUR } from '../colours.ts';
import { SLOW_SECONDS } from '../objectives.ts';
import { K6 } from '../other-series.ts';
import type { Panel } from '../panels/panel.ts';
import { timeSeries } from '../panels/time-series.ts';
import { aggregate, buckets, percentile, rate, select, sum } from '../promql.ts';
import { annotations, faults } from './annotations.ts';
import { breakerTimeline, eligibilityTimeline } from './backend-timelines.ts';
import type { Dashboard } from './dashboard.ts';
import { requestRate } from './expressions.ts';
import { failedShare, loadTestNow, OF_USERS } from './load-test-now.ts';
import { answersByStatus } from './red-section.ts';
import { retriesByOutcome } from './retry-panels.ts';
import { eventLoopLag, processor } from './saturation-section.ts';
import { DATA_SOURCE_VARIABLE, SERVICES } from './variables.ts';

const SERVICE = 'service=~"$service"';
const BACKEND = '{{service}} {{backend}}';

/** What the load test saw beside what the gateway did. */
export const LOAD_TEST: Dashboard = {
  uid: 'portway-load-test',
  file: 'load-test',
  title: 'Portway / Load test',
  description: 'What k6 saw beside what the gateway did: did users notice the faults?',
  variables: [DATA_SOURCE_VARIABLE, SERVICES],
  annotations: [...annotations(SERVICE), faults()],
  sections: [
    { title: 'Right now', panels: loadTestNow() },
    { title: 'What users see (k6)', panels: [requests(), latency(), latencyByRoute(), failedByRoute()] },
    {
      title: 'What the gateway does',
      panels: [
        answersByStatus([SERVICE]),
        retriesByOutcome(SERVICE, 12),
        eligibilityTimeline(SERVICE, BACKEND, 12),
        breakerTimeline(SERVICE, BACKEND, 12),
        eventLoopLag(),
        processor(),
        virtualUsers(),
      ],
    },
    { title: 'The load', panels: [iterations(), checks(), traffic()] },
  ],
};

function requests(): Panel {
  return timeSeries({
    title: 'Requests',
    description:
      'Requests a second as k6 sends and as the gateway answers them. The gateway counts retries once, and other clients too.',
    unit: 'reqps',
    width: 12,
    queries: [
      { expr: sum([], rate(select(K6.requests, OF_USERS))), legend: 'k6' },
      { expr: requestRate([], SERVICE), legend: 'gateway' },
    ],
    colours: { k6: COLOUR.client, gateway: COLOUR.plain },
  });
}

function latency(): Panel {
  const gateway = buckets(METRICS.requestDuration, SERVICE);
  return timeSeries({
    title: 'Latency',
    description:
      "k6's is over the whole run so far and of its slowest request; the gateway's is of this moment. A gap between them is time on the wire or in k6.",
    unit: 's',
    width: 12,
    queries: [
      { expr: `max(${select(K6.durationP95, OF_USERS)})`, legend: 'k6 p95' },
      { expr: `max(${select(K6.durationP99, OF_USERS)})`, legend: 'k6 p99' },
      { expr: percentile(95, [], gateway), legend: 'gateway p95' },
      { expr: percentile(99, [], gateway), legend: 'gateway p99' },
    ],
  });
}

function latencyByRoute(): Panel {
  return timeSeries({
    title: 'Latency by route (p95, k6)',
    description: 'Over the whole run so far.',
    unit: 's',
    width: 12,
    queries: [{ expr: aggregate('max', ['route'], select(K6.durationP95, OF_USERS)), legend: '{{route}}' }],
    limits: [{ from: SLOW_SECONDS, colour: COLOUR.error }],
  });
}

function failedByRoute(): Panel {
  return timeSeries({
    title: 'Failed requests by route (k6)',
    description: 'Share of requests whose answer was not the one expected. What chaos must keep at zero.',
    unit: 'percentunit',
    width: 12,
    queries: [{ expr: failedShare(['route']), legend: '{{route}}' }],
    limits: [{ from: 0.001, colour: COLOUR.error }],
  });
}

function virtualUsers(): Panel {
  return timeSeries({
    title: 'Virtual users',
    description:
      'Users under way, and how many are prepared. More users at the same rate: answers take longer.',
    unit: 'short',
    queries: [
      { expr: sum([], select(K6.vus)), legend: 'under way' },
      { expr: sum([], select(K6.vusMax)), legend: 'prepared' },
    ],
  });
}

function iterations(): Panel {
  return timeSeries({
    title: 'Iterations',
    description:
      'Iterations a second, and those that k6 had no free user for: then the load was less than asked.',
    unit: 'cps',
    queries: [
      { expr: sum(['scenario'], rate(select(K6.iterations))), legend: '{{scenario}}' },
      { expr: `${sum([], rate(select(K6.dropped)))} or vector(0)`, legend: 'dropped' },
    ],
    colours: { dropped: COLOUR.error },
  });
}

function checks(): Panel {
  return timeSeries({
    title: 'Checks',
    description: 'Share of checks that held, over the whole run so far.',
    unit: 'percentunit',
    max: 1,
    queries: [{ expr: aggregate('min', ['check'], select(K6.checks)), legend: '{{check}}' }],
  });
}

function traffic(): Panel {
  return timeSeries({
    title: 'Bytes',
    description: 'Bytes a second that k6 received and sent.',
    unit: 'Bps',
    queries: [
      { expr: sum([], rate(select(K6.received))), legend: 'received' },
      { expr: sum([], rate(select(K6.sent))), legend: 'sent' },
    ],
  });
}
