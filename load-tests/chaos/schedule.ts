import type { Env } from '../traffic/environment.ts';
import { readPositive } from '../traffic/environment.ts';
import { type Fault, readFaults } from './faults.ts';

/** The time of one fault. All in seconds from the start of the load. */
export interface Slot {
  readonly fault: Fault;
  readonly startS: number;
  /** The backends are put right again. */
  readonly endS: number;
  /** The gateway has had the time to take them back; the next fault may come. */
  readonly settledS: number;
}

export interface Schedule {
  readonly slots: readonly Slot[];
  readonly totalS: number;
  /** Requests per second. */
  readonly rate: number;
}

/** Load alone, before the first fault. */
const WARM_UP_S = 2;
const SHORTEST_SETTLE_S = 2;

/**
 * From CHAOS_SECONDS (how long each fault lasts), CHAOS_ROUNDS (each goes over all faults), CHAOS_FAULTS, RATE, and
 * CHAOS_SETTLE_SECONDS, for a gateway that is slower or faster than the defaults to take a backend back.
 */
export function readSchedule(env: Env): Schedule {
  const round = readFaults(env['CHAOS_FAULTS']);
  const rounds = Math.ceil(readPositive(env, 'CHAOS_ROUNDS', 1));
  const faultS = readPositive(env, 'CHAOS_SECONDS', 5);
  const slots: Slot[] = [];
  let atS = WARM_UP_S;
  for (let index = 0; index < rounds * round.length; index++) {
    const fault = round[index % round.length];
    if (fault === undefined) break;
    const isLast = index === rounds * round.length - 1;
    const needsS = Math.max(SHORTEST_SETTLE_S, isLast ? 0 : fault.outS - faultS);
    const endS = atS + faultS;
    const settledS = endS + readPositive(env, 'CHAOS_SETTLE_SECONDS', needsS);
    slots.push({ fault, startS: atS, endS, settledS });
    atS = settledS;
  }
  return { slots, totalS: atS, rate: readPositive(env, 'RATE', 50) };
}

/**
 * The fault a moment belongs to, its settling time included; `none` before the first. Requests are tagged by it: the
 * load's virtual users cannot be told anything, but they all know what time it is.
 */
export function faultAt(elapsedS: number, { slots }: Schedule): string {
  const slot = slots.findLast(({ startS }) => startS <= elapsedS);
  return slot?.fault.name ?? 'none';
}
