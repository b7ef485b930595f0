import { FAILURES, type FailureCode } from '../errors.ts';
import { type Backend, NO_TICKET } from './backend.ts';
import type { Exchange, FailedAttempt } from './exchange.ts';
import { isRace } from './retry.ts';

/** Counts a failed attempt against its backend, where it was the backend's fault. */
export function settleFailure(
  exchange: Exchange,
  backend: Backend,
  code: FailureCode,
  attempt: FailedAttempt,
  tookMs: number,
): void {
  const { ticket } = exchange;
  exchange.ticket = NO_TICKET;
  if (FAILURES[code].fault === 'upstream' && !isRace(code, attempt)) backend.failed(ticket, code, tookMs);
  else backend.dropped(ticket);
}
