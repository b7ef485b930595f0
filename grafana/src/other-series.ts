import type { Series } from './promql.ts';

/** Every series in a query that is not the gateway's own: of Node and the process (prom-client's defaults), of k6, of Prometheus. */

const node = (name: string): Series => ({ name, type: 'gauge', labels: [] });

export const PROCESS = {
  eventLoopLagP99: node('nodejs_eventloop_lag_p99_seconds'),
  heapUsed: node('nodejs_heap_size_used_bytes'),
  heapTotal: node('nodejs_heap_size_total_bytes'),
  external: node('nodejs_external_memory_bytes'),
  resident: node('process_resident_memory_bytes'),
  cpu: { name: 'process_cpu_seconds_total', type: 'counter', labels: [] },
  gcDuration: { name: 'nodejs_gc_duration_seconds', type: 'histogram', labels: ['kind'] },
} as const satisfies Readonly<Record<string, Series>>;

/** Tags of a request: some of k6's own, and those of load-tests/. A trend is over the whole run so far, each with these labels. */
const REQUEST = ['scenario', 'route', 'method', 'status', 'expected_response', 'fault'];

/**
 * k6's remote write, with K6_PROMETHEUS_RW_TREND_STATS=p(50),p(95),p(99),max: a counter ends in `_total`, a rate in `_rate`,
 * a trend in its statistic, and times are in seconds.
 */
export const K6 = {
  requests: { name: 'k6_http_reqs_total', type: 'counter', labels: REQUEST },
  durationP50: { name: 'k6_http_req_duration_p50', type: 'gauge', labels: REQUEST },
  durationP95: { name: 'k6_http_req_duration_p95', type: 'gauge', labels: REQUEST },
  durationP99: { name: 'k6_http_req_duration_p99', type: 'gauge', labels: REQUEST },
  vus: { name: 'k6_vus', type: 'gauge', labels: [] },
  vusMax: { name: 'k6_vus_max', type: 'gauge', labels: [] },
  checks: { name: 'k6_checks_rate', type: 'gauge', labels: ['scenario', 'check'] },
  iterations: { name: 'k6_iterations_total', type: 'counter', labels: ['scenario'] },
  dropped: { name: 'k6_dropped_iterations_total', type: 'counter', labels: ['scenario'] },
  received: { name: 'k6_data_received_total', type: 'counter', labels: ['scenario'] },
  sent: { name: 'k6_data_sent_total', type: 'counter', labels: ['scenario'] },
} as const satisfies Readonly<Record<string, Series>>;

const ALERT_LABELS = ['alertname', 'severity', 'service', 'backend', 'route', 'reason'];

export const PROMETHEUS = {
  up: { name: 'up', type: 'gauge', labels: [] },
  alerts: { name: 'ALERTS', type: 'gauge', labels: [...ALERT_LABELS, 'alertstate'] },
  /** Its value is when the alert's condition began, in seconds since 1970. */
  alertsSince: { name: 'ALERTS_FOR_STATE', type: 'gauge', labels: ALERT_LABELS },
} as const satisfies Readonly<Record<string, Series>>;
