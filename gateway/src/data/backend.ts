import type { FailureCode } from '../errors.ts';
import type { TimerWheel } from '../time.ts';
import { Agent, type AgentContext } from './agent.ts';
import type { BackendAgent } from './backend-agent.ts';
import type { Candidate } from './balancers/balancer.ts';
import { TrafficCounters } from './counters.ts';
import { Eligibility, type EligibilityDeps } from './eligibility.ts';
import { Http2Agent } from './http2/backend-agent.ts';
import { PeakEwma } from './peak-ewma.ts';
import type { BackendPlan, ServicePlan } from './plan.ts';

/** Of an attempt that no breaker counts. */
export const NO_TICKET = -1;

/** What a failed answer counts as in the latency estimate, or failing fast would look like being fast. */
const FAILURE_LATENCY_MS = 1_000;

export interface BackendDeps extends EligibilityDeps {
  /** Live traffic could not connect: a probe would say more. */
  readonly onConnectFailed: () => void;
}

/** One server of a service, with its live state. */
export class Backend implements Candidate {
  readonly name: string;
  plan: BackendPlan;
  readonly agent: BackendAgent;
  readonly eligibility: Eligibility;
  /** Attempts: by status, or by failure code with the status 0. */
  readonly counters = new TrafficCounters();
  readonly #latency = new PeakEwma();
  readonly #wheel: TimerWheel;
  readonly #onConnectFailed: () => void;
  /** Requests given to it and not yet answered, waiting ones included. */
  pending = 0;
  /** What the balancer sees; only its service changes it, together with the array it stands in. */
  weight: number;
  /** The operator's; undefined: the plan's. */
  ownWeight: number | undefined;
  /** When it came back from being excluded, for slow start; undefined: it never was, or that is long over. */
  returnedMs: number | undefined;
  /** Whether it stands outside the eligible array, as far as people were told. */
  announcedOut = false;
  /** Whether it was added to a service that served already, and was not eligible yet: it starts slowly too. */
  isAdded = false;
  lastSuccessMs = Number.NEGATIVE_INFINITY;

  constructor(context: AgentContext, deps: BackendDeps, plan: BackendPlan, service: ServicePlan) {
    this.#onConnectFailed = deps.onConnectFailed;
    this.name = plan.name;
    this.plan = plan;
    this.weight = plan.weight;
    this.#wheel = context.wheel;
    const Pool = plan.protocol === 'h2' || plan.protocol === 'h2c' ? Http2Agent : Agent;
    this.agent = new Pool(context, plan, service.pool, service.timeouts, service.tls);
    this.eligibility = new Eligibility(deps, service);
  }

  update(plan: BackendPlan, service: ServicePlan): void {
    this.plan = plan;
    this.agent.update(service.pool, service.timeouts, service.tls);
    this.eligibility.update(service);
  }

  get fullWeight(): number {
    return this.ownWeight ?? this.plan.weight;
  }

  latencyMs(nowMs: number): number {
    return this.#latency.read(nowMs);
  }

  /** It comes back: its last failures, which count as slow answers, say nothing of how fast it is now. */
  forgetLatency(): void {
    this.#latency.forget();
  }

  /** An attempt goes there. Returns the ticket that its outcome is settled with. */
  begin(): number {
    this.pending += 1;
    const breaker = this.eligibility.breaker;
    // not when it is picked though it is not eligible (fail-open): that is no trial
    return breaker?.admits === true ? breaker.admit() : NO_TICKET;
  }

  /** An answer's head came after `latencyMs`, and it says nothing against the backend. */
  succeeded(ticket: number, status: number, latencyMs: number, nowMs: number): void {
    this.lastSuccessMs = nowMs;
    this.counters.add('', status, latencyMs);
    this.#latency.observe(latencyMs, nowMs);
    const { ejection, breaker } = this.eligibility;
    ejection?.succeeded();
    if (ticket !== NO_TICKET) breaker?.succeeded(ticket, latencyMs);
  }

  /**
   * An answer came whose status says that the backend failed.
   * @param what for people, e.g. `status 503`
   */
  answeredBadly(ticket: number, status: number, latencyMs: number, nowMs: number, what: string): void {
    this.counters.add('', status, latencyMs);
    // a 500 is the application's and takes what it takes; the others are cheap to give
    this.#latency.observe(status === 500 ? latencyMs : Math.max(latencyMs, FAILURE_LATENCY_MS), nowMs);
    const { ejection, breaker } = this.eligibility;
    ejection?.failed(what);
    if (ticket !== NO_TICKET) breaker?.failed(ticket);
  }

  /** An answer's head came that says nothing for or against the backend: its end will. */
  answered(status: number, latencyMs: number, nowMs: number): void {
    this.lastSuccessMs = nowMs;
    this.counters.add('', status, latencyMs);
    this.#latency.observe(latencyMs, nowMs);
  }

  endedWell(ticket: number, latencyMs: number): void {
    const { ejection, breaker } = this.eligibility;
    ejection?.succeeded();
    if (ticket !== NO_TICKET) breaker?.succeeded(ticket, latencyMs);
  }

  /** @param what for people, e.g. `grpc-status 14` */
  endedBadly(ticket: number, what: string): void {
    const { ejection, breaker } = this.eligibility;
    ejection?.failed(what);
    if (ticket !== NO_TICKET) breaker?.failed(ticket);
  }

  /** An attempt failed by the backend's fault. */
  failed(ticket: number, code: FailureCode, latencyMs: number): void {
    this.counters.add(code, 0, latencyMs);
    this.#latency.observe(FAILURE_LATENCY_MS, this.#wheel.nowMs);
    const { ejection, breaker } = this.eligibility;
    if (ticket !== NO_TICKET) breaker?.failed(ticket);
    if (!CONNECT_FAILURES.has(code)) ejection?.failed(code);
    else {
      ejection?.connectFailed(code);
      this.#onConnectFailed();
    }
  }

  /** An attempt ended without saying anything of the backend. */
  dropped(ticket: number): void {
    if (ticket !== NO_TICKET) this.eligibility.breaker?.dropped(ticket);
  }

  get busy(): boolean {
    return this.pending > 0;
  }

  closeIdle(): void {
    this.agent.closeIdle();
  }

  destroy(): void {
    this.eligibility.close();
    this.agent.destroy();
  }
}

/** Nobody listens there, or it cannot be reached: no need to see that five times. */
const CONNECT_FAILURES: ReadonlySet<FailureCode> = new Set<FailureCode>([
  'connect_refused',
  'connect_failed',
]);

/** 5xx but for those that say something of the request rather than of the server (HAProxy's `observe layer7`). */
export function isFailureStatus(status: number): boolean {
  return status >= 500 && status !== 501 && status !== 505;
}
