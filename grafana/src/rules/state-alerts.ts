import { METRICS } from '../../../gateway/src/control/metrics/definitions.ts';
import type { FailureCode } from '../../../gateway/src/errors.ts';
import { PROMETHEUS } from '../other-series.ts';
import { aggregate, increase, JOB, rate, select, sum } from '../promql.ts';
import type { AlertRule } from './rule-file.ts';

const UP = select(PROMETHEUS.up, `job="${JOB}"`);
const REPLICAS = select(METRICS.fleetReplicas);

/** Whatever renews certificates by itself has done so long before, in seconds. */
const SOON_S = 7 * 86_400;

/** Why a request is refused that would be served at a quieter time. */
const CROWDED = (
  [
    'queue_full',
    'queue_timeout',
    'overloaded',
    'admission_timeout',
    'out_of_sockets',
  ] satisfies readonly FailureCode[]
).join('|');

/** The gateway itself, and those it stands on. */
const GATEWAY_ALERTS: readonly AlertRule[] = [
  {
    alert: 'PortwayDown',
    expr: `${UP} == 0\nor absent(${UP})`,
    holdsFor: '30s',
    severity: 'critical',
    summary: 'A gateway does not answer',
    description:
      'Prometheus cannot read the metrics of {{ with $labels.instance }}{{ . }}{{ else }}any gateway{{ end }}.',
  },
  {
    alert: 'PortwayReplicaMissing',
    expr: `max(${REPLICAS}) < max(max_over_time(${REPLICAS}[30m]))`,
    holdsFor: '2m',
    severity: 'warning',
    summary: 'The fleet has lost a replica',
    description: '{{ $value }} replicas are left; there were more within the last half hour.',
  },
  {
    alert: 'PortwayRedisAway',
    expr: `${select(METRICS.redisUp)} == 0`,
    holdsFor: '1m',
    severity: 'warning',
    summary: 'Redis does not answer {{ $labels.instance }}',
    description: 'It goes on with what it knew last, and its replicas hear nothing of each other.',
  },
  {
    alert: 'PortwayConfigReloadFailed',
    expr: `${select(METRICS.configLastReloadSuccessful)} == 0`,
    // a file that is written in two steps is half a config for a moment
    holdsFor: '1m',
    severity: 'warning',
    summary: '{{ $labels.instance }} has refused a new config',
    description: 'The one before it stays in force.',
  },
  {
    alert: 'PortwayCertificateExpires',
    expr: `${aggregate('min', ['listener', 'name'], select(METRICS.certificateExpiry))} - time() < ${SOON_S}`,
    // replicas take a renewed certificate up within seconds of each other
    holdsFor: '10m',
    severity: 'warning',
    summary: 'The certificate of {{ $labels.name }} expires soon',
    description:
      'It is good for {{ $value | humanizeDuration }} more at {{ $labels.listener }}; whatever renews it has not done so.',
  },
];

const OF_REPLICA = ['service', 'instance'];
const FAILS_OPEN = `${aggregate('max', OF_REPLICA, select(METRICS.serviceFailOpen))} == 1`;

/** Services and their backends. */
const SERVICE_ALERTS: readonly AlertRule[] = [
  {
    alert: 'PortwayServiceDown',
    expr: `${aggregate('max', OF_REPLICA, select(METRICS.backendEligible))} == 0\nunless ${FAILS_OPEN}`,
    holdsFor: '30s',
    severity: 'critical',
    summary: 'No backend of {{ $labels.service }} is eligible',
    description: 'As {{ $labels.instance }} sees it, every backend is out, and clients get 503.',
  },
  {
    alert: 'PortwayServiceFailsOpen',
    expr: FAILS_OPEN,
    holdsFor: '30s',
    severity: 'critical',
    summary: 'No backend of {{ $labels.service }} is eligible, and all are tried',
    description: 'As {{ $labels.instance }} sees it, every backend is out; clients get what they answer.',
  },
  {
    alert: 'PortwayBreakerFlapping',
    // 2 closings that fall inside 10 minutes are extrapolated to a little more than 2
    expr: `${aggregate('max', ['service', 'backend'], increase(select(METRICS.breakerTransitions, 'to="closed"'), '10m'))} > 2.5`,
    holdsFor: '1m',
    severity: 'warning',
    summary: 'The breaker of {{ $labels.backend }} opens again and again',
    description:
      'It has closed {{ $value | printf "%.0f" }} times in ten minutes: the backend of {{ $labels.service }} comes back and fails again.',
  },
  {
    alert: 'PortwayQueueSaturated',
    expr: `${aggregate('max', ['service', 'backend'], `min_over_time(${select(METRICS.poolPendingRequests)}[1m])`)} > 0`,
    holdsFor: '1m',
    severity: 'warning',
    summary: 'Requests queue for {{ $labels.backend }} without a break',
    description:
      'At least {{ $value }} waited for a connection all the time: {{ $labels.service }} gets more than its connections carry.',
  },
  {
    alert: 'PortwayRequestsTurnedAway',
    expr: `${sum(['route', 'reason'], rate(select(METRICS.rejectedRequests, `reason=~"${CROWDED}"`), '1m'))} > 0`,
    holdsFor: '1m',
    severity: 'critical',
    summary: 'Requests of {{ $labels.route }} are turned away',
    description: '{{ $value | humanize }} a second ({{ $labels.reason }}): there is no room for them.',
  },
  {
    alert: 'PortwayRetryBudgetExhausted',
    expr: `${sum(['service'], rate(select(METRICS.retries, 'outcome="budget"'), '1m'))} > 0`,
    holdsFor: '1m',
    severity: 'warning',
    summary: 'The retry budget of {{ $labels.service }} is spent',
    description:
      '{{ $value | humanize }} failed attempts a second are not tried again, and their clients see the failure.',
  },
];

export const STATE_ALERTS: readonly AlertRule[] = [...GATEWAY_ALERTS, ...SERVICE_ALERTS];
