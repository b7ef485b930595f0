import type { Clock } from '../../time.ts';

/**
 * What `work` comes to, or a rejection with `late()` after `timeoutMs`. Work that is late goes on, unheard: its
 * rejection is nobody's.
 */
export function within<T>(clock: Clock, timeoutMs: number, work: Promise<T>, late: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = after(clock, timeoutMs, () => reject(late()));
    work.then(resolve, reject).finally(stop);
  });
}

/** Calls `action` once, `delayMs` from now or up to a tenth later; returns what prevents it. */
export function after(clock: Clock, delayMs: number, action: () => void): () => void {
  const dueMs = clock.now() + delayMs;
  const stop = clock.every(Math.max(1, Math.ceil(delayMs / 10)), () => {
    if (clock.now() < dueMs) return;
    stop();
    action();
  });
  return stop;
}
