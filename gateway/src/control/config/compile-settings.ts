import type {
  BalancePlan,
  HashKeyPlan,
  PoolPlan,
  ServicePlan,
  StickyPlan,
  TlsPlan,
} from '../../data/plan.ts';
import { compileConcurrency } from './compile-concurrency.ts';
import { compileBreaker, compileEjection, compileHealth, compileSlowStart } from './compile-health.ts';
import { compileRetry, compileRetryBudget } from './compile-retry.ts';
import { DEFAULTS } from './defaults.ts';
import type { Settings } from './settings.ts';
import { toMs } from './settings.ts';
import type { TlsFiles } from './tls-files.ts';

/** How a service is used, from its settings over the defaults. */
export function compileSettings(
  service: string,
  settings: Settings,
  tlsFiles: TlsFiles,
): Omit<ServicePlan, 'name' | 'backends' | 'sendProxyProtocol'> {
  const preset = DEFAULTS.timeouts;
  const { connect, head, idle, total, eventStream } = settings.timeouts ?? {};
  return {
    balance: compileBalance(settings),
    sticky: compileSticky(service, settings.sticky),
    pool: compilePool(settings.pool ?? {}),
    timeouts: {
      connectMs: toMs(connect ?? preset.connect),
      headMs: toMs(head ?? preset.head),
      idleMs: toMs(idle ?? preset.idle),
      totalMs: toMs(total ?? preset.total),
      eventStreamMs: toMs(eventStream ?? preset.eventStream),
    },
    tls: compileTls(settings.tls ?? {}, tlsFiles),
    retry: compileRetry(settings.retry),
    retryBudget: compileRetryBudget(settings.retry),
    health: compileHealth(settings.health),
    ejection: compileEjection(settings.ejection),
    breaker: compileBreaker(settings.breaker),
    slowStartMs: compileSlowStart(settings.slowStart),
    whenNoneEligible: settings.whenNoneEligible ?? DEFAULTS.whenNoneEligible,
    concurrency: compileConcurrency(settings.concurrency),
  };
}

function compileBalance(settings: Settings): BalancePlan {
  const kind = settings.balance ?? DEFAULTS.balance;
  if (kind !== 'hash') return { kind };
  const percent = settings.hashBalanceFactor ?? DEFAULTS.hashBalanceFactor;
  return {
    kind,
    key: compileHashKey(settings.hash ?? {}),
    balanceFactor: percent === false ? undefined : percent / 100,
  };
}

function compileHashKey(hash: NonNullable<Settings['hash']>): HashKeyPlan {
  if (hash.header !== undefined) return { from: 'header', name: hash.header.toLowerCase() };
  if (hash.cookie !== undefined) return { from: 'cookie', name: hash.cookie };
  return { from: hash.path === true ? 'path' : 'clientIp' };
}

function compileSticky(service: string, sticky: Settings['sticky']): StickyPlan | undefined {
  if (sticky === undefined || sticky === false) return undefined;
  return {
    cookie: sticky.cookie ?? `portway-${service}`,
    ttlMs: sticky.ttl === undefined ? undefined : toMs(sticky.ttl),
  };
}

function compilePool(pool: NonNullable<Settings['pool']>): PoolPlan {
  const preset = DEFAULTS.pool;
  return {
    maxConnections: pool.maxConnections ?? preset.maxConnections,
    maxQueue: pool.queue ?? preset.queue,
    queueTimeoutMs: toMs(pool.queueTimeout ?? preset.queueTimeout),
    idleTimeoutMs: toMs(pool.idleTimeout ?? preset.idleTimeout),
    maxRequests: pool.maxRequests ?? preset.maxRequests,
    maxAgeMs: toMs(pool.maxAge ?? preset.maxAge),
  };
}

function compileTls(tls: NonNullable<Settings['tls']>, files: TlsFiles): TlsPlan {
  return {
    ca: tls.ca === undefined ? undefined : files.authorities(tls.ca),
    serverName: tls.serverName?.toLowerCase(),
    verify: tls.verify ?? DEFAULTS.tls.verify,
  };
}
