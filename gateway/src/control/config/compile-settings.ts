import type {
  BalancePlan,
  HashKeyPlan,
  PoolPlan,
  RetryPlan,
  ServicePlan,
  StickyPlan,
  TlsPlan,
} from '../../data/plan.ts';
import { DEFAULTS } from './defaults.ts';
import { checked } from './parsed.ts';
import { parseSize } from './quantities.ts';
import type { Settings } from './settings.ts';
import { toMs } from './settings.ts';
import type { TlsFiles } from './tls-files.ts';

/** How a service is used, from its settings over the defaults. */
export function compileSettings(
  service: string,
  settings: Settings,
  tlsFiles: TlsFiles,
): Omit<ServicePlan, 'name' | 'backends'> {
  const preset = DEFAULTS.timeouts;
  const { connect, head, idle, total } = settings.timeouts ?? {};
  return {
    balance: compileBalance(settings),
    sticky: compileSticky(service, settings.sticky),
    pool: compilePool(settings.pool ?? {}),
    timeouts: {
      connectMs: toMs(connect ?? preset.connect),
      headMs: toMs(head ?? preset.head),
      idleMs: toMs(idle ?? preset.idle),
      totalMs: toMs(total ?? preset.total),
    },
    tls: compileTls(settings.tls ?? {}, tlsFiles),
    retry: compileRetry(settings.retry ?? {}),
    retryBudget: { percent: DEFAULTS.retry.budgetPercent, minPerSecond: DEFAULTS.retry.minPerSecond },
    health: undefined,
    ejection: undefined,
    breaker: undefined,
    slowStartMs: 0,
    whenNoneEligible: 'reject',
    concurrency: undefined,
  };
}

function compileBalance(settings: Settings): BalancePlan {
  const kind = settings.balance ?? DEFAULTS.balance;
  return kind === 'hash' ? { kind, key: compileHashKey(settings.hash ?? {}) } : { kind };
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
    ca: tls.ca === undefined ? undefined : files.get(tls.ca),
    serverName: tls.serverName?.toLowerCase(),
    verify: tls.verify ?? DEFAULTS.tls.verify,
  };
}

function compileRetry(retry: NonNullable<Settings['retry']>): RetryPlan | undefined {
  if (retry === false) return undefined;
  const preset = DEFAULTS.retry;
  return {
    attempts: retry.attempts ?? preset.attempts,
    on: ['connect-failure', 'reset', 'timeout'],
    perTryTimeoutMs: 0,
    backoffMs: 25,
    hedge: undefined,
    maxBodyBytes: checked(parseSize(retry.maxBodySize ?? preset.maxBodySize)),
    nonIdempotent: retry.nonIdempotent ?? preset.nonIdempotent,
  };
}
