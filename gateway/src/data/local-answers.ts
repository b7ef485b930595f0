import { FIELD_ID } from './http1/field-names.ts';
import { parseLength, type RequestHead } from './http1/request-head.ts';
import { type Problem, problemFor } from './problem.ts';

const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS';

/** Whether a request may not leave the gateway, wherever it is for (RFC 9110 §7.6.2). */
export function goesNoFurther({ method, fields }: RequestHead): boolean {
  if (method !== 'OPTIONS') return method === 'TRACE';
  return fields.has(FIELD_ID['max-forwards']) && parseLength(fields.list(FIELD_ID['max-forwards'])) === 0;
}

/**
 * Requests that are for the gateway itself and not for what is behind it: `OPTIONS *` (RFC 9110 §9.3.7), OPTIONS that may
 * go no further (Max-Forwards: 0, §7.6.2), TRACE, which would show a client fields it did not send, and CONNECT, for which
 * there are no tunnels.
 */
export function answerHere(head: RequestHead): Problem | undefined {
  switch (head.method) {
    case 'OPTIONS': {
      if (head.path !== '*' && !goesNoFurther(head)) return undefined;
      return { status: 200, head: `HTTP/1.1 200 OK\r\nAllow: ${METHODS}\r\nContent-Length: 0\r\n`, body: '' };
    }
    case 'TRACE':
    case 'CONNECT':
      return problemFor('method_not_served', undefined, '', `Allow: ${METHODS}\r\n`);
    default:
      return undefined;
  }
}
