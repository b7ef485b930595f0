import { constants, createHash } from 'node:crypto';
import * as tls from 'node:tls';
import type { CertificatePlan, ListenerTlsPlan } from '../plan.ts';
import { CertificateChoice } from './certificate-choice.ts';

/**
 * Mozilla's intermediate configuration, 5.7: forward secrecy and authenticated encryption alone. Those with `TLS_` are of
 * TLS 1.3.
 */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

const SESSION_SECONDS = 3_600;
/** Node's own limit on a handshake, which is always on: the listener's head timeout is what bounds it. */
const NEVER_MS = 2 ** 31 - 1;
/** SSL_MAX_SID_CTX_LENGTH */
const SESSION_ID_CONTEXT_LENGTH = 32;

export interface TlsOptions {
  /** 48 bytes: what session tickets are sealed with. */
  readonly ticketKeys: Buffer;
  /** Whether HTTP/2 is offered. */
  readonly http2: boolean;
}

/** @throws Error when a certificate, its key or the client authority is unfit */
export function serverOptions(plan: ListenerTlsPlan, { ticketKeys, http2 }: TlsOptions): tls.TlsOptions {
  const [first] = plan.certificates;
  if (first === undefined) throw new Error('a TLS listener needs a certificate');
  const shared: tls.SecureContextOptions & Pick<tls.TlsOptions, 'ticketKeys'> = {
    minVersion: plan.minVersion,
    ciphers: CIPHERS,
    // all of them are good: who has no AES in hardware may choose the one that suits it
    honorCipherOrder: false,
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    sessionTimeout: SESSION_SECONDS,
    sessionIdContext: sessionIdContext(plan),
    ticketKeys,
    ...(plan.clientCa === undefined ? {} : { ca: plan.clientCa }),
  };
  return {
    ...shared,
    cert: first.cert,
    key: first.key,
    requestCert: plan.clientCertificate !== 'none',
    rejectUnauthorized: plan.clientCertificate === 'required',
    ALPNProtocols: http2 ? ['h2', 'http/1.1'] : ['http/1.1'],
    handshakeTimeout: NEVER_MS,
    ...(plan.certificates.length === 1 ? {} : { SNICallback: byServerName(plan.certificates, shared) }),
  };
}

function byServerName(
  certificates: readonly CertificatePlan[],
  shared: tls.SecureContextOptions,
): NonNullable<tls.TlsOptions['SNICallback']> {
  const choice = new CertificateChoice(
    certificates.map(({ names, cert, key }) => ({
      names,
      value: tls.createSecureContext({ ...shared, cert, key }),
    })),
  );
  return (serverName, use) => use(null, choice.find(serverName));
}

/**
 * A session is resumed only where clients are verified as they were when it began: listeners share their ticket keys, and
 * a resumed session is not verified again.
 */
function sessionIdContext({ clientCertificate, clientCa = '' }: ListenerTlsPlan): string {
  const hash = createHash('sha256').update(`${clientCertificate}\0${clientCa}`);
  return hash.digest('base64').slice(0, SESSION_ID_CONTEXT_LENGTH);
}
