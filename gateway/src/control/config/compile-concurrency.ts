import type { ConcurrencyPlan } from '../../data/plan.ts';
import { DEFAULTS } from './defaults.ts';
import type { Settings } from './settings.ts';
import { toMs } from './settings.ts';

/** The limit of a service or of a route; undefined without one. */
export function compileConcurrency(concurrency: Settings['concurrency']): ConcurrencyPlan | undefined {
  if (!concurrency) return undefined;
  const preset = DEFAULTS.concurrency;
  return {
    max: concurrency.max ?? preset.adaptiveMax,
    queue: concurrency.queue ?? preset.queue,
    queueTimeoutMs: toMs(concurrency.queueTimeout ?? preset.queueTimeout),
    adaptive: concurrency.adaptive ?? preset.adaptive,
  };
}
