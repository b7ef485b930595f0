import { FAILURES, type FailureCode } from '../errors.ts';
import { Admission } from './admission.ts';
import { type Backend, NO_TICKET } from './backend.ts';
import { type ExplainAccess, explainLine } from './decisions.ts';
import type { Exchange, FailedAttempt, Line } from './exchange.ts';
import { NOT_SENT } from './exchange.ts';
import { ExchangeRecord } from './exchange-record.ts';
import { ExchangeTimers } from './exchange-timers.ts';
import type { ForwardContext } from './forward-context.ts';
import { totalTimeMs } from './grpc/grpc-call.ts';
import { endCall, refusalFor } from './grpc/grpc-refusal.ts';
import { startHedge } from './hedge.ts';
import { FIELD_ID } from './http1/field-names.ts';
import type { RequestHead } from './http1/request-head.ts';
import type { ResponseHead } from './http1/response-head.ts';
import { answerHere } from './local-answers.ts';
import { type Chance, type NextTry, nextAfterFailure, nextAfterStatus, retryFacts } from './next-try.ts';
import type { ExchangeWatcher } from './port.ts';
import { prepareRequest } from './prepare-request.ts';
import type { Problem } from './problem.ts';
import type { RequestHeaders } from './request-headers.ts';
import { framingOf, responseHeadText } from './response-headers.ts';
import { decideRetry } from './retry.ts';
import type { Route } from './route.ts';
import type { Router } from './router.ts';
import { routeOf, Unroutable } from './routing.ts';
import { settleAnswer, settleCallEnd } from './settle-answer.ts';
import { settleFailure, settleTotalTimeout } from './settle-failure.ts';
import { enterTunnel } from './tunnel/enter-tunnel.ts';
import { isEventStream, startEventStream } from './tunnel/event-stream.ts';
import { isFull, upgradeFailure, upgradeRefusal } from './tunnel/upgrade.ts';

const ESTABLISHED = 'HTTP/1.1 200 Connection Established\r\n\r\n';

/**
 * The straight line of a request: route it, admit it, choose a backend, send it there, pass the answer back; and at each
 * step what happens when it fails. Everything else on the request path is called from here or calls back here.
 */
export class Forward implements Line {
  readonly #context: ForwardContext;
  #router: Router<Route>;
  #explainAccess: ExplainAccess | undefined;
  /** Set by whoever wants to be told of requests. */
  watcher: ExchangeWatcher | undefined;

  constructor(context: ForwardContext, router: Router<Route>, explainAccess: ExplainAccess | undefined) {
    this.#context = context;
    this.#router = router;
    this.#explainAccess = explainAccess;
  }

  /** Requests from now on go by another router; those under way end as they began. */
  reroute(router: Router<Route>, explainAccess: ExplainAccess | undefined): void {
    this.#router = router;
    this.#explainAccess = explainAccess;
  }

