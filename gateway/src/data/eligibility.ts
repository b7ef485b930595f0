import type { Clock, Random, TimerWheel } from '../time.ts';
import { Breaker } from './breaker.ts';
import { deepEqualPlan } from './changed-fields.ts';
import { Ejection } from './ejection.ts';
import type { BreakerPlan, EjectionPlan, ServicePlan } from './plan.ts';
import type { AdminState, BreakerState, Exclusion, HealthVerdict } from './port.ts';

/** Why a backend may not be picked. */
export interface Excluded {
  readonly by: Exclusion;
  /** For people, e.g. `ejected until 12:00:41: 5 failures in a row (connect_refused)`. */
  readonly reason: string;
}

export interface EligibilityDeps {
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly random: Random;
  /** The service's rule for how many may be ejected. */
  readonly mayEject: () => boolean;
  /** Something changed that `excluded` may follow. */
  readonly onChange: () => void;
  readonly onEject: (reason: string, forMs: number) => void;
  readonly onBreaker: (from: BreakerState, to: BreakerState, reason: string) => void;
}

/**
 * Whether one backend may be picked, by everything that has a say, in one order: what the operator wants, what probes
 * say, what live traffic says (ejection), the breaker. Nothing else in the data plane asks any of these.
 */
export class Eligibility {
  readonly #deps: EligibilityDeps;
  admin: AdminState = 'enabled';
  /** Undefined: no verdict yet. */
  health: HealthVerdict | undefined;
  /** Why a quorum of replicas keeps its breakers open; undefined: it does not. */
  #fleetBreaker: string | undefined;
  #probed = false;
  #ejectionPlan: EjectionPlan | undefined;
  #breakerPlan: BreakerPlan | undefined;
  ejection: Ejection | undefined;
  breaker: Breaker | undefined;

  constructor(deps: EligibilityDeps, plan: ServicePlan) {
    this.#deps = deps;
    this.update(plan);
  }

  /** Takes over a plan; what did not change in it keeps its state. */
  update(plan: ServicePlan): void {
    this.#probed = plan.health !== undefined;
    if (!this.#probed) this.health = undefined;
    if (!deepEqualPlan(this.#ejectionPlan, plan.ejection)) {
      this.ejection?.close();
      this.#ejectionPlan = plan.ejection;
      this.ejection = plan.ejection === undefined ? undefined : this.#newEjection(plan.ejection);
    }
    if (!deepEqualPlan(this.#breakerPlan, plan.breaker)) {
      this.breaker?.close();
      this.#breakerPlan = plan.breaker;
      this.breaker = plan.breaker === undefined ? undefined : this.#newBreaker(plan.breaker);
    }
  }

  get probed(): boolean {
    return this.#probed;
  }

  get awaitsProbe(): boolean {
    return this.#probed && this.health === undefined;
  }

  /** The first step of the pipeline that keeps the backend out. */
  excluded(): Excluded | undefined {
    return this.#byAdmin() ?? this.#byHealth() ?? this.#byEjection() ?? this.#byBreaker();
  }

  /** Whether it could be picked but for its ejection. */
  get onlyEjected(): boolean {
    return this.excluded()?.by === 'ejection' && this.#byBreaker() === undefined;
  }

  setAdmin(state: AdminState): void {
    if (state === this.admin) return;
    this.admin = state;
    this.#deps.onChange();
  }

  setHealth(verdict: HealthVerdict): void {
    const flipped = verdict.healthy !== this.health?.healthy;
    this.health = verdict;
    // a probe got through where live traffic was refused
    if (flipped && verdict.healthy) this.ejection?.readmit();
    if (flipped) this.#deps.onChange();
  }

  setFleetBreaker(reason: string | undefined): void {
    if (reason === this.#fleetBreaker) return;
    this.#fleetBreaker = reason;
    this.#deps.onChange();
  }

  close(): void {
    this.ejection?.close();
    this.breaker?.close();
  }

  #byAdmin(): Excluded | undefined {
    if (this.admin === 'enabled') return undefined;
    return { by: 'admin', reason: `${this.admin} by the operator` };
  }

  #byHealth(): Excluded | undefined {
    if (!this.#probed || this.health?.healthy === true) return undefined;
    if (this.health === undefined) return { by: 'health', reason: 'not probed yet' };
    return { by: 'health', reason: `unhealthy: ${this.health.reason}` };
  }

  #byEjection(): Excluded | undefined {
    const ejection = this.ejection;
    if (ejection?.active !== true) return undefined;
    return { by: 'ejection', reason: `ejected until ${this.#timeAt(ejection.untilMs)}: ${ejection.reason}` };
  }

  #byBreaker(): Excluded | undefined {
    const breaker = this.breaker;
    if (breaker !== undefined && !breaker.admits) {
      const state =
        breaker.state === 'open'
          ? `open until ${this.#timeAt(breaker.untilMs)}`
          : 'half-open, its one trial is under way';
      return { by: 'breaker', reason: `breaker ${state}: ${breaker.reason}` };
    }
    if (this.#fleetBreaker === undefined) return undefined;
    return { by: 'breaker', reason: `breaker open in the fleet: ${this.#fleetBreaker}` };
  }

  /** `12:00:41`, UTC, of a time on the wheel. */
  #timeAt(wheelMs: number): string {
    const wallMs = this.#deps.clock.wallNow() + wheelMs - this.#deps.wheel.nowMs;
    return `${new Date(wallMs).toISOString().slice(11, 19)} UTC`;
  }

  #newEjection(plan: EjectionPlan): Ejection {
    const { wheel, random, mayEject, onChange, onEject } = this.#deps;
    return new Ejection(plan, {
      wheel,
      random,
      mayEject,
      onEject: (reason, forMs) => {
        onEject(reason, forMs);
        onChange();
      },
      onReturn: onChange,
    });
  }

  #newBreaker(plan: BreakerPlan): Breaker {
    const { wheel, random, onChange, onBreaker } = this.#deps;
    return new Breaker(plan, { wheel, random, onFlip: onBreaker, onAdmits: onChange });
  }
}
