import type { LookupFunction } from 'node:net';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { HealthPlan, ServicePlan, TlsPlan } from '../../data/plan.ts';
import type { BackendRef, HealthVerdict } from '../../data/port.ts';
import { type Clock, type Random, Timer, TimerWheel } from '../../time.ts';
import type { Log } from '../log.ts';
import type { ProbeResult, ProbeTarget, StartProbe } from './probe.ts';
import { ProbeQueue } from './probe-queue.ts';
import { type Counts, ProbedBackend, type ProbingContext } from './probed-backend.ts';
import { firstDelayMs } from './schedule.ts';
import { sharedLookup } from './shared-lookup.ts';
import { startProbe } from './start-probe.ts';

/** Probes under way at once, over all services. */
export const MAX_PROBES = 64;

export interface HealthDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Tells the data plane: first verdicts, flips, and after each `update` what stands, in case it was built anew. */
  readonly setHealth: (ref: BackendRef, verdict: HealthVerdict) => void;
  /** Whether this replica is the one to probe it now. */
  readonly owns: (ref: BackendRef) => boolean;
  /** After each own probe that counts; a first verdict is a flip too. */
  readonly onProbe: (
    ref: BackendRef,
    result: ProbeResult,
    verdict: HealthVerdict | undefined,
    flipped: boolean,
  ) => void;
  /** The system's when left out. */
  readonly lookup?: LookupFunction;
  /** For tests. */
  readonly startProbe?: StartProbe;
}

/** How many probes of a backend came to what. */
export type ProbeCounts = BackendRef & Readonly<Counts>;

interface RoundWaiter {
  readonly timer: Timer;
  readonly resolve: () => void;
}

/** Finds out by probes which backends are well. What goes wrong in here is logged and ends nothing. */
export class HealthChecks {
  readonly #deps: HealthDeps;
  readonly #wheel: TimerWheel;
  readonly #queue = new ProbeQueue(MAX_PROBES);
  readonly #context: ProbingContext;
  /** By service, then by the backend's name. */
  #services: ReadonlyMap<string, ReadonlyMap<string, ProbedBackend>> = new Map();
  readonly #waiters = new Set<RoundWaiter>();
  #unable = false;
  #closed = false;

