import { FAILURES, type FailureCode } from '../errors.ts';
import type { FailedAttempt } from './exchange.ts';
import type { RequestHead } from './http1/request-head.ts';
import type { RetryCondition, RetryPlan } from './plan.ts';

/** RFC 9110 §9.2.2. */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE']);

/** Several backends may be stopping at once, each with idle connections. */
const MAX_RACES = 3;

/** Of a body that is kept though nothing is retried, for what a backend has not processed. */
const KEPT_WITHOUT_PLAN_BYTES = 64 * 1024;

export interface RetryFacts {
  readonly method: string;
  /** The whole body, as far as it came, is still at hand. */
  readonly bodyKept: boolean;
  /** Attempts made again so far because a reused connection had died. */
  readonly races: number;
  /** Attempts made again so far because a backend failed with what it was sent. */
  readonly replays: number;
  /** Undefined: nothing is tried again. */
  readonly plan: RetryPlan | undefined;
}

/** Why a failed attempt is not made again. */
type RetryRefusal =
  | 'off'
  /** The failure is not one that another backend would cure, or an answer had begun. */
  | 'no_cure'
  /** The route's `on` does not list it. */
  | 'not_listed'
  | 'body_not_kept'
  | 'not_idempotent'
  | 'attempts'
  | 'budget'
  | 'no_other_backend';

/**
 * - `elsewhere`: nothing was sent, so another backend gets the request for the first time: that is no retry in the eyes
 *   of any backend, and costs no budget
 * - `fresh`: the same backend, on a new connection: the old one died of age, not of the request
 * - `replay`: another backend gets what one has had already
 * - a refusal: the failure is the answer
 */
export type RetryDecision = 'elsewhere' | 'fresh' | 'replay' | RetryRefusal;

export function isIdempotent(method: string): boolean {
  return IDEMPOTENT.has(method);
}

/**
 * How much of a body is worth keeping: all of it or nothing, and nothing of one that is never sent twice.
 * @param refusable whether a backend may say that it has not processed the request: then it may go again, whatever it is
 */
export function keepBodyBytes(retry: RetryPlan | undefined, head: RequestHead, refusable = false): number {
  if (refusable) {
    const maxBytes = retry?.maxBodyBytes ?? KEPT_WITHOUT_PLAN_BYTES;
    return head.bodyLength > maxBytes ? 0 : maxBytes;
  }
  if (retry === undefined || head.bodyLength > retry.maxBodyBytes) return 0;
  return retry.nonIdempotent || isIdempotent(head.method) ? retry.maxBodyBytes : 0;
}

/**
 * Whether a failed attempt may be made again, decided by what was sent (Pingora's rule): nothing was, then any request
 * may go elsewhere; something was, then only what can be replayed, as long as no byte of an answer came.
 */
export function decideRetry(code: FailureCode, attempt: FailedAttempt, facts: RetryFacts): RetryDecision {
  const { plan } = facts;
  if (attempt.refused !== undefined) return decideRefused(attempt.refused, facts);
  // however the operator stands to retries: that we kept a connection too long is no failure of the backend
  if (isRace(code, attempt) && whyNotReplayable(facts, plan) === undefined && facts.races < MAX_RACES)
    return 'fresh';
  if (plan === undefined) return 'off';
  if (!attempt.sent) {
    if (code === 'queue_full' || code === 'shutting_down') return 'elsewhere';
    if (!FAILURES[code].retryable) return 'no_cure';
    return plan.on.includes('connect-failure') ? 'elsewhere' : 'not_listed';
  }
  const condition = conditionOf(code);
  if (condition === undefined || attempt.answered) return 'no_cure';
  const replayable = whyNotReplayable(facts, plan);
  if (replayable !== undefined) return replayable;
  if (!plan.on.includes(condition)) return 'not_listed';
  return facts.replays < plan.attempts ? 'replay' : 'attempts';
}

/**
 * Nothing was processed, and the backend says so (RFC 9113 §8.7): any request may go again, whatever its method. To the
 * same backend where it only ended a connection; elsewhere where it will not have this request.
 */
function decideRefused(
  refused: 'connection' | 'request',
  { bodyKept, races, plan }: RetryFacts,
): RetryDecision {
  if (!bodyKept) return 'body_not_kept';
  if (refused === 'connection' && races < MAX_RACES) return 'fresh';
  if (plan === undefined) return 'off';
  return plan.on.includes('connect-failure') ? 'elsewhere' : 'not_listed';
}

/** Whether a request that was answered with `status` may be made again. Undefined: the status is no reason to. */
export function decideStatusRetry(status: number, facts: RetryFacts): RetryDecision | undefined {
  const { plan } = facts;
  if (plan === undefined || !plan.on.includes(`${status}` as RetryCondition)) return undefined;
  return whyNotReplayable(facts, plan) ?? (facts.replays < plan.attempts ? 'replay' : 'attempts');
}

/**
 * Whether a call of gRPC that was answered with nothing but a status may be made again. All calls are POSTs: a route that
 * lists a status of gRPC means calls by it, so that the method is no obstacle, as in gRPC's own retries (proposal A6),
 * where such an answer leaves a call uncommitted.
 */
export function decideCallRetry(condition: RetryCondition, facts: RetryFacts): RetryDecision | undefined {
  const { plan, bodyKept, replays } = facts;
  if (plan === undefined || !plan.on.includes(condition)) return undefined;
  if (!bodyKept) return 'body_not_kept';
  return replays < plan.attempts ? 'replay' : 'attempts';
}

/** What of a route's `on` a failure falls under, once something was sent. */
export function conditionOf(code: FailureCode): RetryCondition | undefined {
  if (code === 'backend_closed') return 'reset';
  return code === 'response_timeout' || code === 'idle_timeout' ? 'timeout' : undefined;
}

/** A reused connection that dies without an answer had grown old: that is how servers close them. */
export function isRace(code: FailureCode, attempt: FailedAttempt): boolean {
  if (attempt.refused === 'connection') return true;
  return code === 'backend_closed' && attempt.sent && attempt.reused && !attempt.answered;
}

function whyNotReplayable(facts: RetryFacts, plan: RetryPlan | undefined): RetryRefusal | undefined {
  // first, since of what is not idempotent no body is kept
  if (!isIdempotent(facts.method) && plan?.nonIdempotent !== true) return 'not_idempotent';
  return facts.bodyKept ? undefined : 'body_not_kept';
}

/** Longest pause before a retry. */
const MAX_BACKOFF_MS = 1_000;

/**
 * The pause before a replay: none before the first, which goes to another backend; then a random share of a doubling
 * time ("full jitter", Brooker 2015), so that those who failed together do not come back together.
 * @param replays replays made so far
 */
export function backoffMs(plan: RetryPlan, replays: number, random: () => number): number {
  if (replays === 0) return 0;
  return random() * Math.min(MAX_BACKOFF_MS, plan.backoffMs * 2 ** (replays - 1));
}

/** A backend may ask for a pause of up to so long before the same request is made again there. */
const LONGEST_RETRY_AFTER_MS = 2_000;

/** The form that RFC 9110 §5.6.7 has everybody send. */
const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/**
 * The pause that a Retry-After field asks for (RFC 9110 §10.2.3: seconds, or a date); undefined when it is longer than a
 * client should be kept waiting, or malformed.
 */
export function retryAfterMs(value: string, wallNowMs: number): number | undefined {
  const seconds = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
  const ms = HTTP_DATE.test(value) ? Date.parse(value) - wallNowMs : seconds * 1000;
  return ms <= LONGEST_RETRY_AFTER_MS ? Math.max(0, ms) : undefined;
}
