import { METRICS } from '../../../gateway/src/control/metrics/definitions.ts';
import { PROMETHEUS } from '../other-series.ts';
import { JOB } from '../promql.ts';
import type { AlertCase } from './rule-tests.ts';
import { at, ramp, steady } from './sample-series.ts';

/** When each alert about a state fires and when it must not. */

const HERE = { instance: 'gateway:9901', job: JOB };
const THERE = { instance: 'gateway-2:9901', job: JOB };
const ONE = { service: 'db', backend: '10.0.0.1:3001', ...HERE };
const OPEN = { service: 'open', backend: '10.0.0.3:3001', ...HERE };
const OTHER = { service: 'db', backend: '10.0.0.2:3001', ...HERE };

const TLS = { listener: '0.0.0.0:443' };
const WEEK_S = 7 * 86_400;

const GATEWAY_CASES: readonly AlertCase[] = [
  {
    alert: 'PortwayDown',
    name: 'a gateway that cannot be scraped',
    series: [at(PROMETHEUS.up, HERE, '1x8 0x40')],
    quietAt: ['2m'],
    firesAt: '4m',
    expects: [
      {
        labels: HERE,
        summary: 'A gateway does not answer',
        description: 'Prometheus cannot read the metrics of gateway:9901.',
      },
    ],
  },
  {
    alert: 'PortwayDown',
    name: 'no gateway that Prometheus knows of',
    series: [steady(PROMETHEUS.up, { instance: 'elsewhere', job: 'prometheus' }, 1)],
    quietAt: [],
    firesAt: '2m',
    expects: [
      {
        labels: { job: JOB },
        summary: 'A gateway does not answer',
        description: 'Prometheus cannot read the metrics of any gateway.',
      },
    ],
  },
  {
    alert: 'PortwayReplicaMissing',
    name: 'a fleet that had three replicas and has two',
    series: [at(METRICS.fleetReplicas, HERE, '3x40 2x200'), at(METRICS.fleetReplicas, THERE, '3x40 2x200')],
    // in time it counts as meant
    quietAt: ['10m', '11m', '45m'],
    firesAt: '15m',
    expects: [
      {
        labels: {},
        summary: 'The fleet has lost a replica',
        description: '2 replicas are left; there were more within the last half hour.',
      },
    ],
  },
  {
    alert: 'PortwayRedisAway',
    name: 'Redis that is away for more than a moment',
    series: [at(METRICS.redisUp, HERE, '1x20 0x2 1x20 0x40'), steady(METRICS.redisUp, THERE, 1)],
    quietAt: ['5m', '6m', '10m'],
    firesAt: '14m',
    expects: [
      {
        labels: HERE,
        summary: 'Redis does not answer gateway:9901',
        description: 'It goes on with what it knew last, and its replicas hear nothing of each other.',
      },
    ],
  },
  {
    alert: 'PortwayConfigReloadFailed',
    name: 'a config that was refused, until one is not; a file written in two steps is none',
    series: [
      // three samples of 0 are half a minute
      at(METRICS.configLastReloadSuccessful, HERE, '1x8 0x2 1x27 0x30 1x40'),
      steady(METRICS.configLastReloadSuccessful, THERE, 1),
    ],
    quietAt: ['2m', '3m', '9m', '10m', '18m'],
    firesAt: '13m',
    expects: [
      {
        labels: HERE,
        summary: 'gateway:9901 has refused a new config',
        description: 'The one before it stays in force.',
      },
    ],
  },
  {
    alert: 'PortwayCertificateExpires',
    name: 'a certificate of which a week is left, beside others that are renewed in time or lack a day for it',
    // tests begin at 1970
    series: [
      steady(METRICS.certificateExpiry, { ...TLS, name: 'a.test', ...HERE }, WEEK_S + 300),
      at(
        METRICS.certificateExpiry,
        { ...TLS, name: 'b.test', ...HERE },
        `${WEEK_S + 300}x30 ${WEEK_S * 12}x90`,
      ),
      steady(METRICS.certificateExpiry, { ...TLS, name: 'c.test', ...HERE }, WEEK_S + 86_400),
    ],
    quietAt: ['4m', '14m'],
    firesAt: '16m',
    expects: [
      {
        labels: { ...TLS, name: 'a.test' },
        summary: 'The certificate of a.test expires soon',
        description: 'It is good for 6d 23h 49m 0s more at 0.0.0.0:443; whatever renews it has not done so.',
      },
    ],
  },
];

