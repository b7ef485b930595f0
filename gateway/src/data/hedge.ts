import type { FailureCode } from '../errors.ts';
import type { Clock } from '../time.ts';
import { NO_TICKET } from './backend.ts';
import { Exchange, type FailedAttempt, type Line, NOT_SENT } from './exchange.ts';
import type { ExchangeTimers } from './exchange-timers.ts';
import type { ResponseHead } from './http1/response-head.ts';
import type { HedgePlan } from './plan.ts';
import { isIdempotent } from './retry.ts';
import type { Route } from './route.ts';
import { isFailureAnswer } from './settle-answer.ts';
import { settleFailure } from './settle-failure.ts';

/** Below that a second attempt would start before most first ones had a chance. */
const SHORTEST_MS = 1;

/**
 * Arms a second attempt beside the first, for when the first is slower than most: whichever answers first is the answer
 * (Dean and Barroso, The Tail at Scale, 2013). Only for what may be sent twice, and out of the retry budget.
 */
export function startHedge(exchange: Exchange, route: Route, plan: HedgePlan, deps: HedgeDeps): void {
  const replayable = isIdempotent(exchange.method) || route.retry?.nonIdempotent === true;
  if (!replayable || !exchange.bodyComplete || exchange.bodyLost || exchange.upgrade !== '') return;
  if (exchange.raw) return;
  const afterMs =
    plan.kind === 'after' ? plan.afterMs : (route.service.latencies?.read(plan.percentile) ?? 0);
  // nothing is known of the latency yet
  if (afterMs < SHORTEST_MS) return;
  deps.timers.hedge(afterMs, () => {
    if (exchange.ended || exchange.status !== 0 || exchange.replays > 0) return;
    const hedge = new Hedge(exchange, route, deps);
    if (hedge.start()) exchange.hedge = hedge;
  });
}

export interface HedgeDeps {
  readonly clock: Clock;
  readonly timers: ExchangeTimers;
  readonly line: Line;
}

/**
 * The second attempt: an exchange of its own towards the backend, with the first one's client. It becomes the first one's
 * attempt when it answers sooner, or when the first one's fails.
 */
export class Hedge implements Line {
  readonly #main: Exchange;
  readonly #own: Exchange;
  readonly #route: Route;
  readonly #deps: HedgeDeps;
  /** `main`: its attempt is the exchange's own now, and what happens to it is told on. */
  #state: 'racing' | 'main' | 'over' = 'racing';

  constructor(main: Exchange, route: Route, deps: HedgeDeps) {
    this.#main = main;
    this.#route = route;
    this.#deps = deps;
    this.#own = Exchange.twin(main, this, deps.clock.now());
  }

  /** False: there is no other backend, no budget or no room. */
  start(): boolean {
    const { service } = this.#route;
    const own = this.#own;
    own.tried = this.#main.backend === undefined ? [] : [...(this.#main.tried ?? []), this.#main.backend];
    const backend = service.pick(own);
    if (backend === undefined) return this.#count('no_other_backend');
    if (!service.budget.take()) return this.#count('budget');
    own.backend = backend;
    own.attempting = true;
    own.attemptStartedMs = this.#deps.clock.now();
    own.ticket = backend.begin();
    this.#main.decisions?.push(`hedge to ${backend.name}`);
    this.#main.record?.hedge(own, backend);
    this.#count('retried');
    if (backend.agent.take(own, false) !== undefined) this.lost();
    return this.#state === 'racing';
  }

