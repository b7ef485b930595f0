import { FAILURES, type FailureCode } from '../errors.ts';
import type { FailedAttempt } from './exchange.ts';

/** RFC 9110 §9.2.2. */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE']);

/** Several backends may be stopping at once, each with idle connections. */
const MAX_RACES = 3;

export interface RetryFacts {
  readonly method: string;
  /** The whole body, as far as it came, is still at hand. */
  readonly bodyKept: boolean;
  /** Attempts made again so far because a reused connection had died. */
  readonly races: number;
  /** Attempts made again so far because a backend died. */
  readonly replays: number;
  readonly maxReplays: number;
  readonly nonIdempotent: boolean;
}

/**
 * - `other`: another backend
 * - `fresh`: the same one, on a new connection: the old one died of age, not of the request
 * - `no`: the failure is the answer
 */
export type RetryDecision = 'other' | 'fresh' | 'no';

export function isIdempotent(method: string): boolean {
  return IDEMPOTENT.has(method);
}

/**
 * Whether a failed attempt may be made again, decided by what was sent (Pingora's rule): nothing was, then any request
 * may go elsewhere; something was, then only what can be replayed, as long as no byte of an answer came.
 */
export function decideRetry(code: FailureCode, attempt: FailedAttempt, facts: RetryFacts): RetryDecision {
  if (!attempt.sent) return FAILURES[code].retryable || code === 'queue_full' ? 'other' : 'no';
  if (code !== 'backend_closed' || attempt.answered) return 'no';
  if (!facts.bodyKept || !(isIdempotent(facts.method) || facts.nonIdempotent)) return 'no';
  if (attempt.reused && facts.races < MAX_RACES) return 'fresh';
  return facts.replays < facts.maxReplays ? 'other' : 'no';
}
