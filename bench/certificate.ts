import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The one cipher that the load offers over TLS, so that every gateway does the same work. */
export const CIPHER = 'TLS_AES_128_GCM_SHA256';

/** Files of a certificate made for one run. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
  /** Both in one file, as HAProxy wants them. */
  readonly both: string;
  /** Environment of an OpenSSL program that is to offer nothing but CIPHER. */
  readonly clientEnv: NodeJS.ProcessEnv;
}

/** Makes a P-256 key and its certificate in `folder`. Throws when the openssl command fails. */
export function makeCertificate(folder: string): Certificate {
  const [cert, key, both] = ['cert.pem', 'key.pem', 'both.pem'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const names = [
    '-subj',
    '/CN=bench',
    '-addext',
    'subjectAltName=DNS:localhost,IP:127.0.0.1',
    '-days',
    '365',
  ];
  const run = spawnSync('openssl', [...request, ...names, '-keyout', key, '-out', cert], {
    encoding: 'utf8',
    timeout: 10_000,
  });
  if (run.status !== 0) throw new Error(`openssl req failed: ${run.stderr || run.error?.message}`);
  writeFileSync(both, readFileSync(cert, 'utf8') + readFileSync(key, 'utf8'));
  const config = join(folder, 'client.cnf');
  writeFileSync(config, CLIENT_CONFIG);
  return { cert, key, both, clientEnv: { ...process.env, OPENSSL_CONF: config } };
}

const CLIENT_CONFIG = `openssl_conf = init
[init]
ssl_conf = ssl
[ssl]
system_default = tls
[tls]
MinProtocol = TLSv1.3
Ciphersuites = ${CIPHER}
`;