  /** The first attempt has failed: the second one is the exchange's from here on, if there still is one. */
  takeOver(): boolean {
    if (this.#state !== 'racing') return false;
    const main = this.#main;
    const { backend, backendSide } = this.#own;
    main.replays += 1;
    this.#adopt();
    if (backendSide !== undefined || backend === undefined) return true;
    // it waits for a connection: whom that is given to is the exchange itself now
    backend.agent.cancel(this.#own);
    const refused = backend.agent.take(main, false);
    if (refused !== undefined) this.#deps.line.attemptFailed(main, refused, NOT_SENT);
    return true;
  }

  /** The first attempt was faster, or nobody waits any more. */
  lost(): void {
    if (this.#state !== 'racing') return;
    const own = this.#own;
    const { backend, backendSide } = own;
    this.#over();
    this.#main.record?.hedgeEnded(0, undefined, this.#deps.clock.now());
    backend?.dropped(own.ticket);
    own.ticket = NO_TICKET;
    own.backendSide = undefined;
    if (backendSide !== undefined) backendSide.cancel();
    else backend?.agent.cancel(own);
  }

  // --- Line: what happens to the second attempt ---

  responseHead(_own: Exchange, head: ResponseHead): void {
    if (this.#state === 'racing') {
      // what is only interim says nothing of who will be first
      if (head.status < 200) return;
      // failing fast is not being faster: the first attempt may still do better
      if (isFailureAnswer(this.#own, head)) {
        this.#answeredBadly(head.status);
        return;
      }
      this.#win();
    }
    if (this.#state === 'main') this.#deps.line.responseHead(this.#main, head);
  }

  responseEnd(): void {
    if (this.#state === 'main') this.#deps.line.responseEnd(this.#main);
  }

  attemptFailed(own: Exchange, code: FailureCode, attempt: FailedAttempt): void {
    if (this.#state === 'main') {
      this.#deps.line.attemptFailed(this.#main, code, attempt);
      return;
    }
    const { backend } = own;
    if (this.#state === 'over' || backend === undefined) return;
    this.#main.decisions?.push(`hedge: ${code} at ${backend.name}`);
    this.#main.record?.hedgeEnded(0, code, this.#deps.clock.now());
    this.#over();
    settleFailure(own, backend, code, attempt, this.#deps.clock.now() - own.attemptStartedMs);
  }

  clientLeft(): void {}

  connected(): void {}

  #answeredBadly(status: number): void {
    const own = this.#own;
    const { backend, backendSide, ticket } = own;
    const nowMs = this.#deps.clock.now();
    this.#main.decisions?.push(`hedge: status ${status} at ${backend?.name}`);
    this.#main.record?.hedgeEnded(status, undefined, nowMs);
    this.#over();
    own.ticket = NO_TICKET;
    own.backendSide = undefined;
    backendSide?.discard();
    backend?.answeredBadly(ticket, status, nowMs - own.attemptStartedMs, nowMs, `status ${status}`);
  }

  #win(): void {
    const main = this.#main;
    const { backend, backendSide } = main;
    main.decisions?.push(`hedge answered first`);
    // at least that long: without those that were cut short, a percentile would fall with every hedge
    this.#route.service.latencies?.observe(this.#deps.clock.now() - main.attemptStartedMs);
    if (backend !== undefined && main.attempting) {
      main.attempting = false;
      backend.pending -= 1;
      if (main.ticket !== NO_TICKET) backend.dropped(main.ticket);
    }
    main.backendSide = undefined;
    if (backendSide !== undefined) backendSide.cancel();
    else backend?.agent.cancel(main);
    this.#adopt();
  }

  #adopt(): void {
    this.#state = 'main';
    const main = this.#main;
    const own = this.#own;
    main.tried = own.tried;
    main.backend = own.backend;
    main.backendSide = own.backendSide;
    main.ticket = own.ticket;
    main.attemptStartedMs = own.attemptStartedMs;
    main.attempts += 1;
    main.attempting = true;
    main.record?.hedgeTakesOver(this.#deps.clock.now());
  }

  /** The second attempt has come to nothing. */
  #over(): void {
    this.#state = 'over';
    const own = this.#own;
    if (own.backend === undefined || !own.attempting) return;
    own.attempting = false;
    own.backend.pending -= 1;
  }

  #count(outcome: string): false {
    this.#route.service.retries.add('hedge', outcome);
    return false;
  }
}
