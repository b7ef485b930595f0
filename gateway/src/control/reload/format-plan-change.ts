import type { PlanChange } from '../../data/port.ts';

const SIGNS = { added: '+', removed: '-', changed: '~' } as const;

/** One line: `+ route www.example.com/x`, `~ service db: balance: p2c → round-robin`. */
export function formatPlanChange({ what, name, change, detail }: PlanChange): string {
  return `${SIGNS[change]} ${what} ${name}${detail === '' ? '' : `: ${detail}`}`;
}