  /** A request's head is there. Returns how many bytes its body may have. */
  begin(exchange: Exchange, head: RequestHead, headers: RequestHeaders): number {
    this.watch(exchange, head);
    const local = answerHere(head);
    if (local !== undefined) return this.answer(exchange, local);
    if (head.fields.has(FIELD_ID['x-portway-explain'])) this.#askedToExplain(exchange, head);
    const route = routeOf(this.#router, exchange, head);
    if (route instanceof Unroutable) {
      this.refuse(exchange, route.code, route.detail, route.extraFields);
      return 0;
    }
    exchange.route = route;
    const { maxBodyBytes } = route;
    if (head.bodyLength > maxBodyBytes) {
      this.refuse(exchange, 'body_too_large');
      return 0;
    }
    prepareRequest(exchange, route, head, headers);
    const refusal = exchange.upgrade === '' ? undefined : upgradeRefusal(route, this.#context.tunnels);
    if (refusal !== undefined) {
      this.refuse(exchange, refusal);
      return 0;
    }
    const totalMs = totalTimeMs(exchange.grpc, route.timeouts.totalMs);
    if (totalMs > 0) this.#timers(exchange).limitTotal(totalMs, () => this.#totalTimeout(exchange));
    this.enter(exchange, route);
    return maxBodyBytes;
  }

  /** Answers a request without a backend. Returns how many bytes its body may have. */
  answer(exchange: Exchange, { status, head, body }: Problem): number {
    this.#answer(exchange, status, head, body);
    return 0;
  }

  /** Keeps what those who watch want to know of a request, from its head on. */
  watch(exchange: Exchange, head: RequestHead): void {
    const { watcher } = this;
    if (watcher !== undefined)
      exchange.record = new ExchangeRecord(exchange, head, this.#context.ids, watcher);
  }

  /**
   * A connection whose bytes go to a backend of `route` as they are (a TCP service, CONNECT): its end is told by
   * `startTunnel`, or by `startResponse` where it comes to nothing.
   */
  beginRaw(exchange: Exchange, route: Route): void {
    exchange.route = route;
    exchange.raw = true;
    exchange.bodyComplete = true;
    this.enter(exchange, route);
  }

  /** A request that is ready to be sent goes to a backend of `route`. */
  enter(exchange: Exchange, route: Route): void {
    if (route.limit === undefined && route.service.limit === undefined) this.#firstAttempt(exchange, route);
    else this.#admit(exchange, route);
  }

  #askedToExplain(exchange: Exchange, head: RequestHead): void {
    if (this.#explainAccess?.allows(head.fields.list(FIELD_ID['x-portway-explain'])) === true)
      exchange.decisions = [];
  }

  #timers(exchange: Exchange): ExchangeTimers {
    exchange.timers ??= new ExchangeTimers(this.#context.clock, this.#context.wheel);
    return exchange.timers;
  }

  /** Through the concurrency limits of the route and of its service, which may keep it waiting. */
  #admit(exchange: Exchange, route: Route): void {
    const limits = [route.limit, route.service.limit].filter((limit) => limit !== undefined);
    const admission = new Admission(limits, route.priority, {
      admitted: () => {
        exchange.record?.admitted(this.#context.clock.now());
        this.#firstAttempt(exchange, route);
      },
      turnedAway: (why) => this.refuse(exchange, why === 'shed' ? 'overloaded' : 'admission_timeout'),
    });
    exchange.admission = admission;
    const entered = admission.enter();
    if (entered === 'in') this.#firstAttempt(exchange, route);
    else if (entered === 'shed') this.refuse(exchange, 'overloaded');
    else exchange.record?.waitsForAdmission();
  }

  // --- attempts ---

  #firstAttempt(exchange: Exchange, route: Route): void {
    if (exchange.ended) return;
    const { service } = route;
    service.budget.request();
    const backend = service.pick(exchange);
    if (backend === undefined) {
      this.refuse(exchange, 'no_backend');
      return;
    }
    const hedge = route.retry?.hedge;
    if (hedge !== undefined) {
      const deps = { clock: this.#context.clock, timers: this.#timers(exchange), line: this };
      startHedge(exchange, route, hedge, deps);
    }
    this.#attempt(exchange, route, backend);
  }

  /** Gives the exchange to a backend. */
  #attempt(exchange: Exchange, route: Route, backend: Backend): void {
    exchange.backend = backend;
    exchange.attempts += 1;
    // what it waited for admission is no latency of the backend
    const first = exchange.attempts === 1 && exchange.admission === undefined;
    exchange.attemptStartedMs = first ? exchange.startedMs : this.#context.clock.now();
    exchange.attempting = true;
    exchange.ticket = backend.begin();
    exchange.decisions?.push(`to ${backend.name}`);
    this.#limitAttempt(exchange, route);
    exchange.record?.attempt(backend, exchange.attemptStartedMs);
    const refused = backend.agent.take(exchange, exchange.raw);
    if (refused !== undefined) this.attemptFailed(exchange, refused, NOT_SENT);
  }

  #limitAttempt(exchange: Exchange, route: Route): void {
    const perTryMs = route.retry?.perTryTimeoutMs ?? 0;
    if (perTryMs > 0) this.#timers(exchange).limitAttempt(perTryMs, () => this.#attemptTimeout(exchange));
  }

  #attemptTimeout(exchange: Exchange): void {
    const sent = exchange.backendSide !== undefined;
    this.#cancelAttempt(exchange);
    const code = sent ? 'response_timeout' : 'connect_timeout';
    this.attemptFailed(exchange, code, { sent, reused: false, answered: false });
  }

