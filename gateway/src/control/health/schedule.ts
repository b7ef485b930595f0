import type { Random } from '../../time.ts';

/** How often a backend is asked whose verdict is changing, or that fell a short while ago. */
const HURRIED_MS = 1_000;
/** First probes of more backends than this are spread. */
const AT_ONCE = 64;
const FIRST_SPREAD_MS = 1_000;
const SOON_MIN_MS = 50;
const SOON_MAX_MS = 500;
const TAKEOVER_SPREAD_MS = 200;

/** From the start of one probe to the start of the next: the interval, or a second when that is sooner and it is urgent; ± 10 %. */
export function nextDelayMs(intervalMs: number, hurried: boolean, random: Random): number {
  const baseMs = hurried ? Math.min(intervalMs, HURRIED_MS) : intervalMs;
  return baseMs * (0.9 + 0.2 * random());
}

/** When the first probe of the `index`-th of `count` new backends starts: at once, or spread over at most a second. */
export function firstDelayMs(index: number, count: number, intervalMs: number): number {
  return count <= AT_ONCE ? 0 : (Math.min(intervalMs, FIRST_SPREAD_MS) * index) / count;
}

/** How long after live traffic was refused a probe follows: the gateways of a fleet do not ask at the same moment. */
export function soonDelayMs(random: Random): number {
  return SOON_MIN_MS + (SOON_MAX_MS - SOON_MIN_MS) * random();
}

/**
 * When what another replica probed before is asked by its new owner, which is one only unless Redis is away. Its death is
 * noticed after at most 1.6 s, so that no backend goes unprobed for 2 s.
 */
export function takeoverDelayMs(random: Random): number {
  return TAKEOVER_SPREAD_MS * random();
}

/** How long another replica, or what Redis remembers, is waited for before a backend that is not ours is asked all the same. */
export function graceMs(intervalMs: number): number {
  return Math.min(intervalMs, HURRIED_MS);
}
