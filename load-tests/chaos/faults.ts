/** The faults, in the order in which they come. */

/** What is ordered of a backend: a crash, or a setting of its knobs (services/shared/src/knobs.ts). */
export type Order =
  | { readonly kind: 'crash' }
  | { readonly kind: 'knobs'; readonly knobs: Readonly<Record<string, number | boolean>> };

export interface Fault {
  readonly name: string;
  readonly order: Order;
  /** For people. */
  readonly what: string;
  /** How long the gateway, with its defaults, may keep a backend out, from the start of the fault. */
  readonly outS: number;
}

/** An ejection takes 10 s ± 10 %, a little after the fault began; one for a refused connection takes 1 s. */
const EJECTED_S = 12;

export const FAULTS: readonly Fault[] = [
  {
    name: 'kill',
    order: { kind: 'crash' },
    what: 'the process ends at once and is started again',
    outS: 5,
  },
  {
    name: 'slow',
    order: { kind: 'knobs', knobs: { delayMs: 300, jitterMs: 300 } },
    what: 'every answer takes 0.3 to 0.6 s longer',
    outS: 0,
  },
  {
    name: 'unhealthy',
    order: { kind: 'knobs', knobs: { unhealthy: true } },
    what: 'its health check fails, its answers are fine',
    // two good probes, a second apart, after the fault
    outS: 9,
  },
  // the two that eject come last: what follows them would hit a backend that nobody uses
  {
    name: 'error500',
    order: { kind: 'knobs', knobs: { failRate: 1, failStatus: 500 } },
    what: 'every answer is a 500, its health check is fine',
    outS: EJECTED_S,
  },
  {
    name: 'hang',
    order: { kind: 'knobs', knobs: { hang: true } },
    what: 'requests are read and never answered',
    outS: EJECTED_S,
  },
];

/** The faults that CHAOS_FAULTS names (`kill,hang`), in its order; all of them without. Throws on an unknown name. */
export function readFaults(names: string | undefined): readonly Fault[] {
  if (names === undefined || names === '') return FAULTS;
  return names.split(',').map((name) => {
    const fault = FAULTS.find((each) => each.name === name.trim());
    if (fault !== undefined) return fault;
    const known = FAULTS.map((each) => each.name).join(', ');
    throw new Error(`CHAOS_FAULTS: there is no fault '${name.trim()}'; known: ${known}`);
  });
}
