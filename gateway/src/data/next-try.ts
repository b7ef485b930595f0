import { FAILURES, type FailureCode } from '../errors.ts';
import type { Backend } from './backend.ts';
import type { Exchange } from './exchange.ts';
import { grpcConditionOf } from './grpc/grpc-status.ts';
import type { ResponseHead } from './http1/response-head.ts';
import {
  backoffMs,
  conditionOf,
  decideCallRetry,
  decideStatusRetry,
  type RetryDecision,
  type RetryFacts,
  retryAfterMs,
} from './retry.ts';
import type { Route } from './route.ts';

/** Where a request goes after an attempt that did not help. */
export interface NextTry {
  readonly backend: Backend;
  readonly pauseMs: number;
  /** Whether the request was sent before, so that this is a retry in the eyes of a backend. */
  readonly replay: boolean;
}

export interface Chance {
  readonly random: () => number;
  readonly wallNowMs: number;
}

export function retryFacts(exchange: Exchange, route: Route): RetryFacts {
  const { method, bodyLost, races, replays } = exchange;
  return { method, bodyKept: !bodyLost, races, replays, plan: route.retry };
}

/** After a failed attempt at `exchange.backend`: does what was decided, within the budget, and counts it. Undefined: the failure is the answer. */
export function nextAfterFailure(
  exchange: Exchange,
  route: Route,
  decision: RetryDecision,
  code: FailureCode,
  chance: Chance,
): NextTry | undefined {
  const { service } = route;
  exclude(exchange);
  const again = decision === 'elsewhere' || decision === 'replay';
  const backend = again ? service.pick(exchange) : undefined;
  const outcome = again ? paid(route, decision, backend) : decision;
  const told = exchange.status === 0 && FAILURES[code].fault === 'upstream';
  if (told) count(exchange, route, conditionOf(code) ?? code, outcome);
  if (backend === undefined || outcome !== 'retried') return undefined;
  if (decision === 'elsewhere') return { backend, pauseMs: 0, replay: false };
  return { backend, pauseMs: jitterMs(exchange, route, chance), replay: true };
}

/** After an answer with a status that a route may retry (500, 502, 503, 504, some of gRPC). Undefined: it is the answer. */
export function nextAfterStatus(
  exchange: Exchange,
  route: Route,
  head: ResponseHead,
  chance: Chance,
): NextTry | undefined {
  const facts = retryFacts(exchange, route);
  const condition = exchange.grpc === undefined ? undefined : grpcConditionOf(exchange.grpc.status);
  const decision =
    condition === undefined ? decideStatusRetry(head.status, facts) : decideCallRetry(condition, facts);
  if (decision === undefined) return undefined;
  const asked = exchange.backend;
  exclude(exchange);
  let backend = decision === 'replay' ? route.service.pick(exchange) : undefined;
  let askedForMs: number | undefined = 0;
  if (decision === 'replay' && backend === undefined) {
    // nobody else could answer: the same one, if it is still in service and says when to come back, and that is soon
    askedForMs = retryAfterMs(retryAfterOf(head), chance.wallNowMs);
    if (askedForMs !== undefined) backend = route.service.eligible.find((one) => one === asked);
  }
  const outcome = decision === 'replay' ? paid(route, decision, backend) : decision;
  count(exchange, route, condition ?? `${head.status}`, outcome);
  if (backend === undefined || outcome !== 'retried') return undefined;
  return { backend, pauseMs: (askedForMs ?? 0) + jitterMs(exchange, route, chance), replay: true };
}

function exclude(exchange: Exchange): void {
  if (exchange.backend !== undefined) exchange.tried = [...(exchange.tried ?? []), exchange.backend];
}

/** What is sent a second time costs the service's budget; what is sent for the first time does not. */
function paid(route: Route, decision: RetryDecision, backend: Backend | undefined): string {
  if (backend === undefined) return 'no_other_backend';
  return decision === 'elsewhere' || route.service.budget.take() ? 'retried' : 'budget';
}

function count(exchange: Exchange, route: Route, reason: string, outcome: string): void {
  route.service.retries.add(reason, outcome);
  exchange.decisions?.push(`retry after ${reason}: ${outcome}`);
}

function jitterMs(exchange: Exchange, route: Route, { random }: Chance): number {
  return route.retry === undefined ? 0 : backoffMs(route.retry, exchange.replays, random);
}

function retryAfterOf({ fields }: ResponseHead): string {
  for (let i = 0; i < fields.count; i++) {
    if (fields.name(i).toLowerCase() === 'retry-after') return fields.value(i);
  }
  return '';
}
