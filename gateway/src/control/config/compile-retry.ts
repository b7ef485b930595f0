import type { RetryBudgetPlan, RetryPlan } from '../../data/plan.ts';
import { DEFAULTS } from './defaults.ts';
import { parseHedge } from './hedge.ts';
import { checked } from './parsed.ts';
import { parseSize } from './quantities.ts';
import type { Settings } from './settings.ts';
import { toMs } from './settings.ts';

/** The retries of a service, or of a route over its service. */
export function compileRetry(retry: Settings['retry']): RetryPlan | undefined {
  if (retry === false) return undefined;
  const own = retry ?? {};
  const preset = DEFAULTS.retry;
  const hedge = own.hedge ?? preset.hedge;
  return {
    attempts: own.attempts ?? preset.attempts,
    on: [...new Set(own.on ?? preset.on)].filter((condition) => condition !== undefined),
    perTryTimeoutMs: toMs(own.perTryTimeout ?? preset.perTryTimeout),
    backoffMs: toMs(own.backoff ?? preset.backoff),
    maxBodyBytes: checked(parseSize(own.maxBodySize ?? preset.maxBodySize)),
    nonIdempotent: own.nonIdempotent ?? preset.nonIdempotent,
    hedge: hedge === false ? undefined : checked(parseHedge(hedge)),
  };
}

/** What the retries of a service, its routes' too, may come to; a service without retries may have routes with them. */
export function compileRetryBudget(retry: Settings['retry']): RetryBudgetPlan {
  const { budgetPercent, minPerSecond } = retry || {};
  return {
    percent: budgetPercent ?? DEFAULTS.retry.budgetPercent,
    minPerSecond: minPerSecond ?? DEFAULTS.retry.minPerSecond,
  };
}
