import type { BackendStatus, DataStatus, ServiceStatus } from '../../data/port.ts';
import type { Rates } from './traffic-rates.ts';
import type { TrafficKey } from './traffic-window.ts';

/** Something that is not as it should be, now. */
export interface Problem {
  /** The same as long as it is the same problem. */
  readonly key: string;
  /** `error`: requests fail; `warn`: they may soon; `note`: somebody wants it so. */
  readonly severity: 'error' | 'warn' | 'note';
  /** What it is about. */
  readonly subject: string;
  readonly text: string;
  readonly route?: string;
  readonly service?: string;
  readonly backend?: string;
}

export interface Observed {
  readonly status: DataStatus;
  readonly about: object;
  readonly rates: (key: TrafficKey) => Rates | undefined;
  /** Services whose retry budget has been more than nothing: where it never is, that is meant so. */
  readonly hadRetries: ReadonlySet<string>;
  /** Since 1970. */
  readonly nowMs: number;
}

/** Of the requests of ten seconds. */
const NOTABLE_ERRORS = 5;
const NOTABLE_ERROR_SHARE = 0.01;

const RANK = { error: 0, warn: 1, note: 2 } as const;

/** Everything that is wrong, the worst first. */
export function findProblems(observed: Observed): readonly Problem[] {
  const { status, about } = observed;
  const found = [
    ...ofGateway(status, about),
    ...ofCertificates(about, observed.nowMs),
    ...status.services.flatMap((service) => ofService(service, observed)),
    ...status.routes.flatMap(({ name, service }) => ofRoute(name, service, observed)),
  ];
  return found.sort((one, other) => RANK[one.severity] - RANK[other.severity]);
}

function ofGateway({ draining }: DataStatus, about: object): readonly Problem[] {
  const subject = 'Gateway';
  const problems: Problem[] = [];
  if (draining) problems.push({ key: 'draining', severity: 'warn', subject, text: 'is shutting down' });
  const redis = memberOf(about, 'redis');
  if (memberOf(redis, 'up') === false) {
    const reason = memberOf(redis, 'reason');
    const text = `is away${typeof reason === 'string' ? ` (${reason})` : ''}; what was last known stands`;
    problems.push({ key: 'redis', severity: 'warn', subject: 'Redis', text });
  }
  const refused = memberOf(memberOf(about, 'reloads'), 'lastProblems');
  if (Array.isArray(refused) && refused.length > 0) {
    const text = `the last reload was refused, the config before it is in force: ${refused.join('; ')}`;
    problems.push({ key: 'reload', severity: 'warn', subject: 'Config', text });
  }
  return problems;
}

const DAY_MS = 86_400_000;
/** When who renews certificates by hand has to begin; machines have done it long before. */
const SOON_MS = 7 * DAY_MS;

function ofCertificates(about: object, nowMs: number): readonly Problem[] {
  const certificates = memberOf(about, 'certificates');
  if (!Array.isArray(certificates)) return [];
  return certificates.flatMap((one: unknown) => {
    const [name, listener] = [String(memberOf(one, 'name')), String(memberOf(one, 'listener'))];
    const leftMs = Number(memberOf(one, 'expiresMs')) - nowMs;
    if (!(leftMs < SOON_MS)) return [];
    const days = Math.floor(leftMs / DAY_MS);
    const left = days < 1 ? 'within a day' : days === 1 ? 'in a day' : `in ${days} days`;
    const text =
      leftMs <= 0 ? `at ${listener} has expired: clients refuse it` : `at ${listener} expires ${left}`;
    const severity = leftMs <= 0 ? 'error' : 'warn';
    return [{ key: `certificate\n${listener}\n${name}`, severity, subject: `Certificate of ${name}`, text }];
  });
}

/** Whether a listener leads there, and no route. */
function isOfConnections({ name }: ServiceStatus, { status: { listeners } }: Observed): boolean {
  return listeners.some(({ services }) => services.includes(name));
}

function ofService(service: ServiceStatus, observed: Observed): readonly Problem[] {
  const { name, backends, eligible, failOpen, concurrency, retryBudgetRemaining } = service;
  const about = { subject: name, service: name };
  const problems: Problem[] = [];
  if (eligible === 0) {
    const text =
      backends.length === 0
        ? 'has no backend'
        : failOpen
          ? 'no backend is eligible; all are tried (whenNoneEligible: all)'
          : `no backend is eligible; ${isOfConnections(service, observed) ? 'clients are turned away' : 'requests are answered 503'}`;
    problems.push({ key: `none\n${name}`, severity: 'error', ...about, text });
  }
  if (concurrency !== undefined && concurrency.queued > 0) {
    const { limit, queued } = concurrency;
    const text = `its limit of ${Math.floor(limit)} requests under way is reached, ${queued} wait`;
    problems.push({ key: `limit\n${name}`, severity: 'warn', ...about, text });
  }
  if (retryBudgetRemaining < 1 && observed.hadRetries.has(name)) {
    const text = 'its retry budget is used up; what fails is not tried again';
    problems.push({ key: `budget\n${name}`, severity: 'warn', ...about, text });
  }
  return [...problems, ...backends.flatMap((backend) => ofBackend(name, backend))];
}

function ofBackend(service: string, backend: BackendStatus): readonly Problem[] {
  const { name, excludedBy, reason, breaker, pool } = backend;
  const about = { subject: `${name} of ${service}`, service, backend: name };
  const problems: Problem[] = [];
  if (excludedBy !== undefined) {
    const severity = excludedBy === 'admin' ? 'note' : 'warn';
    problems.push({ key: outKey(service, backend), severity, ...about, text: reason ?? 'is out' });
  } else if (breaker !== 'closed') {
    const text = `breaker ${breaker}: a few requests are let through on trial`;
    problems.push({ key: outKey(service, backend), severity: 'warn', ...about, text });
  }
  if (pool.queued > 0 && pool.active >= pool.max) {
    const text = `all ${pool.max} connections are in use, ${pool.queued} requests wait`;
    problems.push({ key: `pool\n${service}\n${name}`, severity: 'warn', ...about, text });
  }
  return problems;
}

/** The key of the problem that a backend is not fully in. */
export function outKey(service: string, { name, excludedBy, breaker }: BackendStatus): string {
  return `out\n${service}\n${name}\n${excludedBy ?? breaker}`;
}

function ofRoute(route: string, service: string, { rates }: Observed): readonly Problem[] {
  const { errors = 0, errorShare = 0 } = rates({ of: 'route', route }) ?? {};
  if (errorShare === null || errors < NOTABLE_ERRORS || errorShare < NOTABLE_ERROR_SHARE) return [];
  const percent = errorShare < 0.1 ? (errorShare * 100).toFixed(1) : Math.round(errorShare * 100);
  const text = `${percent} % of its requests are answered 5xx`;
  return [{ key: `errors\n${route}`, severity: 'error', subject: `Route ${route}`, text, route, service }];
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
