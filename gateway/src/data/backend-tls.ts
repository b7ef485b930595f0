import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type { TlsPlan } from './plan.ts';

/** What every TLS connection to a backend at `host` is made with. */
export function backendTlsOptions(
  { ca, serverName, verify }: TlsPlan,
  host: string,
  protocol: 'http/1.1' | 'h2',
  session: Buffer | undefined,
): ConnectionOptions {
  const name = serverName ?? host;
  return {
    ALPNProtocols: [protocol],
    rejectUnauthorized: verify,
    // SNI takes no IP addresses (RFC 6066 §3); the certificate is then checked against the address itself
    ...(isIP(name) === 0 ? { servername: name } : {}),
    ...(ca === undefined ? {} : { ca }),
    ...(session === undefined ? {} : { session }),
  };
}
