import { FAILURES, type FailureCode } from '../errors.ts';
import type { Clock, TimerWheel } from '../time.ts';
import { Timer } from '../time.ts';
import type { FailureCounters } from './counters.ts';
import type { Exchange, FailedAttempt, Line } from './exchange.ts';
import { NOT_SENT } from './exchange.ts';
import { FIELD_ID } from './http1/field-names.ts';
import { CHUNKED, type RequestHead } from './http1/request-head.ts';
import { type ResponseHead, UNTIL_CLOSE } from './http1/response-head.ts';
import { answerHere } from './local-answers.ts';
import type { RetryPlan } from './plan.ts';
import { problemFor } from './problem.ts';
import type { RequestHeaders } from './request-headers.ts';
import { type ResponseFraming, responseHeadText } from './response-headers.ts';
import { decideRetry, isIdempotent } from './retry.ts';
import type { Route } from './route.ts';
import type { Router } from './router.ts';
import { canonicalPath, joinRewrite, needsReading } from './target.ts';
import { openTunnel } from './tunnel.ts';

/** What becomes known of finished exchanges; called synchronously, and cheap. */
export interface Observer {
  exchangeEnded(exchange: Exchange, durationMs: number): void;
}

export interface ForwardContext {
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly counters: FailureCounters;
  readonly observer: Observer;
  /** The Date line for answers that have none. */
  readonly dateLine: () => string;
}

/**
 * The straight line of a request: route it, choose a backend, send it there, pass the answer back; and at each step what
 * happens when it fails. Everything else on the request path is called from here or calls back here.
 */
export class Forward implements Line {
  readonly #context: ForwardContext;
  readonly #router: Router<Route>;

  constructor(context: ForwardContext, router: Router<Route>) {
    this.#context = context;
    this.#router = router;
  }

  /** A request's head is there. Returns how many bytes its body may have. */
  begin(exchange: Exchange, head: RequestHead, headers: RequestHeaders): number {
    const local = answerHere(head);
    if (local !== undefined) {
      this.#answer(exchange, local.status, local.head, local.body);
      return 0;
    }
    const path = head.path;
    const host = head.routeHost;
    if (needsReading(path) && !this.#readPath(exchange, host, path)) return 0;
    const route = this.#router.find(host, exchange.path, exchange);
    if (route === undefined) {
      this.#noRoute(exchange, host);
      return 0;
    }
    exchange.route = route;
    const { maxBodyBytes } = route;
    if (head.bodyLength > maxBodyBytes) {
      this.refuse(exchange, 'body_too_large');
      return 0;
    }
    this.#prepare(exchange, route, head, headers);
    this.#attempt(exchange);
    return maxBodyBytes;
  }

  /** Routes and forwards go by the canonical path; where a second reading leads elsewhere, the request goes nowhere. */
  #readPath(exchange: Exchange, host: string, raw: string): boolean {
    const reading = canonicalPath(raw);
    if (!reading.ok) {
      this.refuse(exchange, 'bad_path', reading.reason);
      return false;
    }
    exchange.path = reading.path;
    if (reading.decoded === undefined) return true;
    if (
      this.#router.find(host, reading.path, exchange) === this.#router.find(host, reading.decoded, exchange)
    )
      return true;
    this.refuse(exchange, 'ambiguous_path');
    return false;
  }

