import type { RetryCondition } from '../plan.ts';

/** The status codes of gRPC that the gateway gives or looks for (grpc/grpc, doc/statuscodes.md). */
export const GRPC = {
  unknown: 2,
  deadlineExceeded: 4,
  permissionDenied: 7,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
  unauthenticated: 16,
} as const;

/** The value of a grpc-status field; -1 when it is none. */
export function readGrpcStatus(value: string): number {
  return /^\d{1,2}$/.test(value) ? Number(value) : -1;
}

/**
 * Whether a status says that the backend failed: what Envoy's outlier detection makes a 5xx of, less UNIMPLEMENTED, which
 * says something of the call (as 501 does). UNKNOWN is what frameworks say of an exception, as they say 500.
 * DEADLINE_EXCEEDED counts only where no client set the deadline: by short ones anybody could have a backend ejected.
 * @param ownDeadline whether the client gave the call a deadline
 */
export function isGrpcFailure(status: number, ownDeadline: boolean): boolean {
  switch (status) {
    case GRPC.unknown:
    case GRPC.internal:
    case GRPC.unavailable:
    case GRPC.dataLoss:
      return true;
    case GRPC.deadlineExceeded:
      return !ownDeadline;
    default:
      return false;
  }
}

/** What of a route's `on` a status falls under. */
export function grpcConditionOf(status: number): RetryCondition | undefined {
  if (status === GRPC.unavailable) return 'grpc-unavailable';
  if (status === GRPC.resourceExhausted) return 'grpc-resource-exhausted';
  return status === GRPC.deadlineExceeded ? 'grpc-deadline-exceeded' : undefined;
}
