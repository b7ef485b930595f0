import type { AgentContext } from './agent.ts';
import { Backend } from './backend.ts';
import { type Balancer, createBalancer } from './balancers/balancer.ts';
import { Sticky } from './balancers/sticky.ts';
import type { Exchange } from './exchange.ts';
import type { ServicePlan } from './plan.ts';

/** A named group of backends. */
export class Service {
  readonly name: string;
  readonly plan: ServicePlan;
  readonly backends: readonly Backend[];
  readonly #balancer: Balancer<Backend>;
  readonly #sticky: Sticky | undefined;
  /** What may be picked; replaced, never changed. */
  readonly #eligible: readonly Backend[];

  constructor(context: AgentContext, plan: ServicePlan) {
    this.name = plan.name;
    this.plan = plan;
    this.backends = plan.backends.map((backend) => new Backend(context, backend, plan));
    this.#eligible = this.backends;
    this.#balancer = createBalancer(plan.balance, {
      clock: { now: () => context.wheel.nowMs },
      random: context.random,
    });
    this.#sticky = plan.sticky === undefined ? undefined : new Sticky(plan.sticky, plan.name);
  }

  /** The backend for the next attempt, one not yet tried; undefined when there is none. */
  pick(exchange: Exchange): Backend | undefined {
    const tried = exchange.tried;
    const candidates =
      tried === undefined ? this.#eligible : this.#eligible.filter((backend) => !tried.includes(backend));
    if (candidates.length === 0) return undefined;
    return this.#sticky?.find(candidates, exchange) ?? this.#balancer.pick(candidates, exchange);
  }

  /** The Set-Cookie line that binds the client to the backend that answered; empty when there is nothing to say. */
  stickyLine(exchange: Exchange): string {
    if (this.#sticky === undefined || exchange.backend === undefined) return '';
    const cookie = this.#sticky.cookieFor(exchange.backend, exchange);
    return cookie === undefined ? '' : `Set-Cookie: ${cookie}\r\n`;
  }

  close(): void {
    for (const backend of this.backends) backend.agent.close();
  }

  destroy(): void {
    for (const backend of this.backends) backend.agent.destroy();
  }
}
