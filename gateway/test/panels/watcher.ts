import { setTimeout as delay } from 'node:timers/promises';
import type { Prometheus } from '../../../grafana/test/support/prometheus.ts';

const LOOK_EVERY_MS = 100;
/** What happens is scraped within a second, and comes well before that. */
const PATIENCE_MS = 20_000;

export const nowSeconds = (): number => Date.now() / 1_000;

/** Resolves when Prometheus has something for each of `exprs`, at the same time or not. Rejects when it has not in 20 s. */
export async function untilSeen(prometheus: Prometheus, ...exprs: readonly string[]): Promise<void> {
  const giveUpMs = performance.now() + PATIENCE_MS;
  const open = new Set(exprs);
  for (;;) {
    for (const expr of open) {
      if ((await prometheus.query(expr, nowSeconds())).length > 0) open.delete(expr);
    }
    if (open.size === 0) return;
    if (performance.now() > giveUpMs) throw new Error(`Prometheus has not seen ${[...open].join('\n')}`);
    await delay(LOOK_EVERY_MS);
  }
}
