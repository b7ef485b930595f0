import type { ProblemCase } from './problem-table.ts';
import { REST, withRoutes, withService } from './problem-table.ts';

/** Health, ejection, breakers, retries and concurrency, of services and of routes. */
export const RESILIENCE_CASES: readonly ProblemCase[] = [
  {
    name: 'a percentage with its sign',
    text: withService('ejection: { maxPercent: 50% }'),
    said: ['4:29: maxPercent: expected a whole number from 1 to 100, got "50%"; did you mean 50?'],
  },
  {
    name: 'a percentage past 100',
    text: withService('ejection: { failurePercent: 101 }'),
    said: ['4:33: failurePercent: 101 is not 1 to 100'],
  },
  {
    name: 'blocks of other gateways',
    text: withService('healthCheck: {}', 'outlierDetection: {}', 'circuitBreaker: {}', 'inFlight: {}'),
    said: [
      '4:5: unknown key healthCheck in a; did you mean health?',
      '5:5: unknown key outlierDetection in a; did you mean ejection?',
      '6:5: unknown key circuitBreaker in a; did you mean breaker?',
      '7:5: unknown key inFlight in a; did you mean concurrency?',
    ],
  },
  {
    name: 'a health timeout longer than its interval',
    text: withService('health: { interval: 1s, timeout: 1500ms }'),
    said: [
      '4:38: warning: health.timeout (1500ms) is longer than health.interval (1s): a probe may outlast its turn',
    ],
  },
  {
    name: 'a health timeout longer than the default interval',
    text: withService('health: { timeout: 6s }'),
    said: [
      '4:24: warning: health.timeout (6s) is longer than health.interval (5s): a probe may outlast its turn',
    ],
  },
  {
    name: 'a health interval shorter than the default timeout, which nobody wrote',
    text: withService('health: { interval: 1s }'),
    said: [],
  },
  {
    name: 'a first time longer than the longest',
    text: withService('ejection: { baseTime: 10m }', 'breaker: { openTime: 2m }'),
    said: [
      '4:27: ejection.baseTime (10m) is longer than ejection.maxTime (5m): the first would be longer than the longest',
      '5:26: breaker.openTime (2m) is longer than breaker.maxOpenTime (60s): the first would be longer than the longest',
    ],
  },
  {
    name: 'a longest time shorter than the first, which nobody wrote',
    text: withService('ejection: { maxTime: 5s }', 'breaker: { maxOpenTime: 1s }'),
    said: [
      '4:26: ejection.baseTime (10s) is longer than ejection.maxTime (5s): the first would be longer than the longest',
      '5:29: breaker.openTime (5s) is longer than breaker.maxOpenTime (1s): the first would be longer than the longest',
    ],
  },
  {
    name: 'a longest time of a service shorter than the first of defaults',
    text: `defaults: { breaker: { openTime: 20s } }\n${withService('breaker: { maxOpenTime: 10s }')}`,
    said: [
      '5:29: breaker.openTime (20s) is longer than breaker.maxOpenTime (10s): the first would be longer than the longest',
    ],
  },
  {
    name: 'a tcp probe with what only http has',
    text: withService('health: { type: tcp, path: /, status: 200, headers: {}, host: h, body: ok }'),
    said: [
      '4:26: path: a tcp probe only connects; path is for type: http',
      '4:35: status: a tcp probe only connects; status is for type: http',
      '4:48: headers: a tcp probe only connects; headers is for type: http',
      '4:61: host: a tcp probe only connects; host is for type: http',
      '4:70: body: a tcp probe only connects; body is for type: http',
    ],
  },
  {
    name: 'a tcp probe with a path in defaults, said once',
    text: `defaults: { health: { type: tcp, path: / } }\n${REST}`,
    said: ['1:34: path: a tcp probe only connects; path is for type: http'],
  },
  {
    name: 'a tcp probe of a service over an http probe of defaults',
    text: `defaults: { health: { path: /h } }\n${withService('health: { type: tcp }')}`,
    said: [],
  },
  {
    name: 'a probe path without its slash',
    text: withService('health: { path: health }'),
    said: ['4:21: path: health does not start with /; did you mean /health?'],
  },
  {
    name: 'a status range that ends before it starts',
    text: withService('health: { status: 399-200 }'),
    said: ['4:23: status: 399-200 ends before it starts; did you mean 200-399?'],
  },
  {
    name: 'a body to look for that is empty',
    text: withService('health: { body: "" }'),
    said: ['4:21: body: is empty'],
  },
  {
    name: 'a body to look for that is too long',
    text: withService(`health: { body: ${'x'.repeat(1025)} }`),
    said: ['4:21: body: is 1025 characters long; at most 1024'],
  },
  {
    name: 'a share of slow answers without what is slow',
    text: withService('breaker: { slowPercent: 50 }'),
    said: ['4:16: warning: slowPercent: has no effect without slowCall, which says what is slow'],
  },
  {
    name: 'the same in defaults, with no service that says what is slow',
    text: `defaults: { breaker: { slowPercent: 50 } }\n${REST}`,
    said: ['1:24: warning: slowPercent: has no effect without slowCall, which says what is slow'],
  },
  {
    name: 'a share of slow answers in defaults, and what is slow in a service',
    text: `defaults: { breaker: { slowPercent: 50 } }\n${withService('breaker: { slowCall: 1s }')}`,
    said: [],
  },
  {
    name: 'a misspelled condition of a retry',
    text: withService('retry: { on: [connect-failures, 5xx, 501] }'),
    said: [
      '4:19: on[0]: connect-failures is not known; did you mean connect-failure?',
      '4:37: on[1]: 5xx is not one of connect-failure, reset, timeout, 500, 502, 503, 504, grpc-unavailable, grpc-resource-exhausted, grpc-deadline-exceeded',
      '4:42: on[2]: 501 is not known; did you mean 500?',
    ],
  },
  {
    name: 'retries on nothing',
    text: withService('retry: { on: [] }'),
    said: ['4:18: on: at least one is needed'],
  },
  {
    name: 'a budget out of range',
    text: withService('retry: { budgetPercent: 101, minPerSecond: 100001, backoff: 2m }'),
    said: [
      '4:29: budgetPercent: 101 is not 1 to 100',
      '4:48: minPerSecond: 100001 is not 0 to 100000',
      '4:65: backoff: 2m is too long; at most 1m',
    ],
  },
  {
    name: 'hedges that are none',
    text: withRoutes(
      ...['95%', '0', 'p100', 'true', '0ms', '25d', '95th'].map(
        (hedge) => `path: /${hedge.replace('%', '')}, retry: { hedge: ${hedge} }`,
      ),
    ),
    said: [
      '3:34: hedge: 95% is neither a duration such as 50ms nor a percentile from p50 to p99.9; did you mean p95?',
      '4:33: hedge: 0 is neither a duration such as 50ms nor a percentile from p50 to p99.9; did you mean false?',
      '5:36: hedge: p100 is neither a duration such as 50ms nor a percentile from p50 to p99.9',
      '6:36: hedge: expected a duration such as 50ms, a percentile of recent latencies from p50 to p99.9, or false, got true',
      '7:35: hedge: 0ms would send everything twice; did you mean false?',
      '8:35: hedge: 25d is too long; at most 24d',
      '9:36: hedge: 95th is neither a duration such as 50ms nor a percentile from p50 to p99.9; did you mean p95?',
    ],
  },
  {
    name: 'an attempt and a hedge that outlast the whole',
    text: withService('retry: { perTryTimeout: 3s, hedge: 4s }', 'timeouts: { total: 2s }'),
    said: [
      '4:29: retry.perTryTimeout (3s) is longer than timeouts.total (2s): it can never run out',
      '4:40: retry.hedge (4s) is longer than timeouts.total (2s): it would never start',
      '4:40: retry.hedge (4s) is longer than retry.perTryTimeout (3s): it would never start',
    ],
  },
  {
    name: 'a queue before a limit longer than the whole',
    text: withService('concurrency: { max: 1, queueTimeout: 3s }', 'timeouts: { total: 2s }'),
    said: [
      '4:42: concurrency.queueTimeout (3s) is longer than timeouts.total (2s): a request would be given up while it still waits',
    ],
  },
  {
    name: 'a concurrency limit without a limit',
    text: withService('concurrency: { queue: 1 }'),
    said: ['4:18: concurrency: max is missing (or adaptive: true, which finds it)'],
  },
  {
    name: 'the same in defaults, said once, and not of services that have one',
    text: `defaults: { concurrency: { queue: 1 } }
services:
  a: { backends: [http://h:1] }
  b: { backends: [http://h:2] }
  c: { backends: [http://h:3], concurrency: { max: 1 } }
routes: [{ path: /, service: a }, { path: /b, service: b }, { path: /c, service: c }]
`,
    said: ['1:26: concurrency: max is missing (or adaptive: true, which finds it)'],
  },
  {
    name: 'a concurrency limit that is broken',
    text: withService('concurrency: { max: 0 }'),
    said: ['4:25: max: 0 is not 1 to 1000000'],
  },
  {
    name: 'a concurrency limit that is only a number',
    text: withService('concurrency: 100'),
    said: ['4:18: concurrency: expected a block of keys or false, got 100'],
  },
  {
    name: 'a concurrency limit of a route without a limit',
    text: withRoutes('path: /, concurrency: {}'),
    said: ['3:29: concurrency: max is missing (or adaptive: true, which finds it)'],
  },
  {
    name: 'a budget in a route',
    text: withRoutes('path: /, retry: { budgetPercent: 10, minPerSecond: 1 }'),
    said: [
      '3:25: unknown key budgetPercent in retry; it is a key of the retry of a service, whose routes share one budget',
      '3:44: unknown key minPerSecond in retry; it is a key of the retry of a service, whose routes share one budget',
    ],
  },
  {
    name: 'a priority that is none',
    text: withRoutes('path: /, priority: highest'),
    said: ['3:26: priority: highest is not known; did you mean high?'],
  },
  {
    name: 'a priority in a service',
    text: withService('priority: low'),
    said: ['4:5: unknown key priority in a; it is a key of a route'],
  },
  {
    name: 'a retry that belongs elsewhere',
    text: `retry: {}\n${REST}`,
    said: ['1:1: unknown key retry in the config; it is a key of a service or a route'],
  },
  {
    name: 'an attempt of a route that outlasts its service’s whole',
    text: `defaults: { timeouts: { total: 2s } }\n${withRoutes('path: /, retry: { perTryTimeout: 3s }')}`,
    said: ['4:40: retry.perTryTimeout (3s) is longer than timeouts.total (2s): it can never run out'],
  },
  {
    name: 'a whole of a route that is shorter than what its service allows',
    text: `defaults: { timeouts: { head: 20s }, retry: { perTryTimeout: 10s } }\n${withRoutes('path: /, timeouts: { total: 2s }')}`,
    said: [],
  },
];