const SERVICE_CASES: readonly AlertCase[] = [
  {
    alert: 'PortwayServiceDown',
    name: 'a service that has lost its last backend',
    series: [
      at(METRICS.backendEligible, ONE, '1x20 0x60'),
      at(METRICS.backendEligible, OTHER, '0x80'),
      steady(METRICS.serviceFailOpen, { service: 'db', ...HERE }, 0),
      // all are tried: that has an alert of its own
      steady(METRICS.backendEligible, OPEN, 0),
      steady(METRICS.serviceFailOpen, { service: 'open', ...HERE }, 1),
    ],
    quietAt: ['3m', '5m'],
    firesAt: '6m',
    expects: [
      {
        labels: { service: 'db', instance: 'gateway:9901' },
        summary: 'No backend of db is eligible',
        description: 'As gateway:9901 sees it, every backend is out, and clients get 503.',
      },
    ],
  },
  {
    alert: 'PortwayServiceFailsOpen',
    name: 'a service that tries backends that are out',
    series: [
      at(METRICS.serviceFailOpen, { service: 'db', ...HERE }, '0x20 1x60'),
      steady(METRICS.serviceFailOpen, { service: 'db', ...THERE }, 0),
    ],
    quietAt: ['3m', '5m'],
    firesAt: '6m',
    expects: [
      {
        labels: { service: 'db', instance: 'gateway:9901' },
        summary: 'No backend of db is eligible, and all are tried',
        description: 'As gateway:9901 sees it, every backend is out; clients get what they answer.',
      },
    ],
  },
  {
    alert: 'PortwayBreakerFlapping',
    name: 'a breaker that closes three times in ten minutes',
    series: [
      at(METRICS.breakerTransitions, { ...ONE, to: 'closed' }, '0x20 1x8 2x8 3x60'),
      // a backend that stays down: its breaker tries and opens again, and never closes
      ramp(METRICS.breakerTransitions, { ...OTHER, to: 'open' }, 1),
      at(METRICS.breakerTransitions, { ...OTHER, to: 'closed' }, '0x20 1x8 2x80'),
    ],
    quietAt: ['7m', '21m'],
    firesAt: '11m',
    expects: [
      {
        labels: { service: 'db', backend: '10.0.0.1:3001' },
        summary: 'The breaker of 10.0.0.1:3001 opens again and again',
        description: 'It has closed 3 times in ten minutes: the backend of db comes back and fails again.',
      },
    ],
  },
  {
    alert: 'PortwayQueueSaturated',
    name: 'a queue that never empties, beside one that does',
    series: [
      at(METRICS.poolPendingRequests, ONE, '0x20 7x40'),
      at(
        METRICS.poolPendingRequests,
        OTHER,
        '9 9 0 9 9 0 9 9 0 9 9 0 9 9 0 9 9 0 9 9 0 9 9 0 9 9 0 9 9 0 9 9 0 9 9 0 9',
      ),
    ],
    quietAt: ['5m', '6m'],
    firesAt: '8m',
    expects: [
      {
        labels: { service: 'db', backend: '10.0.0.1:3001' },
        summary: 'Requests queue for 10.0.0.1:3001 without a break',
        description:
          'At least 7 waited for a connection all the time: db gets more than its connections carry.',
      },
    ],
  },
  {
    alert: 'PortwayRequestsTurnedAway',
    name: 'a queue that overflows; a path without a route is nothing to be woken for',
    series: [
      at(METRICS.rejectedRequests, { route: '/db', reason: 'queue_full', ...HERE }, '0x20 15+15x40'),
      ramp(METRICS.rejectedRequests, { route: 'none', reason: 'no_route', ...HERE }, 100),
    ],
    quietAt: ['5m', '6m'],
    firesAt: '8m',
    expects: [
      {
        labels: { route: '/db', reason: 'queue_full' },
        summary: 'Requests of /db are turned away',
        description: '1 a second (queue_full): there is no room for them.',
      },
    ],
  },
  {
    alert: 'PortwayRetryBudgetExhausted',
    name: 'retries that the budget forbids; those that it allows are well',
    series: [
      at(METRICS.retries, { service: 'db', reason: 'reset', outcome: 'budget', ...HERE }, '0x20 30+30x40'),
      ramp(METRICS.retries, { service: 'web', reason: 'reset', outcome: 'retried', ...HERE }, 30),
    ],
    quietAt: ['5m', '6m'],
    firesAt: '8m',
    expects: [
      {
        labels: { service: 'db' },
        summary: 'The retry budget of db is spent',
        description: '2 failed attempts a second are not tried again, and their clients see the failure.',
      },
    ],
  },
];

export const STATE_CASES: readonly AlertCase[] = [...GATEWAY_CASES, ...SERVICE_CASES];
