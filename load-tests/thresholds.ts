/** What a run must reach: the one place for it. k6 ends with code 99 when a threshold does not hold. */
import type { Threshold } from 'k6/options';
import { ROUTE_NAMES, type RouteName } from './traffic/routes.ts';

export type ScenarioName =
  | 'smoke'
  | 'load'
  | 'stress'
  | 'spike'
  | 'soak'
  | 'breakpoint'
  | 'websocket'
  | 'chaos';

export type Thresholds = Readonly<Record<string, Threshold[]>>;

/** How long a user waits: a request that takes longer has failed. */
export const PATIENCE_MS = 10_000;

interface Budget {
  readonly p95Ms: number;
  readonly p99Ms: number;
}

/** Many times what the demo takes on an idle machine, so that a busy one (CI) passes and a stall does not. */
const READ: Budget = { p95Ms: 250, p99Ms: 1_000 };
/** A write may wait for another process's lock on the database file. */
const WRITE: Budget = { p95Ms: 500, p99Ms: 2_000 };

const BUDGETS: Readonly<Record<RouteName, Budget>> = {
  'web.page': READ,
  'web.asset': READ,
  'db.list': READ,
  'db.read': READ,
  'db.update': WRITE,
  'db.create': WRITE,
  'db.delete': WRITE,
  'files.range': READ,
  'files.upload': WRITE,
  'chat.rooms': READ,
};

/** k6 hands the summary only those series that a threshold names: these always hold and are left out of the report. */
const ALWAYS = { trend: 'max>=0', rate: 'rate>=0', counter: 'count>=0' } as const;
export const ALWAYS_TRUE: ReadonlySet<string> = new Set(Object.values(ALWAYS));

const NOTHING_FAILS = 'rate==0';
const EVERYTHING_STARTS = 'count==0';
/** Under more load than the demo bears, refusing some at once is right (DESIGN §3); an answer must still come soon. */
const SOME_REFUSED = 'rate<0.05';

/** The thresholds of a scenario, with what its report is made of. */
export function thresholdsOf(scenario: Exclude<ScenarioName, 'websocket' | 'chaos'>): Thresholds {
  switch (scenario) {
    case 'smoke':
    case 'load':
    case 'soak':
      return withReport(ordinary());
    case 'stress':
    case 'spike':
      return withReport({
        http_req_failed: [SOME_REFUSED],
        'http_req_duration{expected_response:true}': ['p(95)<2000'],
        checks: ['rate>0.95'],
      });
    case 'breakpoint':
      return withReport({
        http_req_failed: [breaking('rate<0.01')],
        'http_req_duration{expected_response:true}': [breaking('p(95)<1000')],
        // k6 itself may be what cannot keep up: the report then says so, and the rate is no finding about the gateway
        dropped_iterations: [breaking('count<500')],
      });
  }
}

function ordinary(): Thresholds {
  return {
    'http_req_failed{idempotent:yes}': [NOTHING_FAILS],
    'http_req_failed{idempotent:no}': [NOTHING_FAILS],
    checks: ['rate==1'],
    dropped_iterations: [EVERYTHING_STARTS],
    ...Object.fromEntries(
      ROUTE_NAMES.map((name) => {
        const { p95Ms, p99Ms } = BUDGETS[name];
        return [`http_req_duration{route:${name}}`, [`p(95)<${p95Ms}`, `p(99)<${p99Ms}`]];
      }),
    ),
  };
}

/** Users must see nothing of any fault: not one request that the gateway could have sent elsewhere fails or takes too long. */
export function chaosThresholds(faults: readonly string[], backends: readonly string[]): Thresholds {
  const ofFaults = faults.flatMap((fault) => [
    [`http_req_duration{idempotent:yes,fault:${fault}}`, [ALWAYS.trend]],
    [`http_req_failed{idempotent:yes,fault:${fault}}`, [NOTHING_FAILS]],
    ...backends.flatMap((backend) => [
      [`chaos_fault_start{fault:${fault},backend:${backend}}`, [ALWAYS.trend]],
      [`chaos_noticed{fault:${fault},backend:${backend}}`, [ALWAYS.trend]],
      [`chaos_out_already{fault:${fault},backend:${backend}}`, [ALWAYS.trend]],
      [`chaos_fault_end{fault:${fault},backend:${backend}}`, [ALWAYS.trend]],
      [`chaos_back{fault:${fault},backend:${backend}}`, [ALWAYS.trend]],
    ]),
  ]);
  return withReport({
    'http_req_failed{idempotent:yes}': [NOTHING_FAILS],
    checks: ['rate==1'],
    dropped_iterations: [EVERYTHING_STARTS],
    // a fault that was not injected proves nothing
    chaos_orders_failed: [EVERYTHING_STARTS],
    ...Object.fromEntries(ofFaults),
  });
}

/** Every session is welcomed, hears itself, and ends when it wants to. */
export function websocketThresholds(): Thresholds {
  return {
    checks: ['rate==1'],
    dropped_iterations: [EVERYTHING_STARTS],
    chat_sessions_failed: [NOTHING_FAILS],
    chat_echo: ['p(95)<250', 'p(99)<1000'],
    ws_connecting: ['p(95)<500'],
  };
}

function withReport(thresholds: Thresholds): Thresholds {
  const ofRoutes = ROUTE_NAMES.flatMap((name) => [
    [`http_req_duration{route:${name}}`, [ALWAYS.trend]],
    [`http_req_failed{route:${name}}`, [ALWAYS.rate]],
  ]);
  return {
    'http_req_failed{idempotent:yes}': [ALWAYS.rate],
    'http_req_failed{idempotent:no}': [ALWAYS.rate],
    'http_req_duration{idempotent:yes}': [ALWAYS.trend],
    ...Object.fromEntries(ofRoutes),
    ...thresholds,
  };
}

/** The end of a breakpoint run; a few seconds' grace, since the first requests are the slowest. */
function breaking(threshold: string): Threshold {
  return { threshold, abortOnFail: true, delayAbortEval: '5s' };
}
