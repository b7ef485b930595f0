import { type Backend, isFailureStatus, NO_TICKET } from './backend.ts';
import type { Exchange } from './exchange.ts';
import { type GrpcCall, grpcStatusOf } from './grpc/grpc-call.ts';
import { GRPC, isGrpcFailure } from './grpc/grpc-status.ts';
import type { ResponseHead } from './http1/response-head.ts';

/**
 * Counts an answer, whose head is there, for or against its backend. Returns whether it may be worth another attempt.
 */
export function settleAnswer(
  exchange: Exchange,
  backend: Backend,
  head: ResponseHead,
  latencyMs: number,
  nowMs: number,
): boolean {
  const { ticket, grpc } = exchange;
  if (grpc !== undefined) {
    if (head.status === 200) return settleCall(exchange, grpc, backend, head, latencyMs, nowMs);
    // what an attempt before this one came to
    grpc.status = -1;
  }
  exchange.ticket = NO_TICKET;
  if (isFailureStatus(head.status)) {
    backend.answeredBadly(ticket, head.status, latencyMs, nowMs, `status ${head.status}`);
    return true;
  }
  backend.succeeded(ticket, head.status, latencyMs, nowMs);
  return false;
}

/** The head of an answer of gRPC says 200 whatever it came to; that stands in its trailers, or among its fields. */
function settleCall(
  exchange: Exchange,
  call: GrpcCall,
  backend: Backend,
  head: ResponseHead,
  latencyMs: number,
  nowMs: number,
): boolean {
  const { ticket } = exchange;
  call.status = grpcStatusOf(head);
  call.latencyMs = latencyMs;
  if (call.status < 0) {
    // a trial is not kept waiting for the end of a stream
    const trial = backend.eligibility.breaker?.state === 'half-open';
    call.open = !trial;
    if (trial) exchange.ticket = NO_TICKET;
    if (trial) backend.succeeded(ticket, head.status, latencyMs, nowMs);
    else backend.answered(head.status, latencyMs, nowMs);
    return false;
  }
  exchange.ticket = NO_TICKET;
  const failed = isGrpcFailure(call.status, call.timeoutMs !== undefined);
  if (failed) backend.answeredBadly(ticket, head.status, latencyMs, nowMs, `grpc-status ${call.status}`);
  else backend.succeeded(ticket, head.status, latencyMs, nowMs);
  return failed || call.status === GRPC.resourceExhausted || call.status === GRPC.deadlineExceeded;
}

/** The whole answer to a call is there: counts what its trailers say, if its head said nothing. */
export function settleCallEnd(exchange: Exchange, call: GrpcCall): void {
  const { backend, ticket } = exchange;
  if (!call.open || backend === undefined || call.status < 0) return;
  call.open = false;
  exchange.ticket = NO_TICKET;
  if (isGrpcFailure(call.status, call.timeoutMs !== undefined))
    backend.endedBadly(ticket, `grpc-status ${call.status}`);
  else backend.endedWell(ticket, call.latencyMs);
}

/** Whether an answer says that its backend failed. */
export function isFailureAnswer({ grpc }: Exchange, head: ResponseHead): boolean {
  if (grpc === undefined || head.status !== 200) return isFailureStatus(head.status);
  return isGrpcFailure(grpcStatusOf(head), grpc.timeoutMs !== undefined);
}
