import { FAILURES, type FailureCode } from '../errors.ts';
import { type Backend, NO_TICKET } from './backend.ts';
import type { Exchange, FailedAttempt } from './exchange.ts';
import { totalTimeoutCode } from './grpc/grpc-call.ts';
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

/** The time for the exchange is over. Returns what it failed with: whose limit it was. */
export function settleTotalTimeout(exchange: Exchange, nowMs: number): FailureCode {
  const { backend, ticket, route } = exchange;
  const code = totalTimeoutCode(exchange.grpc, route?.timeouts.totalMs ?? 0);
  // a backend that had all of the time and gave no answer has failed; but not by what a client thinks is enough
  if (code === 'total_timeout' && exchange.attempting && exchange.status === 0) {
    exchange.ticket = NO_TICKET;
    backend?.failed(ticket, code, nowMs - exchange.attemptStartedMs);
  }
  return code;
}
