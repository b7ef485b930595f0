import type { KeyObject } from 'node:crypto';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { CertificatePlan } from '../../data/plan.ts';
import { certificateNames } from './certificate-names.ts';
import type { Parsed } from './parsed.ts';
import { bad, good } from './parsed.ts';
import { certificatesIn, privateKeyIn, readText } from './pem.ts';

export interface CertificatePaths {
  readonly cert: string;
  readonly key: string;
}

export type ReadPair =
  | {
      readonly ok: true;
      readonly value: { readonly plan: CertificatePlan; readonly warnings: readonly string[] };
    }
  /** `file` is the one that the complaint is of. */
  | { readonly ok: false; readonly file: 'cert' | 'key'; readonly complaint: string };

const SOON_MS = 14 * 86_400_000;

/**
 * Reads a certificate and its private key, and refuses what no client would accept or TLS could not start with: better here,
 * with the reason, than at the first handshake.
 */
export function readCertificatePair(
  paths: CertificatePaths,
  readFile: (path: string) => string,
  nowMs: number,
): ReadPair {
  const chain = readChain(paths.cert, readFile, nowMs);
  if (!chain.ok) return { ok: false, file: 'cert', complaint: chain.complaint };
  const key = readKey(paths.key, readFile);
  if (!key.ok) return { ok: false, file: 'key', complaint: key.complaint };
  const { text, certificates } = chain.value;
  const why = whyNotOwn(certificates, key.value.key, paths);
  if (why !== undefined) return why;
  const plan = { names: certificateNames(certificates[0]), cert: text, key: key.value.text };
  try {
    createSecureContext({ cert: plan.cert, key: plan.key });
  } catch (error) {
    // OpenSSL's own limits, such as a key that is too small
    return { ok: false, file: 'cert', complaint: `${paths.cert} cannot be used: ${reasonOf(error)}` };
  }
  return { ok: true, value: { plan, warnings: warningsOf(plan, certificates, paths.cert, nowMs) } };
}

/** The server's own certificate first, as TLS sends them. */
type Chain = readonly [X509Certificate, ...(readonly X509Certificate[])];

function readChain(
  path: string,
  readFile: (path: string) => string,
  nowMs: number,
): Parsed<{ readonly text: string; readonly certificates: Chain }> {
  const text = readText(path, readFile);
  if (!text.ok) return text;
  const certificates: X509Certificate[] = [];
  for (const [index, pem] of certificatesIn(text.value).entries()) {
    try {
      certificates.push(new X509Certificate(pem));
    } catch {
      return bad(`certificate ${index + 1} in ${path} cannot be read`);
    }
  }
  const [own, ...others] = certificates;
  if (own === undefined) {
    const isKey = privateKeyIn(text.value) !== 'none';
    return bad(
      `${path} holds no certificate in PEM form${isKey ? ', but a key; are cert and key swapped?' : ''}`,
    );
  }
  if (own.validToDate.getTime() <= nowMs) return bad(`${path} expired on ${when(own.validToDate)}`);
  if (own.validFromDate.getTime() > nowMs)
    return bad(`${path} is not valid before ${when(own.validFromDate)}`);
  return good({ text: text.value, certificates: [own, ...others] });
}

function readKey(
  path: string,
  readFile: (path: string) => string,
): Parsed<{ readonly text: string; readonly key: KeyObject }> {
  const text = readText(path, readFile);
  if (!text.ok) return text;
  switch (privateKeyIn(text.value)) {
    case 'none': {
      const isCertificate = certificatesIn(text.value).length > 0;
      const hint = isCertificate ? ', but a certificate; are cert and key swapped?' : '';
      return bad(`${path} holds no private key in PEM form${hint}`);
    }
    case 'encrypted':
      return bad(
        `the key in ${path} is encrypted, and there is nobody to ask for its password; decrypt it first`,
      );
    case 'plain':
      try {
        return good({ text: text.value, key: createPrivateKey(text.value) });
      } catch {
        return bad(`the key in ${path} cannot be read`);
      }
  }
}

function whyNotOwn([own, ...others]: Chain, key: KeyObject, paths: CertificatePaths): ReadPair | undefined {
  if (own.checkPrivateKey(key)) return undefined;
  if (others.some((other) => other.checkPrivateKey(key))) {
    const complaint = `the key in ${paths.key} belongs to a later certificate in ${paths.cert}; the server’s own must come first`;
    return { ok: false, file: 'cert', complaint };
  }
  const complaint = `the key in ${paths.key} does not belong to the certificate in ${paths.cert}`;
  return { ok: false, file: 'key', complaint };
}

function warningsOf(
  { names }: CertificatePlan,
  [own, ...others]: Chain,
  path: string,
  nowMs: number,
): readonly string[] {
  const warnings: string[] = [];
  if (own.validToDate.getTime() - nowMs < SOON_MS)
    warnings.push(`${path} expires on ${when(own.validToDate)}`);
  for (const [index, { validToDate }] of others.entries()) {
    if (validToDate.getTime() > nowMs) continue;
    warnings.push(`certificate ${index + 2} in ${path}, of the chain, expired on ${when(validToDate)}`);
  }
  if (own.subjectAltName === undefined) {
    const only = names.length === 0 ? '' : `, only its subject ${names[0]}`;
    warnings.push(`${path} names no host in its subjectAltName${only}: clients refuse it`);
  }
  return warnings;
}

/** To the minute, as nobody needs more. */
function when(date: Date): string {
  return `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message.replace(/^error:[0-9A-F]+:/i, '') : String(error);
}
