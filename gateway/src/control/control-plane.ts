import type { Plan } from '../data/plan.ts';
import type { AdminState, BackendRef, DataEvent, DataPort, PlanChange } from '../data/port.ts';
import type { Clock, Random } from '../time.ts';
import type { LineWriter } from './access-log/line-writer.ts';
import type { AdminServer } from './admin/admin-server.ts';
import { type CertificateExpiry, certificateExpiries } from './certificate-expiries.ts';
import type { LoadedConfig } from './config/load.ts';
import type { ControlPlan } from './control-plan.ts';
import { logEvent } from './event-log.ts';
import { HealthChecks } from './health/health-checks.ts';
import { ownerOf } from './health/rendezvous.ts';
import type { Log } from './log.ts';
import { Observing } from './observing.ts';
import { listenProblem } from './reload/listen-problem.ts';
import type { ReloadResult } from './reload/reload-result.ts';
import { type ReloadCause, Reloader } from './reload/reloader.ts';
import { Fleet } from './state/fleet.ts';
import { Telemetry } from './telemetry.ts';

export interface ControlPlaneDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly port: DataPort;
  readonly version: string;
  /** Reads the config afresh; undefined where there is none to read. */
  readonly load: (() => LoadedConfig) | undefined;
  readonly onReloaded: ((loaded: LoadedConfig & { readonly ok: true }) => void) | undefined;
  /** Where an access log goes that goes to stdout; left out, the control plane opens it itself. */
  readonly stdout?: LineWriter | undefined;
}

/** A backend that hangs must not keep the gateway from starting. */
const LONGEST_FIRST_ROUND_MS = 3_000;

/** Everything beside the request path: health, what replicas share, the admin API, reload. Requests wait for none of it. */
export class ControlPlane {
  readonly health: HealthChecks;
  readonly fleet: Fleet | undefined;
  readonly #deps: ControlPlaneDeps;
  readonly #reloader: Reloader;
  readonly #observing: Observing;
  readonly #telemetry: Telemetry;
  readonly #startedMs: number;
  /** Before that nobody knows which probes are ours. */
  #joined = false;
  #ready = false;
  #draining = false;
  #admin: AdminServer | undefined;
  #certificates: readonly CertificateExpiry[];

