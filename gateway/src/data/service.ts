import { Timer } from '../time.ts';
import type { AgentContext } from './agent.ts';
import { Backend } from './backend.ts';
import { type Balancer, createBalancer, type PickRequest } from './balancers/balancer.ts';
import { Sticky } from './balancers/sticky.ts';
import { deepEqualPlan } from './changed-fields.ts';
import { ConcurrencyLimit } from './concurrency-limit.ts';
import { RetryCounters } from './counters.ts';
import { type Ejection, mayEject } from './ejection.ts';
import type { Exchange } from './exchange.ts';
import { LatencyPercentile } from './latency-percentile.ts';
import type { BackendPlan, ServicePlan } from './plan.ts';
import type { DataEvent } from './port.ts';
import { RetryBudget } from './retry-budget.ts';
import type { Route } from './route.ts';
import { slowStartShare } from './slow-start.ts';

export interface ServiceContext extends AgentContext {
  readonly onEvent: (event: DataEvent) => void;
}

/** How often the weights of backends that start slowly are raised. */
const RAMP_STEP_MS = 250;

/** A named group of backends, and the one place where one is chosen. */
export class Service {
  readonly name: string;
  plan: ServicePlan;
  backends: readonly Backend[] = [];
  readonly retries = new RetryCounters();
  budget: RetryBudget;
  /** What hedges go by; undefined where no route hedges by a percentile. */
  latencies: LatencyPercentile | undefined;
  limit: ConcurrencyLimit | undefined;
  /** Whether some of its backends speak HTTP/2: then its requests may be gRPC, and refused without having been looked at. */
  overHttp2 = false;
  readonly #context: ServiceContext;
  #balancer: Balancer<Backend>;
  #sticky: Sticky | undefined;
  /** What may be picked; replaced, never changed. */
  #eligible: readonly Backend[] = [];
  /** Whether `eligible` holds what is not eligible, since nothing is. */
  failOpen = false;
  #noneEligible = false;
  #begun = false;
  /** The plan names it no more: it ends with its last request, and says nothing. */
  #retired = false;
  readonly #ramp: Timer;

  constructor(context: ServiceContext, plan: ServicePlan) {
    this.name = plan.name;
    this.plan = plan;
    this.#context = context;
    this.#ramp = new Timer({ onDeadline: () => this.rebuild() });
    this.#balancer = this.#newBalancer(plan);
    this.budget = this.#newBudget(plan);
    this.#takeOver(plan);
    this.#begun = true;
  }

  /** Makes `plan` the one in force; backends it still names keep their connections and their state. Returns those it does not. */
  update(plan: ServicePlan): readonly Backend[] {
    const before = this.plan;
    if (!deepEqualPlan(before.balance, plan.balance)) this.#balancer = this.#newBalancer(plan);
    if (!deepEqualPlan(before.retryBudget, plan.retryBudget)) this.budget = this.#newBudget(plan);
    return this.#takeOver(plan);
  }

  /** The backend for the next attempt, one not yet tried; undefined when there is none. */
  pick(exchange: PickRequest & { readonly tried: readonly Backend[] | undefined }): Backend | undefined {
    const tried = exchange.tried;
    const candidates =
      tried === undefined ? this.#eligible : this.#eligible.filter((backend) => !tried.includes(backend));
    if (candidates.length === 0) return undefined;
    return this.#sticky?.find(candidates, exchange) ?? this.#balancer.pick(candidates, exchange);
  }

  get eligible(): readonly Backend[] {
    return this.#eligible;
  }