  #noRoute(exchange: Exchange, host: string): void {
    const allowed = this.#router.allowedMethods(host, exchange.path, exchange);
    if (allowed.length === 0) this.refuse(exchange, 'no_route');
    else this.refuse(exchange, 'method_not_allowed', undefined, `Allow: ${allowed.join(', ')}\r\n`);
  }

  /** Writes the head for the backend; it is the same for every attempt. */
  #prepare(exchange: Exchange, route: Route, head: RequestHead, headers: RequestHeaders): void {
    const { rewrite, prefixLength } = route;
    const path = rewrite === undefined ? exchange.path : joinRewrite(exchange.path, prefixLength, rewrite);
    exchange.upgrade = head.upgrade === '' ? '' : upgradeOf(head);
    const sameLine = path === head.path && head.minorVersion === 1 && !head.absolute;
    const requestLine = sameLine ? undefined : `${head.method} ${path}${head.query} HTTP/1.1\r\n`;
    exchange.requestHead = headers.write(exchange, head, requestLine);
    exchange.keepBodyBytes = keepBodyBytes(route.service.plan.retry, head);
    // it came whole with its head, but may be sent only once all the same
    if (exchange.body.length > exchange.keepBodyBytes) exchange.bodyLost = true;
    if (route.timeouts.totalMs > 0) this.#limitTotal(exchange, route.timeouts.totalMs);
  }

  #limitTotal(exchange: Exchange, totalMs: number): void {
    const timer = new Timer({ onDeadline: () => this.refuse(exchange, 'total_timeout') });
    this.#context.wheel.arm(timer, totalMs);
    exchange.cancelTotal = () => this.#context.wheel.release(timer);
  }

  /** Gives the exchange to a backend. `failure` is what the client hears when there is none. */
  #attempt(exchange: Exchange, failure: FailureCode = 'no_backend'): void {
    const backend = exchange.route?.service.pick(exchange);
    if (backend === undefined) {
      this.refuse(exchange, failure);
      return;
    }
    exchange.backend = backend;
    exchange.attempts += 1;
    exchange.attemptStartedMs = exchange.attempts === 1 ? exchange.startedMs : this.#context.clock.now();
    exchange.attempting = true;
    backend.pending += 1;
    const refused = backend.agent.take(exchange, false);
    if (refused !== undefined) this.attemptFailed(exchange, refused, NOT_SENT);
  }

  attemptFailed(exchange: Exchange, code: FailureCode, attempt: FailedAttempt): void {
    const { backend, route } = exchange;
    exchange.backendSide = undefined;
    if (exchange.ended || backend === undefined || route === undefined) return;
    exchange.attempting = false;
    backend.pending -= 1;
    if (FAILURES[code].fault === 'upstream' && !attempt.reused) backend.failed();
    const retry = route.service.plan.retry;
    const decision =
      exchange.status !== 0
        ? 'no'
        : decideRetry(code, attempt, {
            method: exchange.method,
            bodyKept: !exchange.bodyLost,
            races: exchange.races,
            replays: exchange.replays,
            maxReplays: retry?.attempts ?? 0,
            nonIdempotent: retry?.nonIdempotent ?? false,
          });
    if (decision === 'fresh') this.#again(exchange);
    else if (decision === 'other') {
      if (attempt.sent) exchange.replays += 1;
      exchange.tried = [...(exchange.tried ?? []), backend];
      this.#attempt(exchange, code);
    } else this.refuse(exchange, code);
  }

  /** The same backend, on a connection that cannot have died of age. */
  #again(exchange: Exchange): void {
    const backend = exchange.backend;
    if (backend === undefined) return;
    exchange.races += 1;
    exchange.attempting = true;
    backend.pending += 1;
    const refused = backend.agent.take(exchange, true);
    if (refused !== undefined) this.attemptFailed(exchange, refused, NOT_SENT);
  }

  responseHead(exchange: Exchange, head: ResponseHead): void {
    const client = exchange.client;
    if (head.status < 200) {
      this.#interim(exchange, head);
      return;
    }
    const { backend, route } = exchange;
    if (backend === undefined || route === undefined) return;
    const nowMs = this.#context.clock.now();
    backend.answered(nowMs - exchange.attemptStartedMs, nowMs);
    exchange.status = head.status;
    const framing = framingOf(exchange, head);
    const cookie = route.service.stickyLine(exchange);
    client.startResponse(
      responseHeadText(head, framing, route.responseHeaders, cookie, this.#context.dateLine),
      framing,
    );
  }

  /** 1xx (RFC 9110 §15.2): passed on, but for 101, which turns both connections into a tunnel. */
  #interim(exchange: Exchange, head: ResponseHead): void {
    const text = responseHeadText(head, 'none', undefined, '', this.#context.dateLine);
    if (head.status !== 101) {
      exchange.client.interim(`${text}\r\n`);
      return;
    }
    const side = exchange.backendSide;
    if (side === undefined) return;
    // RFC 9110 §7.8: only to a protocol that was asked for
    const protocol = head.fields.list(FIELD_ID.upgrade).toLowerCase();
    if (!exchange.bodyComplete || exchange.upgrade === '' || protocol !== exchange.upgrade.toLowerCase()) {
      side.cancel();
      this.attemptFailed(exchange, 'bad_upgrade', { sent: true, reused: false, answered: true });
      return;
    }
    exchange.status = 101;
    exchange.client.interim(`${text}Connection: Upgrade\r\nUpgrade: ${exchange.upgrade}\r\n\r\n`);
    const idleMs = exchange.route?.timeouts.idleMs ?? 0;
    openTunnel(exchange, side, this.#context.wheel, idleMs, () => this.#end(exchange));
  }

  responseEnd(exchange: Exchange): void {
    if (exchange.ended) return;
    this.#end(exchange);
    exchange.client.endResponse();
  }

  /** The client's connection is gone: nobody's failure, and work for nobody from here on. */
  clientLeft(exchange: Exchange): void {
    if (exchange.ended) return;
    exchange.failure = 'client_left';
    this.#cancel(exchange);
    this.#end(exchange);
  }

  /** Ends an exchange with a failure: with an answer of its own where none has begun, and a visible break where one has. */
  refuse(exchange: Exchange, code: FailureCode, detail?: string, extraFields = ''): void {
    if (exchange.ended) return;
    const begun = exchange.status !== 0;
    exchange.failure = code;
    this.#cancel(exchange);
    if (begun) {
      this.#end(exchange);
      exchange.client.breakResponse();
      return;
    }
    this.#context.counters.refused(code);
    const problem = problemFor(code, detail, exchange.requestId, extraFields);
    this.#answer(exchange, problem.status, problem.head, problem.body);
  }

  #cancel(exchange: Exchange): void {
    const { backend, backendSide } = exchange;
    exchange.backendSide = undefined;
    if (backendSide !== undefined) backendSide.cancel();
    else backend?.agent.cancel(exchange);
  }

  #answer(exchange: Exchange, status: number, head: string, body: string): void {
    const client = exchange.client;
    exchange.status = status;
    client.startResponse(head + this.#context.dateLine(), 'length');
    if (exchange.method !== 'HEAD') client.bodyText(body);
    this.#end(exchange);
    client.endResponse();
  }

  #end(exchange: Exchange): void {
    exchange.ended = true;
    exchange.cancelTotal?.();
    const durationMs = this.#context.clock.now() - exchange.startedMs;
    const status = exchange.failure === undefined ? exchange.status : FAILURES[exchange.failure].status;
    exchange.route?.counters.add(status, durationMs);
    const backend = exchange.backend;
    if (backend !== undefined) {
      if (exchange.attempting) backend.pending -= 1;
      backend.counters.add(status, durationMs);
    }
    this.#context.observer.exchangeEnded(exchange, durationMs);
  }
}