  attemptFailed(exchange: Exchange, code: FailureCode, attempt: FailedAttempt): void {
    const { backend, route } = exchange;
    exchange.backendSide = undefined;
    if (exchange.ended || backend === undefined || route === undefined) return;
    exchange.attempting = false;
    backend.pending -= 1;
    exchange.timers?.attemptEnded();
    exchange.decisions?.push(`${code} at ${backend.name}`);
    exchange.record?.attemptFailed(code, this.#context.clock.now());
    const decision =
      exchange.status !== 0 ? 'no_cure' : decideRetry(code, attempt, retryFacts(exchange, route));
    if (decision === 'fresh') {
      this.#again(exchange, route, backend);
      return;
    }
    const tookMs = this.#context.clock.now() - exchange.attemptStartedMs;
    settleFailure(exchange, backend, code, attempt, tookMs);
    if (exchange.hedge?.takeOver() === true) {
      if (exchange.attempting) this.#limitAttempt(exchange, route);
      return;
    }
    const next = nextAfterFailure(exchange, route, decision, code, this.#chance);
    if (next === undefined) this.refuse(exchange, code);
    else this.#next(exchange, route, next);
  }

  /** The same backend, on a connection that cannot have died of age. */
  #again(exchange: Exchange, route: Route, backend: Backend): void {
    exchange.races += 1;
    exchange.attempting = true;
    backend.pending += 1;
    this.#limitAttempt(exchange, route);
    exchange.record?.attempt(backend, this.#context.clock.now());
    const refused = backend.agent.take(exchange, true);
    if (refused !== undefined) this.attemptFailed(exchange, refused, NOT_SENT);
  }

  #next(exchange: Exchange, route: Route, next: NextTry): void {
    if (next.replay) exchange.replays += 1;
    if (next.pauseMs === 0) this.#attempt(exchange, route, next.backend);
    else this.#timers(exchange).pause(next.pauseMs, () => this.#afterPause(exchange, route, next.backend));
  }

  /** The backend that was chosen may have gone out of service during the pause. */
  #afterPause(exchange: Exchange, route: Route, chosen: Backend): void {
    if (exchange.ended) return;
    const backend = route.service.eligible.includes(chosen) ? chosen : route.service.pick(exchange);
    if (backend === undefined) this.refuse(exchange, 'no_backend');
    else this.#attempt(exchange, route, backend);
  }

