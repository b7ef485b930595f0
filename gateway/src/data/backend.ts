import type { TimerWheel } from '../time.ts';
import { Agent, type AgentContext } from './agent.ts';
import type { Candidate } from './balancers/balancer.ts';
import { StatusCounters } from './counters.ts';
import { PeakEwma } from './peak-ewma.ts';
import type { BackendPlan, ServicePlan } from './plan.ts';

/** One server of a service, with its live state. */
export class Backend implements Candidate {
  readonly name: string;
  readonly weight: number;
  readonly agent: Agent;
  readonly counters = new StatusCounters();
  readonly #latency = new PeakEwma();
  readonly #wheel: TimerWheel;
  /** Requests given to it and not yet answered, waiting ones included. */
  pending = 0;

  constructor(context: AgentContext, plan: BackendPlan, service: ServicePlan) {
    this.name = plan.name;
    this.weight = plan.weight;
    this.#wheel = context.wheel;
    this.agent = new Agent(context, plan, service.pool, service.timeouts, service.tls);
  }

  latencyMs(nowMs: number): number {
    return this.#latency.read(nowMs);
  }

  /** An answer's head came after `latencyMs`. */
  answered(latencyMs: number, nowMs: number): void {
    this.#latency.observe(latencyMs, nowMs);
  }

  /** An attempt failed: it counts as a slow answer, or failing fast would look like being fast. */
  failed(): void {
    this.#latency.observe(FAILURE_LATENCY_MS, this.#wheel.nowMs);
  }
}

const FAILURE_LATENCY_MS = 1_000;
