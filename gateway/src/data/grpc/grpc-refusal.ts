import { FAILURES, type FailureCode } from '../../errors.ts';
import type { Exchange } from '../exchange.ts';
import { type Problem, problemFor } from '../problem.ts';
import { isGrpcHead } from './grpc-call.ts';
import { GRPC } from './grpc-status.ts';

/** grpc/grpc, doc/http-grpc-status-mapping.md. */
const BY_STATUS: ReadonlyMap<number, number> = new Map([
  [400, GRPC.internal],
  [401, GRPC.unauthenticated],
  [403, GRPC.permissionDenied],
  [404, GRPC.unimplemented],
  [429, GRPC.unavailable],
  [502, GRPC.unavailable],
  [503, GRPC.unavailable],
  [504, GRPC.unavailable],
]);

/** Where a failure says more than its status does. */
const BY_CODE: ReadonlyMap<FailureCode, number> = new Map<FailureCode, number>([
  // the call may have been carried out: UNAVAILABLE would have clients make it again
  ['grpc_deadline', GRPC.deadlineExceeded],
  ['total_timeout', GRPC.deadlineExceeded],
  ['response_timeout', GRPC.deadlineExceeded],
  ['idle_timeout', GRPC.deadlineExceeded],
  ['method_not_allowed', GRPC.unimplemented],
  ['body_too_large', GRPC.resourceExhausted],
  ['head_too_large', GRPC.resourceExhausted],
  ['too_many_fields', GRPC.resourceExhausted],
  ['internal', GRPC.internal],
]);

function grpcStatusFor(code: FailureCode): number {
  return BY_CODE.get(code) ?? BY_STATUS.get(FAILURES[code].status) ?? GRPC.unknown;
}

/** The answer to a failure in the language of who asked: a status of gRPC, or problem details. */
export function refusalFor(
  exchange: Exchange,
  code: FailureCode,
  detail: string | undefined,
  extraFields: string,
): Problem {
  const { requestId } = exchange;
  if (exchange.grpc === undefined && !isGrpcHead(exchange.head))
    return problemFor(code, detail, requestId, extraFields);
  return grpcRefusal(code, detail, requestId, extraFields);
}

/** An answer that is nothing but trailers, which stand in its head ("Trailers-Only", PROTOCOL-HTTP2.md). */
function grpcRefusal(
  code: FailureCode,
  detail: string | undefined,
  requestId: string,
  extraFields: string,
): Problem {
  const { proxyError, title } = FAILURES[code];
  const message = percentEncoded(detail === undefined ? title : `${title}: ${detail}`);
  let head = 'HTTP/1.1 200 OK\r\nContent-Type: application/grpc\r\nContent-Length: 0\r\n';
  head += `Grpc-Status: ${grpcStatusFor(code)}\r\nGrpc-Message: ${message}\r\n`;
  head += `Proxy-Status: portway; error=${proxyError}; details="${code}"\r\n`;
  if (requestId !== '') head += `X-Request-Id: ${requestId}\r\n`;
  return { status: 200, head: head + extraFields, body: '' };
}

/**
 * Ends an answer that has begun with the status of a failure, in trailers: a client learns more from it than from a reset.
 * False where none can be added: then the answer has to be broken off.
 */
export function endCall({ grpc, client }: Exchange, code: FailureCode): boolean {
  if (grpc?.takesTrailers !== true) return false;
  const message = percentEncoded(FAILURES[code].title);
  client.bodyText(`0\r\ngrpc-status: ${grpcStatusFor(code)}\r\ngrpc-message: ${message}\r\n\r\n`);
  client.endResponse();
  return true;
}

/** PROTOCOL-HTTP2.md: bytes of UTF-8 from space to tilde stand for themselves, but for the percent sign. */
export function percentEncoded(text: string): string {
  let encoded = '';
  for (const byte of Buffer.from(text)) {
    const plain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    encoded += plain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded;
}
