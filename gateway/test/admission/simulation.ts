import { ConcurrencyLimit, type Entrant } from '../../src/data/concurrency-limit.ts';
import type { ConcurrencyPlan } from '../../src/data/plan.ts';
import { type Random, TimerWheel } from '../../src/time.ts';
import { ManualClock } from '../support/manual-clock.ts';

export interface Load {
  /** Of exponential gaps between requests. */
  readonly requestsPerSecond: number;
  readonly seconds: number;
}

/** A server with `workers` who each serve one request at a time, and a queue without end before them. */
export interface Server {
  workers: number;
  /** Service times are half of this plus an exponential part. */
  meanMs: number;
  /** After which the gateway gives up on a request, and counts it as overload; the server does not notice. */
  timeoutMs?: number;
}

export interface Outcome {
  /** Milliseconds from entering to the answer, of those that were served, in the order they were. */
  readonly latenciesMs: readonly number[];
  readonly served: number;
  readonly timedOut: number;
  readonly refused: number;
  /** The limit at the end of each 100 ms. */
  readonly limits: readonly number[];
}

class SimulatedRequest implements Entrant {
  readonly priority = 'normal';
  readonly #world: World;
  readonly enteredMs: number;
  sentMs = 0;
  /** Whether the gateway no longer waits for it. */
  left = false;

  constructor(world: World, enteredMs: number) {
    this.#world = world;
    this.enteredMs = enteredMs;
  }

  admitted(): void {
    this.#world.send(this);
  }

  turnedAway(): void {
    this.#world.refused += 1;
  }
}

/** Steps of one millisecond; the wheel ticks every 50, as it does in a gateway. */
export class World {
  readonly latenciesMs: number[] = [];
  readonly limits: number[] = [];
  served = 0;
  timedOut = 0;
  refused = 0;
  readonly server: Server;
  readonly limit: ConcurrencyLimit;
  readonly #clock = new ManualClock();
  readonly #random: Random;
  #nowMs = 0;
  readonly #queue: SimulatedRequest[] = [];
  #queueHead = 0;
  readonly #serving: { readonly request: SimulatedRequest; readonly untilMs: number }[] = [];
  readonly #sent: SimulatedRequest[] = [];
  #sentHead = 0;

  constructor(plan: ConcurrencyPlan, server: Server, random: Random) {
    this.server = server;
    this.#random = random;
    this.limit = new ConcurrencyLimit(plan, { wheel: new TimerWheel(this.#clock) });
  }

  /** Returns what happened in this time only. */
  run({ requestsPerSecond, seconds }: Load): Outcome {
    const before = { served: this.served, timedOut: this.timedOut, refused: this.refused };
    const latenciesFrom = this.latenciesMs.length;
    const limitsFrom = this.limits.length;
    const untilMs = this.#nowMs + seconds * 1000;
    let nextMs = this.#nowMs;
    while (this.#nowMs < untilMs) {
      this.#nowMs += 1;
      if (this.#nowMs % 50 === 0) this.#clock.advance(50);
      if (this.#nowMs % 100 === 0) this.limits.push(this.limit.limit);
      this.#finish();
      this.#expire();
      for (; nextMs <= this.#nowMs; nextMs += (-Math.log(1 - this.#random()) * 1000) / requestsPerSecond)
        this.#arrive();
      this.#serve();
    }
    return {
      latenciesMs: this.latenciesMs.slice(latenciesFrom),
      limits: this.limits.slice(limitsFrom),
      served: this.served - before.served,
      timedOut: this.timedOut - before.timedOut,
      refused: this.refused - before.refused,
    };
  }

  send(request: SimulatedRequest): void {
    request.sentMs = this.#nowMs;
    this.#queue.push(request);
    this.#sent.push(request);
  }

  #arrive(): void {
    const request = new SimulatedRequest(this, this.#nowMs);
    const answer = this.limit.enter(request);
    if (answer === 'in') this.send(request);
    else if (answer === 'shed') this.refused += 1;
  }

  #finish(): void {
    for (let i = this.#serving.length - 1; i >= 0; i--) {
      const one = this.#serving[i];
      if (one === undefined || one.untilMs > this.#nowMs) continue;
      this.#serving.splice(i, 1);
      if (one.request.left) continue;
      one.request.left = true;
      this.served += 1;
      this.latenciesMs.push(this.#nowMs - one.request.enteredMs);
      this.limit.leave(this.#nowMs - one.request.sentMs, false);
    }
  }

  #expire(): void {
    const { timeoutMs } = this.server;
    if (timeoutMs === undefined) return;
    for (; this.#sentHead < this.#sent.length; this.#sentHead += 1) {
      const oldest = this.#sent[this.#sentHead];
      if (oldest === undefined || oldest.sentMs + timeoutMs > this.#nowMs) return;
      if (oldest.left) continue;
      oldest.left = true;
      this.timedOut += 1;
      this.limit.leave(undefined, true);
    }
  }

  #serve(): void {
    while (this.#serving.length < this.server.workers) {
      const request = this.#queue[this.#queueHead];
      if (request === undefined) return;
      this.#queueHead += 1;
      const serviceMs = this.server.meanMs * (0.5 - 0.5 * Math.log(1 - this.#random()));
      this.#serving.push({ request, untilMs: this.#nowMs + serviceMs });
    }
  }
}

/** The value that `share` (0 to 1) of `values` do not exceed; 0 of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

/** Numbers in [0, 1) that are the same in every run (mulberry32). */
export function seeded(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
