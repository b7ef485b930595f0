import type { Clock, Random } from '../time.ts';
import { TimerWheel } from '../time.ts';
import { FailureCounters } from './counters.ts';
import { Forward, type Observer } from './forward.ts';
import { ResponseHead } from './http1/response-head.ts';
import { Listener } from './listener.ts';
import type { Plan } from './plan.ts';
import { RequestIds } from './request-id.ts';
import { type Lookup, Resolver } from './resolver.ts';
import { Route } from './route.ts';
import { Router } from './router.ts';
import { Service } from './service.ts';
import { ReadBuffers } from './wire.ts';

export interface DataPlaneDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly observer: Observer;
  /** The system's, when left out. */
  readonly lookup?: Lookup;
}

/** The request path of one process, built from a plan. */
export class DataPlane {
  readonly counters = new FailureCounters();
  readonly services: readonly Service[];
  readonly routes: readonly Route[];
  readonly listeners: readonly Listener[];
  readonly #wheel: TimerWheel;

  constructor(plan: Plan, deps: DataPlaneDeps) {
    const { clock, random, observer } = deps;
    this.#wheel = new TimerWheel(clock);
    const wheel = this.#wheel;
    const buffers = new ReadBuffers();
    const resolver = new Resolver({
      clock,
      random,
      ...(deps.lookup === undefined ? {} : { lookup: deps.lookup }),
      onChange: (host, addresses) =>
        this.#addressesChanged(
          host,
          addresses.map(({ address }) => address),
        ),
    });
    const agents = { clock, random, wheel, buffers, resolver, head: new ResponseHead() };
    this.services = plan.services.map((service) => new Service(agents, service));
    const byName = new Map(this.services.map((service) => [service.name, service]));
    this.routes = plan.routes.map((route) => {
      const service = byName.get(route.service);
      if (service === undefined)
        throw new Error(`route ${route.name}: there is no service '${route.service}'`);
      return new Route(route, service);
    });
    const router = new Router(this.routes.map((route) => ({ rule: route.plan, value: route })));
    const dateLine = dateLineOf(clock);
    const forward = new Forward({ clock, wheel, counters: this.counters, observer, dateLine }, router);
    const shared = {
      clock,
      ids: new RequestIds(random),
      wheel,
      buffers,
      counters: this.counters,
      line: forward,
    };
    this.listeners = plan.listeners.map((listener) => new Listener(shared, listener));
  }

  /** Listens on every address, or on none: the first that fails closes the others and is thrown. */
  async start(): Promise<void> {
    try {
      for (const listener of this.listeners) await listener.listen();
    } catch (error) {
      this.destroy();
      throw error;
    }
  }

  /** Accepts no more and answers what is under way; resolves when that is done, at the latest after `deadlineMs`. */
  async drain(deadlineMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, deadlineMs);
    });
    await Promise.race([Promise.all(this.listeners.map((listener) => listener.drain())), deadline]);
    clearTimeout(timer);
    this.destroy();
  }

  destroy(): void {
    for (const listener of this.listeners) listener.destroy();
    for (const service of this.services) service.destroy();
    this.#wheel.close();
  }

  #addressesChanged(host: string, addresses: readonly string[]): void {
    for (const service of this.services) {
      for (const backend of service.backends) backend.agent.addressesChanged(host, addresses);
    }
  }
}

/** `Date: …` made once a second. */
function dateLineOf(clock: Clock): () => string {
  let second = 0;
  let line = '';
  return () => {
    const now = Math.floor(clock.wallNow() / 1000);
    if (now !== second) {
      second = now;
      line = `Date: ${new Date(now * 1000).toUTCString()}\r\n`;
    }
    return line;
  };
}
