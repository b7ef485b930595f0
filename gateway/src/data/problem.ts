import { STATUS_CODES } from 'node:http';
import { FAILURES, type FailureCode } from '../errors.ts';

/** An answer of the gateway's own. */
export interface Problem {
  readonly status: number;
  readonly reason: string;
  readonly fields: string;
  readonly body: string;
}

/**
 * The answer to a failure: problem details (RFC 9457) and Proxy-Status (RFC 9209).
 * @param detail what else there is to say to the client; nothing of the inside (addresses, names of backends)
 */
export function problemFor(code: FailureCode, detail: string | undefined, requestId: string): Problem {
  const { status, proxyError, title } = FAILURES[code];
  const problem = { type: 'about:blank', title, status, code, ...(detail && { detail }), ...(requestId && { requestId }) };
  const body = `${JSON.stringify(problem)}\n`;
  let fields = `Content-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`;
  fields += `Proxy-Status: portway; error=${proxyError}; details="${code}"\r\nCache-Control: no-store\r\n`;
  if (requestId !== '') fields += `X-Request-Id: ${requestId}\r\n`;
  // RFC 9110 §10.2.3: when it is worth coming back
  if (status === 503) fields += 'Retry-After: 1\r\n';
  return { status, reason: STATUS_CODES[status] ?? '', fields, body: Buffer.from(body).toString('latin1') };
}
