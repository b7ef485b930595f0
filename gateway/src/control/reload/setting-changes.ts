import { isDeepStrictEqual } from 'node:util';
import type { PlanChange } from '../../data/port.ts';
import type { ControlPlan } from '../control-plan.ts';

/** What differs between the settings in force and those of a file, and from when the file's hold. Shows no values: they may be secret. */
export function settingChanges(inForce: ControlPlan, wanted: ControlPlan): readonly PlanChange[] {
  return (['admin', 'redis', 'drain', 'log', 'accessLog', 'tracing'] as const)
    .filter((name) => !isDeepStrictEqual(inForce[name], wanted[name]))
    .map((name) => ({
      what: 'setting',
      name,
      change: inForce[name] === undefined ? 'added' : wanted[name] === undefined ? 'removed' : 'changed',
      detail:
        name === 'admin' || name === 'redis' ? 'takes effect at the next start' : 'takes effect at once',
    }));
}
