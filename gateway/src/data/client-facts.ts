import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { clientAddress, type TrustedProxies } from './client-address.ts';
import type { ClientFacts } from './request-headers.ts';
import { clientIdentity } from './tls/client-identity.ts';

/**
 * What is known of a client by its connection.
 * @param hsts the value of Strict-Transport-Security for secure connections
 * @param sourceIp what a PROXY header says of the client, which then takes the peer's place
 */
export function clientFacts(
  socket: Socket,
  trustedProxies: TrustedProxies,
  hsts: string | undefined,
  sourceIp: string | undefined,
): ClientFacts {
  const peerIp = sourceIp ?? plainIp(socket.remoteAddress ?? '');
  const trusted = trustedProxies.trusts(peerIp);
  const clientIp = (forwardedFor: string | undefined) => clientAddress(peerIp, forwardedFor, trustedProxies);
  const isSecure = socket instanceof TLSSocket;
  return {
    ...{ peerIp, trusted, clientIp },
    proto: isSecure ? 'https' : 'http',
    certificate: isSecure ? clientIdentity(socket) : '',
    // RFC 6797 §7.2: never in the clear
    hstsLine: isSecure && hsts !== undefined ? `Strict-Transport-Security: ${hsts}\r\n` : '',
  };
}

/** A dual-stack listener sees IPv4 clients as ::ffff:1.2.3.4. */
export function plainIp(ip: string): string {
  return ip.startsWith('::ffff:') && ip.includes('.') ? ip.slice(7) : ip;
}