/** How much of a body is worth keeping: all of it or nothing, and nothing of one that is never sent twice. */
function keepBodyBytes(retry: RetryPlan | undefined, head: RequestHead): number {
  if (retry === undefined || head.bodyLength > retry.maxBodyBytes) return 0;
  return retry.nonIdempotent || isIdempotent(head.method) ? retry.maxBodyBytes : 0;
}

/** RFC 9112 §6.3, and what the client understands. */
function framingOf(exchange: Exchange, head: ResponseHead): ResponseFraming {
  if (exchange.method === 'HEAD' || head.status === 204 || head.status === 304) return 'none';
  if (head.bodyLength !== CHUNKED && head.bodyLength !== UNTIL_CLOSE) return 'length';
  return exchange.client.speaksChunked ? 'chunked' : 'close';
}

/**
 * The protocol an Upgrade asks for (RFC 9110 §7.8), where it may be passed on: with `Connection: upgrade`, from an
 * HTTP/1.1 client, without a body; and not to HTTP/2 in the clear, by which a client could talk past the gateway.
 */
function upgradeOf(head: RequestHead): string {
  const upgrade = head.upgrade;
  if (upgrade === '' || head.minorVersion === 0 || head.bodyLength !== 0) return '';
  return ONE_PROTOCOL.test(upgrade) ? upgrade : '';
}

/** One protocol (RFC 9110 §7.8), and not HTTP/2 by any name; a backend could read more than one differently. */
const ONE_PROTOCOL = /^(?!h2|http\/)[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:\/[!#$%&'*+.^_`|~0-9A-Za-z-]+)?$/i;