  constructor(plan: Plan, control: ControlPlan, deps: ControlPlaneDeps) {
    const { clock, random, log, port } = deps;
    this.#deps = deps;
    this.#startedMs = clock.now();
    this.#certificates = certificateExpiries(plan);
    this.health = new HealthChecks({
      clock,
      random,
      log,
      setHealth: (ref, verdict) => void port.setHealth(ref, verdict),
      owns: (ref) => this.#joined && (this.fleet?.owns(ref) ?? true),
      onProbe: (ref, _result, verdict, flipped) => {
        if (verdict !== undefined) this.fleet?.probed(ref, verdict, flipped);
      },
    });
    this.#observing = new Observing({ clock, port, log, about: () => this.#about() });
    this.#telemetry = new Telemetry({
      ...{ clock, random, log, port, version: deps.version, stdout: deps.stdout },
    });
    this.fleet = control.redis === undefined ? undefined : this.#newFleet(control.redis);
    this.#reloader = new Reloader({
      load: () => this.#load(),
      apply: (next) => this.#apply(next),
      before: { plan, control },
      log,
      onApplied: (loaded) => this.#reloaded(loaded),
    });
  }

  get adminUrl(): string | undefined {
    return this.#admin?.url;
  }

  /** How SIGTERM ends the gateway, by the config in force. */
  get drain(): ControlPlan['drain'] {
    return this.#reloader.inForce.control.drain;
  }

  /** Probes every backend once before the first request; what the fleet knows already need not be probed. */
  async begin(): Promise<void> {
    await this.#telemetry.update(this.#reloader.inForce.control);
    const { services } = this.#reloader.inForce.plan;
    this.health.update(services);
    if (this.fleet !== undefined) {
      this.fleet.onPlan(services);
      await this.fleet.start();
    }
    this.#joined = true;
    this.health.ownersChanged();
    await this.health.firstRound(LONGEST_FIRST_ROUND_MS);
  }

  /** Rejects when the admin address cannot be listened on. */
  async openAdmin(): Promise<void> {
    const { admin } = this.#reloader.inForce.control;
    const { port, log } = this.#deps;
    if (admin === undefined) return;
    // Fastify takes a fifth of a second to load: only where it is wanted
    const { startAdmin } = await import('./admin/admin-server.ts');
    const { Exposition } = await import('./metrics/exposition.ts');
    const opening = startAdmin(admin, {
      log,
      feed: this.#observing.feed,
      metrics: new Exposition({
        status: () => port.status(),
        counts: () => port.counts(),
        events: this.#observing.events,
        probes: () => this.health.results(),
        redis: () => this.fleet && { up: this.fleet.up, replicas: this.fleet.replicas.length },
        reloads: () => this.#reloader.counts,
        lastReloadOk: () => this.#reloader.last?.result.ok ?? true,
        certificates: () => this.#certificates,
        version: this.#deps.version,
      }),
      status: () => port.status(),
      explain: (question) => port.explain(question),
      setAdmin: (ref, state) => this.setAdmin(ref, state),
      setWeight: (ref, weight) => this.setWeight(ref, weight),
      reload: () => this.reload('api'),
      readiness: () => this.readiness(),
      about: () => this.#about(),
    });
    this.#admin = await opening.catch((error: unknown) => {
      throw new Error(listenProblem(error, 'admin.address'), { cause: error });
    });
    port.reserve([this.#admin.port]);
  }

  /** Requests are taken from here on. */
  ready(): void {
    this.#ready = true;
  }

  /** Hears what happens in the data plane. */
  onEvent(event: DataEvent): void {
    logEvent(this.#deps.log, event);
    this.#observing.onEvent(event);
    if (event.kind === 'connect-failed') this.health.probeSoon(event);
  }

  setAdmin(ref: BackendRef, state: AdminState): boolean {
    if (!this.#knows(ref)) return false;
    if (this.fleet !== undefined) this.fleet.setAdmin(ref, state);
    else {
      this.#deps.port.setAdmin(ref, state);
      this.health.setProbed(ref, state !== 'disabled');
    }
    return true;
  }

  setWeight(ref: BackendRef, weight: number | undefined): boolean {
    if (!this.#knows(ref)) return false;
    if (this.fleet !== undefined) this.fleet.setWeight(ref, weight);
    else this.#deps.port.setWeight(ref, weight);
    return true;
  }

  /** Reads the config again and puts it in force; refused before the gateway has started and once it ends. */
  async reload(cause: ReloadCause): Promise<ReloadResult> {
    const { ready, reasons } = this.readiness();
    if (ready) return this.#reloader.reload(cause);
    const problem = `config: not reloaded (${cause}): ${reasons.join(', ')}`;
    this.#deps.log('warn', problem);
    return { ok: false, problems: [problem] };
  }

  readiness(): { readonly ready: boolean; readonly reasons: readonly string[] } {
    if (this.#draining) return { ready: false, reasons: ['shutting down'] };
    return this.#ready ? { ready: true, reasons: [] } : { ready: false, reasons: ['starting'] };
  }

  /** Readiness is false from here on; everything else goes on until `close`. */
  startDraining(): void {
    this.#draining = true;
  }

  async close(): Promise<void> {
    this.health.close();
    this.#observing.close();
    await Promise.all([this.fleet?.stop(), this.#admin?.close(), this.#telemetry.close()]);
  }

  /** Opens the access log anew, after its file was moved away. */
  reopenLogs(): void {
    this.#telemetry.reopen();
  }

  #reloaded(loaded: LoadedConfig & { readonly ok: true }): void {
    this.#telemetry
      .update(loaded.control)
      .catch((error: unknown) => this.#deps.log('error', `${String(error)}; the old log stays in use`));
    this.#deps.onReloaded?.(loaded);
  }

  #newFleet(redis: NonNullable<ControlPlan['redis']>): Fleet {
    const { clock, random, log, port } = this.#deps;
    const { health } = this;
    const replicaId = Math.floor(random() * 2 ** 48).toString(36);
    return new Fleet({
      plan: redis,
      clock,
      random,
      log,
      replicaId,
      port,
      ownerOf,
      health: {
        adopt: (ref, verdict) => health.adopt(ref, verdict),
        ownersChanged: () => health.ownersChanged(),
        setProbed: (ref, probed) => health.setProbed(ref, probed),
        confirm: async (ref) => {
          const { outcome, reason } = await health.confirm(ref);
          return { healthy: outcome === 'success', reason };
        },
      },
    });
  }

  #load(): LoadedConfig {
    if (this.#deps.load === undefined) throw new Error('the gateway runs without a config file');
    return this.#deps.load();
  }

  /** Probes what is new before the data plane may send requests there, so that a service that is replaced whole has no gap. */
  async #apply(plan: Plan): Promise<readonly PlanChange[]> {
    const before = this.#reloader.inForce.plan;
    this.health.update(plan.services);
    await this.health.firstRound(LONGEST_FIRST_ROUND_MS);
    try {
      const changes = await this.#deps.port.apply(plan);
      // the data plane has them now, and can be told
      this.health.update(plan.services);
      this.fleet?.onPlan(plan.services);
      this.#observing.keep(plan.services);
      this.#certificates = certificateExpiries(plan);
      return changes;
    } catch (error) {
      this.health.update(before.services);
      throw error;
    }
  }

  #knows({ service, backend }: BackendRef): boolean {
    const { services } = this.#reloader.inForce.plan;
    const found = services.find(({ name }) => name === service);
    return found?.backends.some(({ name }) => name === backend) ?? false;
  }

  get #lastProblems(): readonly string[] {
    const last = this.#reloader.last;
    return last === undefined || last.result.ok ? [] : last.result.problems;
  }

  #about(): object {
    return {
      version: this.#deps.version,
      uptimeMs: Math.round(this.#deps.clock.now() - this.#startedMs),
      redis: this.fleet?.status(),
      reloads: { ...this.#reloader.counts, lastProblems: this.#lastProblems },
      telemetry: this.#telemetry.counts(),
      certificates: this.#certificates,
    };
  }
}
