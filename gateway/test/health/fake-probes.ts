import { HealthChecks, type HealthDeps } from '../../src/control/health/health-checks.ts';
import type { ProbeDone, ProbeOutcome, ProbeTarget, StartProbe } from '../../src/control/health/probe.ts';
import type { HealthPlan, ServicePlan } from '../../src/data/plan.ts';
import type { BackendRef, HealthVerdict } from '../../src/data/port.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { backendPlan, servicePlan, TCP_HEALTH } from '../support/plans.ts';

/** A probe that a test answers. */
export interface FakeProbe {
  readonly target: ProbeTarget;
  readonly startedMs: number;
  readonly answer: ProbeDone;
  aborted: boolean;
}

export interface Told {
  readonly ref: BackendRef;
  readonly verdict: HealthVerdict;
  readonly atMs: number;
}

/** What was told to `onProbe`. */
export interface Shared {
  readonly ref: BackendRef;
  readonly outcome: ProbeOutcome;
  readonly verdict: HealthVerdict | undefined;
  readonly flipped: boolean;
}

/** Health checks on virtual time, whose probes end as the test says. */
export class FakeProbes {
  readonly clock: ManualClock = new ManualClock();
  readonly checks: HealthChecks;
  readonly started: FakeProbe[] = [];
  readonly underWay = new Set<FakeProbe>();
  readonly told: Told[] = [];
  readonly shared: Shared[] = [];
  readonly logged: string[] = [];
  mostUnderWay = 0;
  owns: (ref: BackendRef) => boolean = () => true;
  random = 0.5;
  /** What a probe of a backend comes to at once; undefined leaves it hanging. */
  outcome: (name: string) => ProbeOutcome | 'unable' | undefined = () => 'success';

  constructor(changes: Partial<HealthDeps> = {}) {
    this.checks = new HealthChecks({
      clock: this.clock,
      random: () => this.random,
      log: (level, message) => this.logged.push(`${level}: ${message}`),
      setHealth: (ref, verdict) => this.told.push({ ref, verdict, atMs: this.clock.now() }),
      owns: (ref) => this.owns(ref),
      onProbe: (ref, { outcome }, verdict, flipped) => this.shared.push({ ref, outcome, verdict, flipped }),
      startProbe: this.#start,
      ...changes,
    });
  }

  /** When the probes of a backend started. */
  times(name: string): number[] {
    return this.started
      .filter(({ target }) => target.backend.name === name)
      .map(({ startedMs }) => startedMs);
  }

  get verdicts(): boolean[] {
    return this.told.map(({ verdict }) => verdict.healthy);
  }

  readonly #start: StartProbe = (_context, target, done) => {
    const { name } = target.backend;
    const probe: FakeProbe = {
      target,
      startedMs: this.clock.now(),
      aborted: false,
      answer: (outcome, reason) => {
        this.underWay.delete(probe);
        done(outcome, reason);
      },
    };
    this.started.push(probe);
    this.underWay.add(probe);
    this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay.size);
    const outcome = this.outcome(name);
    if (outcome !== undefined) probe.answer(outcome, outcome);
    return () => {
      probe.aborted = true;
      this.underWay.delete(probe);
    };
  };
}

/** A service of `count` probed backends, `NAME-0:80`, `NAME-1:80` … */
export function probedService(
  name: string,
  count: number,
  health: Partial<HealthPlan> = {},
  changes: Partial<ServicePlan> = {},
): ServicePlan {
  const backends = Array.from({ length: count }, (_, index) =>
    backendPlan(80, { host: `${name}-${index}`, name: `${name}-${index}:80` }),
  );
  return servicePlan([], { name, backends, health: { ...TCP_HEALTH, ...health }, ...changes });
}

export const refOf = (service: string, index = 0): BackendRef => ({
  service,
  backend: `${service}-${index}:80`,
});
