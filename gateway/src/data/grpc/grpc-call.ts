import type { RequestHead } from '../http1/request-head.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import { readGrpcStatus } from './grpc-status.ts';

/** What is known of an exchange that is a call of gRPC. */
export interface GrpcCall {
  /** How long the client gives it; undefined: as long as it takes. */
  readonly timeoutMs: number | undefined;
  /** What its answer came to, in its head or its trailers; -1 as long as nothing said so. */
  status: number;
  /** Whether its answer has begun, and only its end will tell what it came to. */
  open: boolean;
  /** Whether its answer goes out in chunks, each of which is whole, so that trailers can end it at any time. */
  takesTrailers: boolean;
  /** From the attempt's start to the head of its answer. */
  latencyMs: number;
}

/** Not gRPC-Web, whose answers have their trailers in the body. */
const GRPC_TYPE = /^application\/grpc(?:[+;]|$)/i;
const GRPC_FIELD = /\r\ncontent-type:[ \t]*application\/grpc[+;\r]/i;

/** Undefined for a request that is none. */
export function grpcCallOf(head: RequestHead): GrpcCall | undefined {
  if (head.method !== 'POST' || !GRPC_TYPE.test(fieldOf(head, 'content-type'))) return undefined;
  const timeoutMs = readTimeoutMs(fieldOf(head, 'grpc-timeout'));
  return { timeoutMs, status: -1, open: false, takesTrailers: false, latencyMs: 0 };
}

/** The same, asked of a request head as text: for those of which nothing else is known. */
export function isGrpcHead(head: string): boolean {
  return head.startsWith('POST ') && GRPC_FIELD.test(head);
}

/** The status in the head of an answer that is nothing but a head; -1 when there is none. */
export function grpcStatusOf(head: ResponseHead): number {
  return readGrpcStatus(fieldOf(head, 'grpc-status'));
}

/** The same of trailers, names and values in turn. */
export function grpcStatusIn(trailers: readonly string[]): number {
  for (let i = 0; i < trailers.length; i += 2)
    if (trailers[i] === 'grpc-status') return readGrpcStatus(trailers[i + 1] ?? '');
  return -1;
}

/** The first field with that lower-case name; empty when there is none. */
function fieldOf({ fields }: RequestHead | ResponseHead, name: string): string {
  const { length } = name;
  for (let i = 0; i < fields.count; i++) {
    if ((fields.nameEnd[i] ?? 0) - (fields.lineStart[i] ?? 0) !== length) continue;
    if (fields.name(i).toLowerCase() === name) return fields.value(i);
  }
  return '';
}

const UNIT_MS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};
/** Longer than that no timer need wait. */
const LONGEST_MS = 86_400_000;

/** `1*8DIGIT unit` (PROTOCOL-HTTP2.md); what is none is left to the backend. At least a millisecond. */
export function readTimeoutMs(value: string): number | undefined {
  const [, digits, unit] = /^(\d{1,8})([HMSmun])$/.exec(value) ?? [];
  if (digits === undefined || unit === undefined) return undefined;
  return Math.min(LONGEST_MS, Math.max(1, Number(digits) * (UNIT_MS[unit] ?? 1)));
}

/** The time that an exchange has in all: what its route gives it, or its client, if that is less. 0: no limit. */
export function totalTimeMs(call: GrpcCall | undefined, routeMs: number): number {
  const ownMs = call?.timeoutMs;
  return ownMs === undefined ? routeMs : routeMs === 0 ? ownMs : Math.min(ownMs, routeMs);
}

/** Whose limit it is that is over. */
export function totalTimeoutCode(
  call: GrpcCall | undefined,
  routeMs: number,
): 'grpc_deadline' | 'total_timeout' {
  const own = call?.timeoutMs !== undefined && (routeMs === 0 || call.timeoutMs < routeMs);
  return own ? 'grpc_deadline' : 'total_timeout';
}
