import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface ClientCertificate {
  readonly key: string;
  /** Signed by itself, so that it is its own authority. */
  readonly cert: string;
}

/**
 * @param subject as openssl's -subj has it
 * @param names of subjectAltName, such as `URI:spiffe://a/b`, with any characters
 */
export function clientCertificate(subject: string, ...names: readonly string[]): ClientCertificate {
  const folder = mkdtempSync(join(tmpdir(), 'portway-client-'));
  try {
    const lines = names.map((name, at) => {
      const colon = name.indexOf(':');
      return `${name.slice(0, colon)}.${at}=${escaped(name.slice(colon + 1))}\n`;
    });
    writeFileSync(join(folder, 'config'), `${CONFIG}${lines.join('')}`);
    const args = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    args.push('-days', '1', '-utf8', '-config', 'config', '-keyout', 'key', '-out', 'cert', '-subj', subject);
    execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
    const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
    return { key: read('key'), cert: read('cert') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const CONFIG = `[req]
distinguished_name=nobody
x509_extensions=own
[nobody]
[own]
subjectAltName=@names
[names]
`;

/** As config(5) of OpenSSL reads it. */
function escaped(text: string): string {
  return text
    .replaceAll(/["\\$#]/g, '\\$&')
    .replaceAll('\r', '\\r')
    .replaceAll('\n', '\\n');
}
