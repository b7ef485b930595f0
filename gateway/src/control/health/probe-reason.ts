import type { ProbeRun } from './probe.ts';

/** The gateway's own want, not the backend's fault. */
const UNABLE = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']);

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ENOTFOUND: 'name not found',
  ENODATA: 'name not found',
  EAI_AGAIN: 'no answer from the name server',
  EHOSTUNREACH: 'host unreachable',
  EHOSTDOWN: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  ETIMEDOUT: 'no connection: timed out',
  EPIPE: 'connection reset',
  ECONNABORTED: 'connection reset',
  CERT_HAS_EXPIRED: 'certificate has expired',
  CERT_NOT_YET_VALID: 'certificate is not valid yet',
  CERT_REVOKED: 'certificate is revoked',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'certificate is signed by an authority that is not trusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'certificate is signed by an authority that is not trusted',
  UNABLE_TO_GET_ISSUER_CERT: 'certificate is signed by an authority that is not trusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'certificate is signed by an authority that is not trusted',
  HPE_HEADER_OVERFLOW: 'answer head too large',
  ERR_HTTP2_ERROR: 'the backend does not speak HTTP/2',
};

interface ErrorFacts {
  readonly code: string;
  readonly syscall: string;
  readonly message: string;
}

/** Ends `run` with the reason that people read for `error`; never throws. */
export function endWithError(run: ProbeRun, error: unknown): void {
  const facts = factsOf(error);
  run.end(UNABLE.has(facts.code) ? 'unable' : 'failure', reasonOf(facts));
}

function reasonOf({ code, syscall, message }: ErrorFacts): string {
  const known = REASONS[code];
  if (known !== undefined) return known;
  if (UNABLE.has(code)) return `the gateway itself is short of resources (${code})`;
  if (code === 'ECONNRESET') return syscall === 'read' ? 'connection reset' : closedReason(message);
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'certificate is for another name';
  if (code.startsWith('HPE_')) return 'malformed answer';
  if (message.includes('wrong version number')) return 'TLS handshake failed: there is no TLS';
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_')) return `TLS handshake failed: ${code}`;
  if (code.startsWith('CERT_')) return `certificate: ${message}`;
  return code === '' ? message : `${code}: ${message}`;
}

/** node:http and node:tls report a FIN as ECONNRESET too; only their messages differ. */
function closedReason(message: string): string {
  return message.includes('TLS')
    ? 'connection closed in the TLS handshake'
    : 'connection closed without an answer';
}

/** Of several addresses that failed, the first speaks for all. */
function factsOf(error: unknown): ErrorFacts {
  if (error instanceof AggregateError && error.errors.length > 0) return factsOf(error.errors[0]);
  if (!(error instanceof Error)) return { code: '', syscall: '', message: String(error) };
  const { code, syscall }: NodeJS.ErrnoException = error;
  return { code: code ?? '', syscall: syscall ?? '', message: error.message };
}

/** 2000 is `2s`, 1500 `1.5s`, 250 `250ms`. */
export function readableMs(timeMs: number): string {
  return timeMs < 1_000 ? `${timeMs}ms` : `${timeMs / 1_000}s`;
}
