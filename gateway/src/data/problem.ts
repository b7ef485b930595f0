import { STATUS_CODES } from 'node:http';
import { FAILURES, type FailureCode } from '../errors.ts';

/** An answer of the gateway's own. */
export interface Problem {
  readonly status: number;
  /** Status line and fields, without the empty line. */
  readonly head: string;
  readonly body: string;
}

/**
 * The answer to a failure: problem details (RFC 9457) and Proxy-Status (RFC 9209).
 * @param detail what else there is to say to the client; nothing of the inside (addresses, names of backends)
 */
export function problemFor(
  code: FailureCode,
  detail: string | undefined,
  requestId: string,
  extraFields = '',
): Problem {
  const { status, proxyError, title } = FAILURES[code];
  const problem = {
    type: 'about:blank',
    title,
    status,
    code,
    ...(detail && { detail }),
    ...(requestId && { requestId }),
  };
  const body = `${JSON.stringify(problem)}\n`;
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nContent-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`;
  head += `Proxy-Status: portway; error=${proxyError}; details="${code}"\r\nCache-Control: no-store\r\n`;
  if (requestId !== '') head += `X-Request-Id: ${requestId}\r\n`;
  // RFC 9110 §10.2.3: when it is worth coming back
  if (status === 503) head += 'Retry-After: 1\r\n';
  return { status, head: head + extraFields, body: Buffer.from(body).toString('latin1') };
}
