import { METRICS } from '../../../gateway/src/control/metrics/definitions.ts';
import { COLOUR, STATUS_COLOURS } from '../colours.ts';
import { SLOW_SECONDS } from '../objectives.ts';
import { heatmap } from '../panels/heatmap.ts';
import type { Panel } from '../panels/panel.ts';
import { timeSeries } from '../panels/time-series.ts';
import { buckets, increase, percentile, rate, select, sum } from '../promql.ts';
import { annotations } from './annotations.ts';
import { breakerTimeline, eligibilityTimeline, probeTimeline } from './backend-timelines.ts';
import type { Dashboard, Section } from './dashboard.ts';
import { attemptErrorShare, byStatusClass } from './expressions.ts';
import { retriesByOutcome, retryBudget } from './retry-panels.ts';
import { concurrency, serviceNow } from './service-now.ts';
import { BACKENDS, DATA_SOURCE_VARIABLE, ONE_SERVICE } from './variables.ts';

const SERVICE = 'service="$service"';
const CHOSEN = [SERVICE, 'backend=~"$backend"'];

/** Which backend of one service is different from the others, and what was done about it. */
export const SERVICE_DASHBOARD: Dashboard = {
  uid: 'portway-service',
  file: 'service',
  title: 'Portway / Service',
  description: 'One service: which backend is different from the others, and what the gateway did about it.',
  variables: [DATA_SOURCE_VARIABLE, ONE_SERVICE, BACKENDS],
  annotations: annotations(SERVICE),
  sections: [
    { title: 'Right now', panels: serviceNow(SERVICE) },
    {
      title: 'Who is picked, and why not',
      panels: [
        eligibilityTimeline(SERVICE, '{{backend}}'),
        breakerTimeline(SERVICE, '{{backend}}'),
        probeTimeline(SERVICE, '{{backend}}'),
      ],
    },
    trafficSection(),
    latencySection(),
    {
      title: 'What the gateway did',
      panels: [
        ejections(),
        transitions(),
        probes(),
        retriesByOutcome(SERVICE),
        retryBudget(SERVICE),
        concurrency(SERVICE),
      ],
    },
    { title: 'Latency of each backend', panels: [latencyHeatmap()] },
  ],
};

function trafficSection(): Section {
  const attempts = rate(select(METRICS.upstreamRequests, ...CHOSEN));
  const share = timeSeries({
    title: 'Traffic share',
    description:
      'Share of the attempts that each backend gets. With equal weights and health they are equal.',
    unit: 'percentunit',
    stack: true,
    max: 1,
    queries: [
      {
        expr: `${sum(['backend'], attempts)} / scalar(${sum([], attempts)} > 0)`,
        legend: '{{backend}}',
      },
    ],
  });
  const answers = timeSeries({
    title: 'Attempts by status',
    description: 'Attempts a second by what came of them; "failed" got no answer.',
    unit: 'reqps',
    stack: true,
    queries: [{ expr: byStatusClass(METRICS.upstreamRequests, ...CHOSEN), legend: '{{class}}' }],
    colours: STATUS_COLOURS,
  });
  const errors = timeSeries({
    title: 'Errors by backend',
    description:
      'Share of the attempts that failed or were answered with a 5xx. Retries hide most of it from clients.',
    unit: 'percentunit',
    queries: [{ expr: attemptErrorShare(['backend'], ...CHOSEN), legend: '{{backend}}' }],
  });
  return { title: 'Traffic', panels: [share, answers, errors] };
}

function latencySection(): Section {
  const byBackend = (percent: number): Panel =>
    timeSeries({
      title: `Latency by backend (p${percent})`,
      description: 'From the start of an attempt to the head of its answer.',
      unit: 's',
      width: 12,
      queries: [
        {
          expr: percentile(percent, ['backend'], buckets(METRICS.upstreamDuration, ...CHOSEN)),
          legend: '{{backend}}',
          exemplars: true,
        },
      ],
      limits: [{ from: SLOW_SECONDS, colour: COLOUR.error }],
    });
  return { title: 'Latency', panels: [byBackend(50), byBackend(99)] };
}

function ejections(): Panel {
  return timeSeries({
    title: 'Ejections',
    description: 'Times a backend was taken out because live traffic failed there.',
    unit: 'short',
    queries: [
      { expr: sum(['backend'], increase(select(METRICS.ejections, ...CHOSEN))), legend: '{{backend}}' },
    ],
  });
}

function transitions(): Panel {
  return timeSeries({
    title: 'Breaker changes',
    description: 'Changes of the breakers, by the state they went to.',
    unit: 'short',
    queries: [
      { expr: sum(['to'], increase(select(METRICS.breakerTransitions, ...CHOSEN))), legend: '{{to}}' },
    ],
    colours: { closed: COLOUR.ok, 'half-open': COLOUR.notice, open: COLOUR.error },
  });
}

function probes(): Panel {
  return timeSeries({
    title: 'Health checks',
    description: 'Probes a second of all replicas, by result.',
    unit: 'cps',
    queries: [{ expr: sum(['result'], rate(select(METRICS.healthChecks, ...CHOSEN))), legend: '{{result}}' }],
    colours: { success: COLOUR.ok, failure: COLOUR.error, timeout: COLOUR.warn },
    emptyWhen: 'where the service is not probed',
  });
}

function latencyHeatmap(): Panel {
  return heatmap({
    title: 'Latency of $backend',
    description:
      'How many attempts took how long. Two bands: some requests are quick and some are not, which no percentile shows.',
    unit: 's',
    width: 24,
    height: 9,
    repeat: 'backend',
    queries: [
      { expr: sum(['le'], increase(buckets(METRICS.upstreamDuration, ...CHOSEN))), legend: '{{le}}' },
    ],
  });
}