  get #chance(): Chance {
    const { random, clock } = this.#context;
    return { random, wallNowMs: clock.wallNow() };
  }

  // --- the answer ---

  responseHead(exchange: Exchange, head: ResponseHead): void {
    if (head.status < 200 || (exchange.upgrade !== '' && upgradeFailure(head, exchange) !== undefined)) {
      this.#interim(exchange, head);
      return;
    }
    const { backend, route } = exchange;
    if (backend === undefined || route === undefined) return;
    const nowMs = this.#context.clock.now();
    const latencyMs = nowMs - exchange.attemptStartedMs;
    exchange.timers?.attemptEnded();
    exchange.record?.answered(head.status, nowMs);
    if (settleAnswer(exchange, backend, head, latencyMs, nowMs)) {
      if (this.#retriedForStatus(exchange, route, backend, head)) return;
    } else {
      route.service.latencies?.observe(latencyMs);
      if (exchange.admission !== undefined) exchange.admission.latencyMs = latencyMs;
    }
    exchange.hedge?.lost();
    exchange.status = head.status;
    const framing = framingOf(exchange, head);
    const extra = route.service.stickyLine(exchange) + explainLine(exchange);
    const { dateLine } = this.#context;
    const { hstsLine } = exchange.client.facts;
    exchange.client.startResponse(
      responseHeadText(head, framing, route.responseHeaders, extra, dateLine, hstsLine),
      framing,
    );
    if (framing !== 'length' && framing !== 'none' && isEventStream(head.fields))
      startEventStream(exchange, route, this, this.#context);
  }

  /** A route may ask for another attempt where a backend fails with a status it lists. True: this answer is not wanted any more. */
  #retriedForStatus(exchange: Exchange, route: Route, backend: Backend, head: ResponseHead): boolean {
    const next = nextAfterStatus(exchange, route, head, this.#chance);
    if (next === undefined) return false;
    exchange.hedge?.lost();
    exchange.record?.answerDiscarded();
    exchange.backendSide?.discard();
    exchange.backendSide = undefined;
    exchange.attempting = false;
    backend.pending -= 1;
    this.#next(exchange, route, next);
    return true;
  }

  /** 1xx (RFC 9110 §15.2): passed on, but for 101, which turns both connections into a tunnel; and what may not pass for it. */
  #interim(exchange: Exchange, head: ResponseHead): void {
    const text = responseHeadText(head, 'none', undefined, '', this.#context.dateLine);
    const failure = upgradeFailure(head, exchange) ?? (exchange.countInterim() ? undefined : 'bad_response');
    if (failure !== undefined) {
      exchange.backendSide?.cancel();
      this.attemptFailed(exchange, failure, { sent: true, reused: false, answered: true });
    } else if (head.status !== 101) {
      exchange.client.interim(`${text}\r\n`);
    } else if (isFull(exchange.route)) {
      // others that were asked for later were answered sooner
      this.refuse(exchange, 'too_many_tunnels');
    } else {
      this.#enterTunnel(exchange, 101, `${text}Connection: Upgrade\r\nUpgrade: ${exchange.upgrade}\r\n\r\n`);
    }
  }

  /** The connection that a raw exchange asked for is there: nothing is sent but what its ends send each other. */
  connected(exchange: Exchange): void {
    this.#enterTunnel(exchange, 200, exchange.method === 'CONNECT' ? ESTABLISHED : '');
  }

  #enterTunnel(exchange: Exchange, status: number, answer: string): void {
    enterTunnel(exchange, status, answer, this.#context, () => this.#end(exchange));
  }

  responseEnd(exchange: Exchange): void {
    if (exchange.ended) return;
    if (exchange.grpc !== undefined) settleCallEnd(exchange, exchange.grpc);
    this.#end(exchange);
    exchange.client.endResponse();
  }

  // --- the end ---

  /** The client's connection is gone: nobody's failure, and work for nobody from here on. */
  clientLeft(exchange: Exchange): void {
    if (exchange.ended) return;
    exchange.failure = 'client_left';
    const { backend } = exchange;
    if (exchange.attempting && exchange.status === 0)
      backend?.counters.add('client_left', 0, this.#context.clock.now() - exchange.attemptStartedMs);
    this.#cancelAttempt(exchange);
    this.#end(exchange);
  }

  #totalTimeout(exchange: Exchange): void {
    this.refuse(exchange, settleTotalTimeout(exchange, this.#context.clock.now()));
  }

  /** Ends an exchange with a failure: with an answer of its own where none has begun, and a visible break where one has. */
  refuse(exchange: Exchange, code: FailureCode, detail?: string, extraFields = ''): void {
    if (exchange.ended) return;
    const begun = exchange.status !== 0;
    exchange.failure = code;
    this.#cancelAttempt(exchange);
    if (begun) {
      this.#end(exchange);
      if (!endCall(exchange, code)) exchange.client.breakResponse();
      return;
    }
    this.#context.counters.refused(code, exchange.route?.name);
    const problem = refusalFor(exchange, code, detail, extraFields + explainLine(exchange));
    this.#answer(exchange, problem.status, problem.head, problem.body);
  }

  #cancelAttempt(exchange: Exchange): void {
    const { backend, backendSide } = exchange;
    exchange.record?.cutShort();
    exchange.backendSide = undefined;
    if (backendSide !== undefined) backendSide.cancel();
    else backend?.agent.cancel(exchange);
  }

  #answer(exchange: Exchange, status: number, head: string, body: string): void {
    const client = exchange.client;
    exchange.status = status;
    client.startResponse(head + this.#context.dateLine() + (client.facts.hstsLine ?? ''), 'length');
    if (exchange.method !== 'HEAD') client.bodyText(body);
    this.#end(exchange);
    client.endResponse();
  }

  #end(exchange: Exchange): void {
    exchange.ended = true;
    const durationMs = this.#context.clock.now() - exchange.startedMs;
    const status = exchange.failure === undefined ? exchange.status : FAILURES[exchange.failure].status;
    const { route } = exchange;
    if (route !== undefined && exchange.tunnel === undefined && exchange.method !== '')
      route.counters.add(exchange.method, status, durationMs, exchange);
    const backend = exchange.backend;
    if (backend !== undefined) {
      if (exchange.attempting) backend.pending -= 1;
      if (exchange.ticket !== NO_TICKET) backend.dropped(exchange.ticket);
    }
    exchange.timers?.close();
    exchange.events?.over();
    exchange.hedge?.lost();
    exchange.admission?.leave(status === 503 || status === 504);
    this.#context.observer.exchangeEnded(exchange, durationMs);
    exchange.record?.end(durationMs);
  }
}
