import { METRICS } from '../../../gateway/src/control/metrics/definitions.ts';
import { SLOW_SECONDS } from '../objectives.ts';
import type { AlertCase } from './rule-tests.ts';
import { at, ramp, type SampleSeries } from './sample-series.ts';

/** When each alert about an objective fires and when it must not. Every service gets 1000 requests a sample. */

const EVERY = 1_000;

export const BURN_RATE_CASES: readonly AlertCase[] = [
  {
    alert: 'PortwayAvailabilityBurnsFast',
    name: '2 % of failures, whoever leaves; not 1 %, nor five bad minutes, nor an hour that is over',
    series: [
      ...answers('db', 20),
      ...answers('web', 10),
      // 2 % of those that stayed
      ...answers('left', 20, '0+1000x120'),
      // 10 % for five minutes are 0.8 % of the hour
      ...answers('burst', '0x65 100+100x4 500x50'),
      // 5 % until half an hour ago are still 2.5 % of the hour, but none of the last five minutes
      ...answers('over', '0+50x40 2000x80'),
    ],
    quietAt: ['1m'],
    firesAt: '70m',
    expects: ['db', 'left'].map((service) => ({
      labels: { service },
      summary: `Many requests of ${service} fail`,
      description:
        '2% of its requests ended in a 5xx in the last hour: more than 14.4 times the 0.1 % that may.',
    })),
  },
  {
    alert: 'PortwayAvailabilityBurnsSlowly',
    name: '1 % of failures; 0.5 % is within the pace',
    series: [...answers('db', 10), ...answers('web', 5)],
    quietAt: ['10m'],
    firesAt: '100m',
    expects: [
      {
        labels: { service: 'db' },
        summary: 'Requests of db keep failing',
        description:
          '1% of its requests ended in a 5xx in the last six hours: more than 6 times the 0.1 % that may.',
      },
    ],
  },
  {
    alert: 'PortwayLatencyBurnsFast',
    name: '20 % of slow answers; 10 % is slow burn',
    series: [...durations('db', 200), ...durations('web', 100)],
    quietAt: ['1m'],
    firesAt: '70m',
    expects: [
      {
        labels: { service: 'db' },
        summary: 'Many requests of db are slow',
        description:
          '20% of its requests took longer than 0.5 s in the last hour: more than 14.4 times the 1 % that may.',
      },
    ],
  },
  {
    alert: 'PortwayLatencyBurnsSlowly',
    name: '10 % of slow answers; 5 % is within the pace',
    series: [...durations('db', 100), ...durations('web', 50)],
    quietAt: ['10m'],
    firesAt: '100m',
    expects: [
      {
        labels: { service: 'db' },
        summary: 'Requests of db keep being slow',
        description:
          '10% of its requests took longer than 0.5 s in the last six hours: more than 6 times the 1 % that may.',
      },
    ],
  },
];

/** So many failures for 1000 other answers, or as promtool's notation has it; `left` are clients that did not wait. */
function answers(service: string, failures: number | string, left = '0x120'): SampleSeries[] {
  const labels = { route: `/${service}`, service, method: 'GET' };
  const failed = typeof failures === 'string' ? failures : `0+${failures}x120`;
  return [
    ramp(METRICS.requests, { ...labels, code: '200' }, EVERY - (typeof failures === 'number' ? failures : 0)),
    at(METRICS.requests, { ...labels, code: '503' }, failed),
    at(METRICS.requests, { ...labels, code: '499' }, left),
  ];
}

function durations(service: string, slow: number): SampleSeries[] {
  const labels = { route: `/${service}`, service };
  return [
    ramp(METRICS.requestDuration, { ...labels, le: `${SLOW_SECONDS}` }, EVERY - slow, '_bucket'),
    ramp(METRICS.requestDuration, { ...labels, le: '+Inf' }, EVERY, '_bucket'),
    ramp(METRICS.requestDuration, labels, EVERY, '_count'),
  ];
}
