import type { TestContext } from 'node:test';
import { ownerOf } from '../../src/control/health/rendezvous.ts';
import { Fleet } from '../../src/control/state/fleet.ts';
import type { ServicePlan } from '../../src/data/plan.ts';
import type {
  AdminState,
  BackendRef,
  BackendStatus,
  HealthVerdict,
  ServiceStatus,
} from '../../src/data/port.ts';
import { type Clock, systemClock } from '../../src/time.ts';
import { BREAKER, servicePlan, TCP_HEALTH } from '../support/plans.ts';

/** Real time, in timers that keep a test alive. */
const testClock: Clock = {
  ...systemClock,
  every(intervalMs, tick) {
    const timer = setInterval(tick, intervalMs);
    return () => clearInterval(timer);
  },
};

export const REF: BackendRef = { service: 'web', backend: '127.0.0.1:3001' };
export const PORTS = [3001, 3002, 3003, 3004, 3005, 3006, 3007, 3008];

export function probedService(changes: Partial<ServicePlan> = {}): ServicePlan {
  return servicePlan(PORTS, { health: TCP_HEALTH, breaker: BREAKER, ...changes });
}

/** A fleet's view of one replica's data plane and health checker, in memory. */
export class FakeReplica {
  readonly id: string;
  readonly fleet: Fleet;
  readonly lines: string[] = [];
  /** What happened, e.g. `adopt 127.0.0.1:3001 healthy`, `admin 127.0.0.1:3001 draining`. */
  readonly calls: string[] = [];
  readonly health = new Map<string, HealthVerdict>();
  readonly admin = new Map<string, AdminState>();
  readonly weights = new Map<string, number | undefined>();
  readonly breakers = new Map<string, 'open'>();
  readonly fleetBreakers = new Map<string, string>();
  lastSuccessAgoMs: number | undefined;
  /** What a confirming probe finds. */
  finds: HealthVerdict = { healthy: false, reason: 'connection refused' };
  ownersChanged = 0;
  services: readonly ServicePlan[] = [probedService()];
  readonly #waiting = new Set<() => void>();

  constructor(id: string, url: string, clock: Clock = testClock) {
    this.id = id;
    const did = (call: string): boolean => {
      this.calls.push(call);
      for (const look of this.#waiting) look();
      return true;
    };
    this.fleet = new Fleet({
      plan: { url, fleet: 'default' },
      clock,
      random: Math.random,
      replicaId: id,
      ownerOf,
      log: (level, message) => {
        this.lines.push(`${level} ${message}`);
        did(`log ${level}`);
      },
      port: {
        status: () => ({ listeners: [], routes: [], draining: false, services: this.#status() }),
        setFleetBreaker: ({ backend }, reason) => {
          if (reason === undefined) this.fleetBreakers.delete(backend);
          else this.fleetBreakers.set(backend, reason);
          return did(`fleet-breaker ${backend} ${reason ?? 'closed'}`);
        },
        setAdmin: ({ backend }, state) => {
          this.admin.set(backend, state);
          return did(`admin ${backend} ${state}`);
        },
        setWeight: ({ backend }, weight) => {
          this.weights.set(backend, weight);
          return did(`weight ${backend} ${weight}`);
        },
      },
      health: {
        adopt: ({ backend }, verdict) => {
          this.health.set(backend, verdict);
          did(`adopt ${backend} ${verdict.healthy ? 'healthy' : 'unhealthy'}`);
        },
        confirm: ({ backend }) => {
          did(`confirm ${backend}`);
          return Promise.resolve(this.finds);
        },
        ownersChanged: () => {
          this.ownersChanged += 1;
          did('owners');
        },
        setProbed: ({ backend }, probed) => {
          did(`probed ${backend} ${probed}`);
        },
      },
    });
    this.fleet.onPlan(this.services);
  }

  /** Its own probe found this. */
  probe(ref: BackendRef, healthy: boolean, reason = healthy ? '' : 'connection refused'): void {
    const flipped = this.health.get(ref.backend)?.healthy !== healthy;
    this.health.set(ref.backend, { healthy, reason });
    this.fleet.probed(ref, { healthy, reason }, flipped);
  }

  /** Waits until `done` holds, looking whenever something was done here, and every 20 ms. @returns how long it took */
  async until(done: (replica: FakeReplica) => boolean, timeoutMs = 15_000): Promise<number> {
    const startMs = performance.now();
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearInterval(timer);
        this.#waiting.delete(look);
      };
      const look = (): void => {
        const tookMs = performance.now() - startMs;
        if (done(this)) resolve(tookMs);
        else if (tookMs < timeoutMs) return;
        else reject(new Error(`it did not happen: ${done}\n${[...this.calls, ...this.lines].join('\n')}`));
        end();
      };
      const timer = setInterval(look, 20);
      this.#waiting.add(look);
      look();
    });
  }

  owned(): number {
    return PORTS.filter((port) => this.fleet.owns({ service: 'web', backend: `127.0.0.1:${port}` })).length;
  }

  #status(): ServiceStatus[] {
    return this.services.map(({ name, backends, health }) => ({
      name,
      balance: 'p2c',
      backends: backends.map((backend) => this.#backend(backend.name, health !== undefined)),
      eligible: 1,
      failOpen: false,
      retryBudgetRemaining: 1,
      concurrency: undefined,
    }));
  }

  #backend(name: string, isProbed: boolean): BackendStatus {
    const verdict = this.health.get(name);
    const health = verdict === undefined ? 'unknown' : verdict.healthy ? 'healthy' : 'unhealthy';
    return {
      name,
      weight: this.weights.get(name) ?? 1,
      effectiveWeight: 1,
      eligible: true,
      excludedBy: undefined,
      reason: undefined,
      admin: this.admin.get(name) ?? 'enabled',
      health: isProbed ? health : 'unchecked',
      healthReason: verdict?.reason,
      breaker: this.breakers.get(name) ?? 'closed',
      ejectedUntilMs: undefined,
      pending: 0,
      latencyMs: 0,
      pool: { active: 0, idle: 0, connecting: 0, queued: 0, max: 1 },
      lastSuccessAgoMs: this.lastSuccessAgoMs,
    };
  }
}

/** A replica that has started, and stops with the test. */
export async function replica(t: TestContext, id: string, url: string, clock?: Clock): Promise<FakeReplica> {
  const made = new FakeReplica(id, url, clock);
  t.after(() => made.fleet.stop());
  await made.fleet.start();
  return made;
}

/** A clock whose ticks can be made to stand still: a replica that hangs, or is gone without a word. */
export function mortalClock(): Clock & { die(): void } {
  const stops: (() => void)[] = [];
  return {
    ...testClock,
    every(intervalMs, tick) {
      const stop = testClock.every(intervalMs, tick);
      stops.push(stop);
      return stop;
    },
    die() {
      for (const stop of stops) stop();
    },
  };
}