  /** The Set-Cookie line that binds the client to the backend that answered; empty when there is nothing to say. */
  stickyLine(exchange: Exchange): string {
    if (this.#sticky === undefined || exchange.backend === undefined) return '';
    const cookie = this.#sticky.cookieFor(exchange.backend, exchange);
    return cookie === undefined ? '' : `Set-Cookie: ${cookie}\r\n`;
  }

  find(backend: string): Backend | undefined {
    return this.backends.find(({ name }) => name === backend);
  }

  /** Asks every backend anew whether it may be picked, and tells what changed. */
  rebuild(): void {
    const nowMs = this.#context.wheel.nowMs;
    const eligible = this.backends.filter((backend) => this.#judge(backend, nowMs));
    // each return comes back here
    if (eligible.length === 0 && this.#readmitOne()) return;
    this.#setWeights(nowMs);
    const none = eligible.length === 0;
    const failOpen = none && this.plan.whenNoneEligible === 'all';
    this.#eligible = failOpen
      ? this.backends.filter((backend) => backend.eligibility.admin === 'enabled')
      : eligible;
    this.failOpen = failOpen && this.#eligible.length > 0;
    this.#tellNone(none);
  }

  /**
   * The last backend is never ejected, but what is left may go another way (probes, the operator): then one that failed a
   * while ago is better than none. Of several the one that would be back first.
   */
  #readmitOne(): boolean {
    const ejected = this.backends.flatMap(({ eligibility }) =>
      eligibility.onlyEjected && eligibility.ejection !== undefined ? [eligibility.ejection] : [],
    );
    const next = ejected.reduce<Ejection | undefined>(
      (first, one) => (first === undefined || one.untilMs < first.untilMs ? one : first),
      undefined,
    );
    next?.readmit();
    return next !== undefined;
  }

  /** Before everything was probed nothing need be eligible either: that is no news. */
  #tellNone(none: boolean): void {
    if (none === this.#noneEligible) return;
    if (none && this.backends.every(({ announcedOut }) => !announcedOut)) return;
    if (none && this.backends.some(awaitsFirstProbe)) return;
    // one that may have a trial is not back
    if (!none && this.backends.every(({ announcedOut }) => announcedOut)) return;
    this.#noneEligible = none;
    const { name: service, failOpen } = this;
    this.#tell({ kind: 'none-eligible', service, active: none, failOpen });
  }

  /** Keeps the latencies that hedges of its routes go by, where there are any. */
  serve(routes: readonly Route[]): void {
    const hedges = routes.some(({ retry }) => retry?.hedge?.kind === 'percentile');
    const { wheel } = this.#context;
    if (!hedges) this.latencies = undefined;
    else this.latencies ??= new LatencyPercentile(() => wheel.nowMs);
  }

  /** The plan names it no more. Its requests under way end as they began, with all that their retries may need. */
  retire(): void {
    this.#retired = true;
  }

  get busy(): boolean {
    return (this.limit?.queued ?? 0) > 0 || this.backends.some(({ busy }) => busy);
  }

  closeIdle(): void {
    for (const backend of this.backends) backend.closeIdle();
  }

  destroy(): void {
    this.#context.wheel.release(this.#ramp);
    this.limit?.close();
    for (const backend of this.backends) backend.destroy();
  }

  #tell(event: DataEvent): void {
    if (!this.#retired) this.#context.onEvent(event);
  }

  #takeOver(plan: ServicePlan): readonly Backend[] {
    this.plan = plan;
    this.overHttp2 = plan.backends.some(({ protocol }) => protocol === 'h2' || protocol === 'h2c');
    this.#sticky = plan.sticky === undefined ? undefined : new Sticky(plan.sticky, plan.name);
    this.#takeOverLimit(plan);
    const before = new Map(this.backends.map((backend) => [backend.name, backend]));
    this.backends = plan.backends.map((backendPlan) => {
      const kept = before.get(backendPlan.name);
      if (kept === undefined) return this.#newBackend(backendPlan);
      if (kept.plan.protocol !== backendPlan.protocol) return this.#newBackend(backendPlan, kept);
      before.delete(backendPlan.name);
      kept.update(backendPlan, plan);
      return kept;
    });
    this.rebuild();
    return [...before.values()];
  }

  #takeOverLimit({ concurrency }: ServicePlan): void {
    if (this.limit !== undefined && concurrency !== undefined) this.limit.update(concurrency);
    else if (concurrency !== undefined) this.limit = new ConcurrencyLimit(concurrency, this.#context);
    else this.limit = undefined;
  }

  /** Whether the backend is eligible now; a change is told. */
  #judge(backend: Backend, nowMs: number): boolean {
    const excluded = backend.eligibility.excluded();
    // it is not in yet, rather than out
    if (awaitsFirstProbe(backend)) return excluded === undefined;
    if (backend.isAdded && excluded === undefined) {
      backend.isAdded = false;
      backend.returnedMs = nowMs;
    }
    // the trials of a half-open breaker come and go; it is back when the breaker closes
    const out = excluded !== undefined || backend.eligibility.breaker?.state === 'half-open';
    if (out === backend.announcedOut) return excluded === undefined;
    backend.announcedOut = out;
    const ref = { service: this.name, backend: backend.name };
    if (!out) {
      backend.returnedMs = nowMs;
      backend.forgetLatency();
      this.#tell({ kind: 'eligible', ...ref });
    } else if (excluded !== undefined) this.#tell({ kind: 'ineligible', ...excluded, ...ref });
    return excluded === undefined;
  }

  #setWeights(nowMs: number): void {
    let ramping = false;
    for (const backend of this.backends) {
      const { returnedMs } = backend;
      const share = returnedMs === undefined ? 1 : slowStartShare(returnedMs, nowMs, this.plan.slowStartMs);
      if (share >= 1) backend.returnedMs = undefined;
      else ramping = true;
      backend.weight = backend.fullWeight * share;
    }
    if (ramping) this.#context.wheel.arm(this.#ramp, RAMP_STEP_MS);
  }

  /** @param before one of the same name that speaks another protocol: what the operator wants holds for both */
  #newBackend(plan: BackendPlan, before?: Backend): Backend {
    const { clock, wheel, random } = this.#context;
    const ref = { service: this.name, backend: plan.name };
    const backend = new Backend(
      this.#context,
      {
        clock,
        wheel,
        random,
        mayEject: () => this.#mayEject(),
        onChange: () => this.rebuild(),
        onEject: (reason, forMs) => this.#tell({ kind: 'ejected', reason, forMs, ...ref }),
        onConnectFailed: () => this.#tell({ kind: 'connect-failed', ...ref }),
        onBreaker: (from, to, reason) => this.#tell({ kind: 'breaker', from, to, reason, ...ref }),
      },
      plan,
      this.plan,
    );
    backend.isAdded = this.#begun;
    if (before === undefined) return backend;
    backend.eligibility.setAdmin(before.eligibility.admin);
    backend.ownWeight = before.ownWeight;
    return backend;
  }

  #mayEject(): boolean {
    const { ejection } = this.plan;
    if (ejection === undefined) return false;
    const ejected = this.backends.filter((backend) => backend.eligibility.ejection?.active === true).length;
    const eligible = this.failOpen ? 0 : this.#eligible.length;
    return mayEject(ejection, { total: this.backends.length, ejected, eligible });
  }

  #newBalancer(plan: ServicePlan): Balancer<Backend> {
    const { wheel, random } = this.#context;
    return createBalancer(plan.balance, { clock: { now: () => wheel.nowMs }, random });
  }

  #newBudget(plan: ServicePlan): RetryBudget {
    const { wheel } = this.#context;
    return new RetryBudget(plan.retryBudget, () => wheel.nowMs);
  }
}

/** Whether nothing is known yet of a backend, and nobody has taken it out. */
function awaitsFirstProbe({ eligibility }: Backend): boolean {
  return eligibility.awaitsProbe && eligibility.admin === 'enabled';
}
