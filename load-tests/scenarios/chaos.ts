// Chaos: while load runs, one backend of each service at a time is killed, slowed, unhealthy, answers 500, hangs; 44 s. Users must see nothing.
import exec from 'k6/execution';
import { readBackends } from '../chaos/backends.ts';
import { Director } from '../chaos/director.ts';
import { untilAllIn } from '../chaos/gateway-view.ts';
import { restore } from '../chaos/knobs.ts';
import { faultAt, readSchedule } from '../chaos/schedule.ts';
import { summaryOf } from '../report/handle-summary.ts';
import { chaosThresholds } from '../thresholds.ts';
import type { Seed } from '../traffic/calls.ts';
import { readTarget } from '../traffic/environment.ts';
import { IDEMPOTENT, Mix } from '../traffic/mix.ts';
import { duration, sharedOptions } from '../traffic/options.ts';
import { seed } from '../traffic/seed.ts';

const schedule = readSchedule(__ENV);
const services = readBackends(__ENV);
const backends = [...services.values()].flat();
const faultNames = [...new Set(schedule.slots.map(({ fault }) => fault.name))];

/** An ejection for having failed again and again takes minutes. */
const PATIENCE_S = 60;

/** More than are ever held by a hanging backend: a request that could not start would be a gap in the proof. */
const USERS = Math.max(50, Math.ceil(schedule.rate * 2));

export const options = sharedOptions(
  'chaos',
  {
    traffic: {
      executor: 'constant-arrival-rate',
      exec: 'traffic',
      rate: schedule.rate,
      timeUnit: '1s',
      duration: duration(schedule.totalS),
      preAllocatedVUs: USERS,
      maxVUs: USERS * 5,
    },
    director: {
      executor: 'per-vu-iterations',
      exec: 'direct',
      vus: 1,
      iterations: 1,
      maxDuration: duration(schedule.totalS + 30),
    },
  },
  chaosThresholds(
    faultNames,
    backends.map(({ label }) => label),
  ),
);
export const handleSummary = summaryOf('chaos', __ENV);

const mix = new Mix(IDEMPOTENT);
const elapsedS = () => (Date.now() - exec.scenario.startTime) / 1_000;

export function setup(): Seed {
  // of a run that was killed
  restore(backends);
  untilAllIn(readTarget(__ENV).adminUrl, PATIENCE_S);
  return seed();
}

export function traffic(seed: Seed): void {
  mix.next(seed, { fault: faultAt(elapsedS(), schedule) });
}

export function direct(): void {
  const { adminUrl } = readTarget(__ENV);
  new Director({ schedule, services, adminUrl, elapsedS }).play();
}

/** After Ctrl-C too. */
export function teardown(): void {
  restore(backends);
}
