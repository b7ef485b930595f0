import { X509Certificate } from 'node:crypto';
import { addressText } from '../address-text.ts';
import type { Plan } from '../data/plan.ts';

/** When a certificate of a listener ends. */
export interface CertificateExpiry {
  /** `host:port` of the config. */
  readonly listener: string;
  /** The first of its names. */
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly expiresMs: number;
}

/** Of every certificate of a plan; where two of one listener share their first name, that of the one that ends first. */
export function certificateExpiries({ listeners }: Pick<Plan, 'listeners'>): readonly CertificateExpiry[] {
  return listeners.flatMap((listener) => {
    const byName = new Map<string, CertificateExpiry>();
    const { tls } = listener.kind === 'http' ? listener : {};
    for (const { names, cert } of tls?.certificates ?? []) {
      const [name = 'unnamed'] = names;
      const expiresMs = expiryOf(cert);
      const other = byName.get(name);
      if (expiresMs === undefined || (other !== undefined && other.expiresMs <= expiresMs)) continue;
      byName.set(name, { listener: addressText(listener.host, listener.port), name, expiresMs });
    }
    return [...byName.values()];
  });
}

/** Undefined for what cannot be read: a plan need not come from a config that was checked. */
function expiryOf(pem: string): number | undefined {
  try {
    return new X509Certificate(pem).validToDate.getTime();
  } catch {
    return undefined;
  }
}
