import type { ListenerTlsConfig } from './schema-listener-tls.ts';
import { toMs } from './settings.ts';

/** The value of Strict-Transport-Security (RFC 6797 §6.1); undefined: the field is not sent. */
export function hstsValue(hsts: NonNullable<ListenerTlsConfig['hsts']>): string | undefined {
  if (hsts === false) return undefined;
  const {
    maxAge,
    includeSubdomains = false,
    preload = false,
  } = typeof hsts === 'string' ? { maxAge: hsts } : hsts;
  const parts = [
    `max-age=${Math.floor(toMs(maxAge) / 1000)}`,
    ...(includeSubdomains ? ['includeSubDomains'] : []),
    ...(preload ? ['preload'] : []),
  ];
  return parts.join('; ');
}
