import type { LookupFunction } from 'node:net';
import { createSecureContext } from 'node:tls';
import { sharedLookup } from '../../src/control/health/shared-lookup.ts';
import { startProbe } from '../../src/control/health/start-probe.ts';
import type { BackendPlan, ProbePlan, TlsPlan } from '../../src/data/plan.ts';
import { TimerWheel } from '../../src/time.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { backendPlan } from '../support/plans.ts';

export type HttpProbePlan = Extract<ProbePlan, { readonly type: 'http' }>;

/** GET /health, any status from 200 to 399. */
export const httpProbe = (changes: Partial<HttpProbePlan> = {}): HttpProbePlan => ({
  type: 'http',
  path: '/health',
  host: undefined,
  headers: {},
  minStatus: 200,
  maxStatus: 399,
  body: undefined,
  ...changes,
});

export interface Probing {
  readonly clock: ManualClock;
  /** `success: status 200`, and so on. */
  readonly result: Promise<string>;
  readonly results: readonly string[];
  readonly abort: () => void;
}

/** One real probe of 127.0.0.1 with a timeout of 2 s, which passes only when the test moves the clock. */
export function probing(
  port: number,
  probe: ProbePlan,
  changes: {
    readonly backend?: Partial<BackendPlan>;
    readonly tls?: Partial<TlsPlan>;
    readonly lookup?: LookupFunction;
  } = {},
): Probing {
  const clock = new ManualClock();
  const results: string[] = [];
  const { promise, resolve } = Promise.withResolvers<string>();
  const abort = startProbe(
    {
      wheel: new TimerWheel(clock),
      lookup: sharedLookup(changes.lookup),
      secureContext: ({ ca }) => createSecureContext(ca === undefined ? {} : { ca }),
    },
    {
      backend: backendPlan(port, changes.backend),
      tls: { ca: undefined, serverName: undefined, verify: true, ...changes.tls },
      probe,
      timeoutMs: 2_000,
    },
    (outcome, reason) => {
      results.push(`${outcome}: ${reason}`);
      resolve(`${outcome}: ${reason}`);
    },
  );
  return { clock, result: promise, results, abort };
}
