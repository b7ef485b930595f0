import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { whyNoHostName } from './addresses.ts';
import { canonicalIPv6 } from './ip-network.ts';

/**
 * What a certificate is for, in lower case: the host names, wildcards and IP addresses of its subjectAltName; only without
 * one, the common name of its subject, as clients did before RFC 6125.
 */
export function certificateNames(certificate: X509Certificate): readonly string[] {
  const { subjectAltName } = certificate;
  const found = subjectAltName === undefined ? commonNames(certificate) : alternativeNames(subjectAltName);
  return [...new Set(found.map(canonical).filter((name) => name !== undefined))];
}

/** Node writes them as OpenSSL does, `DNS:a.b, IP Address:::1`, and quotes what could be mistaken (CVE-2021-44532). */
function alternativeNames(text: string): readonly string[] {
  return [...text.matchAll(/(?:^|, )(?:DNS|IP Address):("(?:[^"\\]|\\.)*"|[^,]*)/g)].map(
    ([, value = '']) => value,
  );
}

/** One `type=value` a line. */
function commonNames({ subject }: X509Certificate): readonly string[] {
  return [...(subject ?? '').matchAll(/^CN=(.*)$/gm)].map(([, value = '']) => value);
}

function canonical(name: string): string | undefined {
  const lower = name.toLowerCase();
  if (isIP(lower) === 6) return canonicalIPv6(lower);
  const host = lower.startsWith('*.') ? lower.slice(2) : lower;
  return whyNoHostName(host) === undefined ? lower : undefined;
}
