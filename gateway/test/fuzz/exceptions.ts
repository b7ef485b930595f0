import { METHODS } from './llhttp.ts';

/**
 * Where llhttp is stricter or of another opinion, and for a reason that does no harm. Each is as narrow as it can be: the
 * rest of the message is still compared. Anything else that llhttp refuses or reads otherwise is a failure.
 */
export const EXCEPTIONS = {
  'unknown-method':
    'llhttp takes only the methods it lists; any token is one (RFC 9110 §9.1). It is read as POST instead',
  connect:
    'after a CONNECT llhttp stops reading; we answer it ourselves and close. Only its head is compared',
  'proxy-connection':
    'llhttp obeys Proxy-Connection as if it were Connection; no RFC has it, and we remove it',
  'connection-trailer':
    'llhttp obeys a Connection field that comes as a trailer; trailers are not merged with the head (RFC 9110 §6.5.1)',
  'refused-earlier':
    'llhttp refuses a framing field among the trailers when it meets it, we when the trailers are whole; nothing of them is sent on',
  'head-without-length':
    'llhttp decides on keep-alive before it is told that an answer to HEAD has no body, and takes one without length to end with the connection',
  'we-close':
    'we end the connection after a message where llhttp would read on, so no second reading can follow',
} as const;

export type Exception = keyof typeof EXCEPTIONS;

/** How often each exception was made. */
export class ExceptionCounts {
  readonly counts = new Map<Exception, number>();

  count(name: Exception): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
  }
}

/** The stand-in for a method llhttp does not know; the method itself for all others. */
export function knownMethod(method: string): string {
  return METHODS.has(method) ? method : 'POST';
}
