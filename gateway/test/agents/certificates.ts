import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Certificate {
  readonly key: string;
  readonly cert: string;
  /** PEM of the authority that signed it. */
  readonly ca: string;
}

export interface CertificateOptions {
  /** Subject alternative names as openssl writes them: `DNS:db.internal`, `IP:127.0.0.1`. */
  readonly names: readonly string[];
  /** Valid from and to, as `YYYYMMDDHHMMSSZ`; left out for now and tomorrow. */
  readonly validity?: readonly [from: string, to: string];
}

/** A certificate of an authority of its own, made by the openssl command; its files are gone when this returns. */
export function makeCertificate({ names, validity }: CertificateOptions): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'portway-certificate-'));
  const openssl = (...args: string[]): void =>
    void execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  try {
    openssl(
      'req',
      '-x509',
      ...newKey,
      '-keyout',
      'ca.key',
      '-out',
      'ca.pem',
      '-subj',
      '/CN=Test CA',
      '-days',
      '2',
    );
    openssl('req', ...newKey, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=test');
    writeFileSync(join(folder, 'names'), `subjectAltName=${names.join(',')}\n`);
    writeFileSync(join(folder, 'index'), '');
    writeFileSync(join(folder, 'ca.cnf'), CA_CONFIG);
    const dates =
      validity === undefined ? ['-days', '1'] : ['-startdate', validity[0], '-enddate', validity[1]];
    const paths = ['-config', 'ca.cnf', '-extfile', 'names', '-in', 'server.csr', '-out', 'server.pem'];
    openssl(
      'ca',
      '-batch',
      '-notext',
      '-cert',
      'ca.pem',
      '-keyfile',
      'ca.key',
      '-rand_serial',
      ...dates,
      ...paths,
    );
    return { key: read('server.key'), cert: read('server.pem'), ca: read('ca.pem') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const CA_CONFIG = `[ca]
default_ca = own
[own]
database = index
new_certs_dir = .
serial = serial
default_md = sha256
policy = any
[any]
commonName = supplied
`;