  constructor(deps: HealthDeps) {
    this.#deps = deps;
    this.#wheel = new TimerWheel(deps.clock);
    const contexts = new WeakMap<TlsPlan, SecureContext>();
    this.#context = {
      wheel: this.#wheel,
      random: deps.random,
      queue: this.#queue,
      probes: {
        wheel: this.#wheel,
        lookup: sharedLookup(deps.lookup),
        secureContext: (tls) => secureContextOf(tls, contexts),
      },
      startProbe: deps.startProbe ?? startProbe,
      owns: (ref) => this.#owns(ref),
      onVerdict: (ref, verdict, before) => this.#told(ref, verdict, before),
      onProbe: (ref, result, verdict, flipped) => {
        this.#unable = false;
        this.#guarded(() => deps.onProbe(ref, result, verdict, flipped));
      },
      onUnable: (ref, reason) => this.#onUnable(ref, reason),
    };
  }

  /**
   * Probes the backends of `services`, and no others, from now on. What did not change keeps its verdict and its
   * schedule; what is asked otherwise keeps its verdict until the first result; what went is forgotten.
   */
  update(services: readonly ServicePlan[]): void {
    if (this.#closed) return;
    const next = new Map<string, Map<string, ProbedBackend>>();
    const begin: ProbedBackend[] = [];
    for (const service of services) {
      if (service.health === undefined) continue;
      const backends = new Map<string, ProbedBackend>();
      for (const [name, target] of targetsOf(service, service.health)) {
        const ref = { service: service.name, backend: name };
        const known = this.#find(ref);
        const backend = known ?? new ProbedBackend(this.#context, ref, target, service.health);
        if (known === undefined || known.replan(target, service.health)) begin.push(backend);
        backends.set(name, backend);
      }
      next.set(service.name, backends);
    }
    const before = this.#all();
    this.#services = next;
    for (const backend of before) if (this.#find(backend.ref) !== backend) backend.forget();
    this.#retell();
    this.#begin(begin);
    this.#endRounds();
  }

  /** Resolves when every probed backend has a verdict, or after `timeoutMs`, or when closed. */
  firstRound(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = new Timer({ onDeadline: () => this.#endRound(waiter) });
      const waiter: RoundWaiter = { timer, resolve };
      this.#waiters.add(waiter);
      this.#wheel.look();
      this.#wheel.arm(timer, timeoutMs);
      this.#endRounds();
    });
  }

  /**
   * Live traffic was refused there: a probe follows within a second, and if it fails the backend is unhealthy at once.
   * Several calls are one; for a backend that is unhealthy already there is nothing to find out.
   */
  probeSoon(ref: BackendRef): void {
    this.#find(ref)?.probeSoon();
  }

  /** Takes what another replica or a warm boot says as the verdict; thresholds start afresh. */
  adopt(ref: BackendRef, verdict: HealthVerdict): void {
    this.#find(ref)?.adopt(verdict);
  }

  /** One own probe now (or the one under way): it counts in no thresholds, is not told to `onProbe`, and never rejects. */
  confirm(ref: BackendRef): Promise<ProbeResult> {
    const backend = this.#find(ref);
    if (backend !== undefined) return backend.confirm();
    return Promise.resolve({ outcome: 'failure', reason: 'not a probed backend', tookMs: 0 });
  }

  /** A disabled backend is not probed; when it is enabled again the first result decides alone. */
  setProbed(ref: BackendRef, probed: boolean): void {
    this.#find(ref)?.setProbed(probed);
    this.#endRounds();
  }

  /** `owns` may answer otherwise now: what became ours is probed within a second if we have not done so lately. */
  ownersChanged(): void {
    for (const backend of this.#all()) backend.ownersChanged();
    this.#begin(this.#all().filter(({ unbegun }) => unbegun));
  }

  /** Counts of the backends that are probed now. */
  results(): readonly ProbeCounts[] {
    return this.#all().map(({ ref, counts }) => ({ ...ref, ...counts }));
  }

  /** Aborts what is under way; nothing is told to anyone after this. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#queue.clear();
    for (const backend of this.#all()) backend.forget();
    this.#services = new Map();
    for (const waiter of [...this.#waiters]) this.#endRound(waiter);
    this.#wheel.close();
  }

  #begin(backends: readonly ProbedBackend[]): void {
    for (const [index, backend] of backends.entries())
      backend.begin(firstDelayMs(index, backends.length, backend.intervalMs));
  }

  #find({ service, backend }: BackendRef): ProbedBackend | undefined {
    return this.#services.get(service)?.get(backend);
  }

  #all(): ProbedBackend[] {
    return [...this.#services.values()].flatMap((backends) => [...backends.values()]);
  }

  #owns(ref: BackendRef): boolean {
    try {
      return this.#deps.owns(ref);
    } catch (error) {
      this.#deps.log('error', `health: ${textOf(error)}`);
      // one probe too many is better than none
      return true;
    }
  }

  #told(ref: BackendRef, verdict: HealthVerdict, before: HealthVerdict | undefined): void {
    if (this.#closed) return;
    this.#guarded(() => this.#deps.setHealth(ref, verdict));
    const name = `${ref.service} ${ref.backend}`;
    if (!verdict.healthy && before?.healthy !== false)
      this.#deps.log('warn', `${name} is unhealthy: ${verdict.reason}`);
    else if (verdict.healthy && before?.healthy === false)
      this.#deps.log('info', `${name} is healthy again: ${verdict.reason}`);
    this.#endRounds();
  }

  /** A plan in force may have built backends anew that know of no verdict. */
  #retell(): void {
    for (const { ref, verdict } of this.#all())
      if (verdict !== undefined) this.#guarded(() => this.#deps.setHealth(ref, verdict));
  }

  /** Said once until a probe works again: it concerns all of them. */
  #onUnable({ service, backend }: BackendRef, reason: string): void {
    if (this.#unable || this.#closed) return;
    this.#unable = true;
    this.#deps.log('error', `cannot probe ${service} ${backend}: ${reason}; verdicts stay as they are`);
  }

  /** Socket events and ticks lead here: what a listener throws must not end the process. */
  #guarded(tell: () => void): void {
    if (this.#closed) return;
    try {
      tell();
    } catch (error) {
      this.#deps.log('error', `health: ${textOf(error)}`);
    }
  }

  #endRounds(): void {
    if (this.#waiters.size === 0) return;
    if (!this.#closed && this.#all().some(({ awaited }) => awaited)) return;
    for (const waiter of [...this.#waiters]) this.#endRound(waiter);
  }

  #endRound(waiter: RoundWaiter): void {
    this.#wheel.release(waiter.timer);
    this.#waiters.delete(waiter);
    waiter.resolve();
  }
}

const textOf = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);

/** Each backend of a service under its name, and how it is asked. */
function targetsOf({ backends, tls }: ServicePlan, health: HealthPlan): [string, ProbeTarget][] {
  const { probe, timeoutMs } = health;
  return backends.map((backend) => [backend.name, { backend, tls, probe, timeoutMs }]);
}

function secureContextOf(tls: TlsPlan, contexts: WeakMap<TlsPlan, SecureContext>): SecureContext {
  const known = contexts.get(tls);
  if (known !== undefined) return known;
  const made = createSecureContext(tls.ca === undefined ? {} : { ca: tls.ca });
  contexts.set(tls, made);
  return made;
}
