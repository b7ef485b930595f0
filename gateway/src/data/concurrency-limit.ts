import type { TimerWheel } from '../time.ts';
import { GradientLimit } from './gradient-limit.ts';
import type { ConcurrencyPlan } from './plan.ts';
import { type Entrant, WaitingLine } from './waiting-line.ts';

export type { Entrant } from './waiting-line.ts';

/**
 * Holds the requests under way, of a service or of a route, to a limit. Those it has no room for wait in a short line or
 * are shed at once: an answer now is better than a slow death. The least important are shed first.
 */
export class ConcurrencyLimit {
  readonly #wheel: TimerWheel;
  readonly #line: WaitingLine;
  #plan: ConcurrencyPlan;
  #adaptive: GradientLimit | undefined;
  #limit: number;
  #inFlight = 0;
  /** Whether somebody further up the stack lets those who wait in. */
  #admitting = false;
  #closed = false;

  constructor(plan: ConcurrencyPlan, deps: { readonly wheel: TimerWheel }) {
    this.#wheel = deps.wheel;
    this.#line = new WaitingLine(deps.wheel);
    this.#plan = plan;
    this.#adaptive = plan.adaptive ? new GradientLimit(plan.max, deps.wheel.nowMs) : undefined;
    this.#limit = this.#adaptive?.limit ?? plan.max;
  }

  /** Requests under way; more than `limit` only after that has fallen. */
  get inFlight(): number {
    return this.#inFlight;
  }

  get limit(): number {
    return this.#limit;
  }

  get queued(): number {
    return this.#line.size;
  }

  /**
   * - `in`: it counts as under way until {@link leave}
   * - `waiting`: it will hear `admitted` or `turnedAway`, unless it is cancelled; neither is called before this returns
   * - `shed`: it has no place, and hears nothing more
   */
  enter(entrant: Entrant): 'in' | 'waiting' | 'shed' {
    if (this.#hasRoomFor(entrant)) {
      this.#inFlight += 1;
      return 'in';
    }
    if (this.#adaptive !== undefined) {
      this.#adaptive.look(this.#wheel.nowMs);
      this.#limitMoved(this.#adaptive.limit);
      if (this.#hasRoomFor(entrant)) {
        this.#inFlight += 1;
        return 'in';
      }
    }
    return this.#wait(entrant);
  }

  /**
   * One under way has ended.
   * @param latencyMs to the head of its answer when it went well; undefined when it says nothing
   * @param overloaded whether it failed in the way of overload (timeout, 503)
   */
  leave(latencyMs: number | undefined, overloaded: boolean): void {
    const adaptive = this.#adaptive;
    if (adaptive !== undefined) {
      adaptive.ended(latencyMs, overloaded, this.#inFlight, this.#wheel.nowMs);
      this.#limit = adaptive.limit;
    }
    this.#inFlight -= 1;
    if (this.#line.size > 0) this.#admit();
  }

  /** The client of one who waits left. Of others nothing is known here, and nothing done. */
  cancel(entrant: Entrant): void {
    this.#line.remove(entrant);
  }

  /** Puts a new plan in force. Those under way and those who wait stay, these with the deadline they had. */
  update(plan: ConcurrencyPlan): void {
    this.#plan = plan;
    if (!plan.adaptive) this.#adaptive = undefined;
    else if (this.#adaptive === undefined) this.#adaptive = new GradientLimit(plan.max, this.#wheel.nowMs);
    else this.#adaptive.max = plan.max;
    this.#limitMoved(this.#adaptive?.limit ?? plan.max);
  }

  /** Sheds those who wait and all who come; those under way may still leave. */
  close(): void {
    this.#closed = true;
    for (let next = this.#line.takeFirst(); next !== undefined; next = this.#line.takeFirst())
      next.turnedAway('shed');
  }

  #hasRoomFor(entrant: Entrant): boolean {
    if (this.#inFlight >= this.#limit || this.#closed) return false;
    // somebody can wait where there is room only while an admission is going on further up the stack
    return this.#line.size === 0 || !this.#line.isAhead(entrant.priority);
  }

  #limitMoved(limit: number): void {
    this.#limit = limit;
    if (this.#line.size > 0) this.#admit();
  }

  #wait(entrant: Entrant): 'in' | 'waiting' | 'shed' {
    if (entrant.priority === 'low' || this.#closed) return 'shed';
    const { queue, queueTimeoutMs } = this.#plan;
    if (this.#line.size < queue) {
      this.#line.add(entrant, queueTimeoutMs);
      return 'waiting';
    }
    const displaced = entrant.priority === 'high' ? this.#line.takeNewestNormal() : undefined;
    if (displaced === undefined) return 'shed';
    this.#line.add(entrant, queueTimeoutMs);
    return this.#displace(displaced, entrant) ? 'in' : 'waiting';
  }

  /** Returns whether what the displaced one did in turn has made room for `entrant`, who took its place. */
  #displace(displaced: Entrant, entrant: Entrant): boolean {
    const nested = this.#admitting;
    this.#admitting = true;
    try {
      displaced.turnedAway('shed');
    } finally {
      this.#admitting = nested;
    }
    return this.#admit(entrant);
  }

  /**
   * Lets in those whose turn it is. One loop does it for everybody on the stack: where each admitted one ends at once, the
   * stack would grow with the line.
   * @param entering is not told, as its `enter` has not returned; true says that it is in
   */
  #admit(entering?: Entrant): boolean {
    if (this.#admitting || this.#closed) return false;
    this.#admitting = true;
    let entered = false;
    try {
      while (this.#inFlight < this.#limit) {
        const next = this.#line.takeFirst();
        if (next === undefined) break;
        this.#inFlight += 1;
        if (next === entering) entered = true;
        else next.admitted();
      }
    } finally {
      this.#admitting = false;
    }
    return entered;
  }
}
