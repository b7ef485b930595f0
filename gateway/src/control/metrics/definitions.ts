/**
 * Every metric of the gateway, once: the registry, docs/metrics.md, the dashboards and the alerts are all made from this
 * or checked against it. Base units; label values are bounded (names from the config, and fixed words).
 */

export interface MetricDefinition {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
}

const counter = (name: string, labels: readonly string[], help: string): MetricDefinition => ({
  name: `portway_${name}`,
  type: 'counter',
  help,
  labels,
});
const gauge = (name: string, labels: readonly string[], help: string): MetricDefinition => ({
  name: `portway_${name}`,
  type: 'gauge',
  help,
  labels,
});
const histogram = (name: string, labels: readonly string[], help: string): MetricDefinition => ({
  name: `portway_${name}`,
  type: 'histogram',
  help,
  labels,
});

export const METRICS = {
  requests: counter(
    'requests_total',
    ['route', 'service', 'method', 'code'],
    'Requests answered, by status; 499 is a client that left. Requests that met no route have the route "none".',
  ),
  requestDuration: histogram(
    'request_duration_seconds',
    ['route', 'service'],
    'From the head of a request to the end of its answer.',
  ),
  upstreamRequests: counter(
    'upstream_requests_total',
    ['service', 'backend', 'code'],
    'Attempts at a backend, by status; for those that came to none, the failure code.',
  ),
  upstreamDuration: histogram(
    'upstream_duration_seconds',
    ['service', 'backend'],
    'From the start of an attempt to the head of its answer, or to its failure.',
  ),
  poolConnections: gauge(
    'pool_connections',
    ['service', 'backend', 'state'],
    'Connections to a backend: active, idle or connecting.',
  ),
  poolMaxConnections: gauge(
    'pool_max_connections',
    ['service', 'backend'],
    'Connections that a backend may have at most.',
  ),
  poolPendingRequests: gauge(
    'pool_pending_requests',
    ['service', 'backend'],
    'Requests waiting for a connection to a backend.',
  ),
  poolConnects: counter(
    'pool_connects_total',
    ['service', 'backend', 'result'],
    'Connections opened to a backend: ok or failed.',
  ),
  poolReuses: counter(
    'pool_reuses_total',
    ['service', 'backend'],
    'Requests sent on a connection that was there.',
  ),
  poolClosed: counter(
    'pool_closed_total',
    ['service', 'backend', 'reason'],
    'Connections to a backend that ended, by why.',
  ),
  backendEligible: gauge(
    'backend_eligible',
    ['service', 'backend'],
    'Whether a backend may be picked: operator, probes, ejection and breaker all let it.',
  ),
  backendExcluded: gauge(
    'backend_excluded',
    ['service', 'backend', 'by'],
    'Which step keeps a backend out: admin, health, ejection or breaker; 1 for the first that does, 0 for the others.',
  ),
  serviceFailOpen: gauge(
    'service_fail_open',
    ['service'],
    'Whether backends that are not eligible are tried because none is (whenNoneEligible: all).',
  ),
  backendHealthy: gauge(
    'backend_healthy',
    ['service', 'backend'],
    'What probes say: 1 healthy (or not probed), 0 unhealthy or not known yet.',
  ),
  breakerState: gauge(
    'breaker_state',
    ['service', 'backend'],
    'The circuit breaker of a backend: 0 closed, 1 half-open, 2 open.',
  ),
  breakerTransitions: counter(
    'breaker_transitions_total',
    ['service', 'backend', 'to'],
    'Changes of a breaker, by the state it went to: closed, half-open, open.',
  ),
  ejections: counter(
    'ejections_total',
    ['service', 'backend'],
    'Times a backend was taken out because live traffic failed there.',
  ),
  healthChecks: counter(
    'health_checks_total',
    ['service', 'backend', 'result'],
    'Probes by this replica: success, failure or timeout.',
  ),
  retries: counter(
    'retries_total',
    ['service', 'reason', 'outcome'],
    'Attempts that asked for another, by what failed; the outcome is retried, or why not.',
  ),
  retryBudgetRemaining: gauge(
    'retry_budget_remaining',
    ['service'],
    'Retries that a service still allows in the window of ten seconds.',
  ),
  rejectedRequests: counter(
    'rejected_requests_total',
    ['route', 'reason'],
    'Requests that the gateway answered itself, by failure code. Those that met no route have the route "none".',
  ),
  concurrencyInFlight: gauge(
    'concurrency_in_flight',
    ['service'],
    'Requests under way of a service that has a concurrency limit.',
  ),
  concurrencyLimit: gauge('concurrency_limit', ['service'], 'What the requests under way are held to.'),
  concurrencyQueued: gauge('concurrency_queued', ['service'], 'Requests waiting for one under way to end.'),
  clientConnections: gauge(
    'client_connections',
    ['listener'],
    'Open connections of clients, by address; of a listener for udp (`udp host:port`, as it is `tcp host:port`), clients with a session.',
  ),
  tunnels: gauge(
    'tunnels',
    ['route'],
    'Open tunnels: WebSockets and other upgrades, CONNECT, TCP connections, UDP sessions. Those of a listener for tcp, udp or tunnels have a route that is named after it.',
  ),
  // not tunnels_total: OpenMetrics would have two families of one name
  tunnelsOpened: counter('tunnels_opened_total', ['route'], 'Tunnels that were opened.'),
  tunnelsEnded: counter(
    'tunnels_ended_total',
    ['route', 'reason'],
    'Tunnels that ended: client or backend, whichever closed first; idle; silent (no answer to a ping); protocol; drain; reload.',
  ),
  tunnelBytes: counter(
    'tunnel_bytes_total',
    ['route', 'direction'],
    'Bytes through tunnels: in is from clients to backends, out is back.',
  ),
  tunnelDuration: histogram(
    'tunnel_duration_seconds',
    ['route'],
    'How long the tunnels were open that have ended.',
  ),
  certificateExpiry: gauge(
    'certificate_expiry_timestamp_seconds',
    ['listener', 'name'],
    'When the certificate that a listener shows for a name ends, in seconds since 1970.',
  ),
  redisUp: gauge(
    'redis_up',
    [],
    'Whether Redis answers; 0 while it is away. Not there when no Redis is configured.',
  ),
  fleetReplicas: gauge('fleet_replicas', [], 'Live replicas of the fleet, this one among them.'),
  configReloads: counter(
    'config_reloads_total',
    ['result'],
    'Reloads of the config: succeeded, failed or unchanged.',
  ),
  configLastReloadSuccessful: gauge(
    'config_last_reload_successful',
    [],
    'Whether the last reload of the config was one that could be put in force; 1 before the first.',
  ),
  buildInfo: gauge('build_info', ['version', 'node'], 'Always 1; the labels say what runs.'),
} as const satisfies Readonly<Record<string, MetricDefinition>>;
