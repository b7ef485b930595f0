import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';

/**
 * Who the client is by the certificate that was verified, as an element of X-Forwarded-Client-Cert has it (Envoy's format):
 * `Hash=<SHA-256 of the certificate>;Subject="CN=…";URI=…;DNS=…`. Empty: nobody vouches for it.
 */
export function clientIdentity(socket: TLSSocket): string {
  const certificate = socket.authorized ? socket.getPeerX509Certificate() : undefined;
  return certificate === undefined ? '' : identityOf(certificate);
}

/** Latin1 text of UTF-8 bytes, fit for a header field whatever the certificate says. */
export function identityOf(certificate: X509Certificate): string {
  const { fingerprint256, subject, subjectAltName } = certificate;
  const hash = fingerprint256.replaceAll(':', '').toLowerCase();
  const parts = [`Hash=${hash}`, `Subject="${distinguishedName(subject)}"`];
  for (const { type, value } of alternativeNames(subjectAltName)) {
    // an authority may sign what it likes: a name with control bytes would be a line of its own
    if ((type === 'URI' || type === 'DNS') && /^[\x20-\x7e]+$/.test(value))
      parts.push(`${type}=${quoted(value)}`);
  }
  return Buffer.from(parts.join(';')).toString('latin1');
}

/**
 * RFC 2253: the last part comes first. Node gives one on each line, its values escaped as the RFC wants, which leaves
 * neither a bare quote nor a control byte.
 */
function distinguishedName(subject: string): string {
  return subject.split('\n').reverse().join(',');
}

interface AlternativeName {
  readonly type: string;
  readonly value: string;
}

/** Node's `DNS:a.example, URI:"spiffe://a, b"`: what would be ambiguous stands in quotes, as a JSON string. */
function alternativeNames(text: string | undefined): readonly AlternativeName[] {
  const names: AlternativeName[] = [];
  const item = /([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/y;
  for (let match = item.exec(text ?? ''); match !== null && match[0] !== ''; match = item.exec(text ?? '')) {
    const [, type = '', value = ''] = match;
    names.push({ type, value: value.startsWith('"') ? String(JSON.parse(value)) : value });
  }
  return names;
}

/** What the format gives a meaning to goes into quotes. */
function quoted(value: string): string {
  return /[,;="\\ ]/.test(value) ? `"${value.replaceAll(/["\\]/g, '\\$&')}"` : value;
}
