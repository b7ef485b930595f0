import type { FailureCode } from '../errors.ts';

/** What a failed connect means; an unknown error is one of reaching the backend. */
export function connectFailureOf(error: Error | undefined, secure: boolean): FailureCode {
  const code = (error as NodeJS.ErrnoException | undefined)?.code ?? '';
  if (code === 'ECONNREFUSED') return 'connect_refused';
  if (code === 'ETIMEDOUT') return 'connect_timeout';
  if (OWN_LIMITS.has(code)) return 'out_of_sockets';
  if (UNTRUSTED.test(code)) return 'tls_untrusted';
  if (/^ERR_(SSL|TLS)_|^EPROTO$/.test(code)) return 'tls_failed';
  // a refusal has another code: this is one who accepted and then broke off the handshake
  if (secure && (error === undefined || code === 'ECONNRESET')) return 'tls_failed';
  return code === 'ECONNRESET' ? 'connect_refused' : 'connect_failed';
}

/** No descriptor, buffer or local port is left: no backend's fault, and no other backend would help. */
const OWN_LIMITS: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL']);

const UNTRUSTED = /CERT|SELF_SIGNED|UNABLE_TO_|ALTNAME|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE/;
