import { METHODS } from './llhttp.ts';

/**
 * Where llhttp is stricter or of another opinion, and for a reason that does no harm. Each is as narrow as it can be: the
 * rest of the message is still compared. Anything else that llhttp refuses or reads otherwise is a failure.
 */
export const EXCEPTIONS = {
  'unknown-method': 'llhttp takes only the methods it lists; any token is one (RFC 9110 §9.1). It is read as POST instead',
  connect: 'after a CONNECT llhttp stops reading; we answer it ourselves and close. Only its head is compared',
  'proxy-connection': 'llhttp obeys Proxy-Connection as if it were Connection; no RFC has it, and we remove it',
  'we-close': 'we end the connection after a message where llhttp would read on, so no second reading can follow',
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
