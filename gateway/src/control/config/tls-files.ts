import { X509Certificate } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import type { CertificatePlan } from '../../data/plan.ts';
import type { CertificatePaths } from './certificate-pair.ts';
import { readCertificatePair } from './certificate-pair.ts';
import { checkCertificateNames } from './check-certificate-names.ts';
import type { CheckContext } from './check-context.ts';
import type { Parsed } from './parsed.ts';
import { bad, checked, good } from './parsed.ts';
import { certificatesIn, readText } from './pem.ts';
import type { SourcePath } from './source-node.ts';

export interface TlsFileOptions {
  /** What paths in the config start at. */
  readonly configFile: string;
  readonly readFile: (path: string) => string;
  /** The wall clock, in milliseconds since 1970: what has expired by then is no good. */
  readonly nowMs: number;
}

/** The files of keys and certificates that a config names, each read once; by the paths that the config gives. */
export class TlsFiles {
  readonly #options: TlsFileOptions;
  readonly #authorities = new Map<string, Parsed<string>>();
  readonly #pairs = new Map<string, ReturnType<typeof readCertificatePair>>();

  constructor(options: TlsFileOptions) {
    this.#options = options;
  }

  /** PEM text of authorities. Throws for what the check has complained of. */
  authorities(path: string): string {
    return checked(this.readAuthorities(path));
  }

  /** Throws for what the check has complained of. */
  certificate(paths: CertificatePaths): CertificatePlan {
    const pair = this.readPair(paths);
    if (pair.ok) return pair.value.plan;
    throw new Error(`compiled before it was checked: ${pair.complaint}`);
  }

  readAuthorities(path: string): Parsed<string> {
    const known = this.#authorities.get(path);
    if (known !== undefined) return known;
    const read = authoritiesIn(this.#resolve(path), this.#options.readFile);
    this.#authorities.set(path, read);
    return read;
  }

  readPair({ cert, key }: CertificatePaths): ReturnType<typeof readCertificatePair> {
    const name = `${cert}\0${key}`;
    const known = this.#pairs.get(name);
    if (known !== undefined) return known;
    const paths = { cert: this.#resolve(cert), key: this.#resolve(key) };
    const read = readCertificatePair(paths, this.#options.readFile, this.#options.nowMs);
    this.#pairs.set(name, read);
    return read;
  }

  #resolve(path: string): string {
    return resolve(dirname(this.#options.configFile), path);
  }
}

/** Reads every file of keys and certificates that the config names; what is no good is reported where it is named. */
export function readTlsFiles(context: CheckContext, options: TlsFileOptions): TlsFiles {
  const files = new TlsFiles(options);
  const readCa = (ca: string | undefined, path: SourcePath, key: string): void => {
    const read = ca === undefined ? undefined : files.readAuthorities(ca);
    if (read?.ok === false) context.error([...path, 'tls', key], `${key}: ${read.complaint}`);
  };
  readCa(context.draft.defaults?.tls?.ca, ['defaults'], 'ca');
  for (const [name, service] of Object.entries(context.draft.services ?? {}))
    readCa(service?.tls?.ca, ['services', name], 'ca');
  for (const [index, listener] of (context.draft.listeners ?? []).entries()) {
    readCa(listener?.tls?.clientCa, ['listeners', index], 'clientCa');
    readPairs(context, index, files);
  }
  return files;
}

function readPairs(context: CheckContext, listener: number, files: TlsFiles): void {
  const base: SourcePath = ['listeners', listener, 'tls', 'certificates'];
  const names: (readonly string[] | undefined)[] = [];
  for (const [index, pair] of (context.draft.listeners?.[listener]?.tls?.certificates ?? []).entries()) {
    const { cert, key } = pair ?? {};
    if (cert === undefined || key === undefined) continue;
    const read = files.readPair({ cert, key });
    if (!read.ok) {
      context.error([...base, index, read.file], `${read.file}: ${read.complaint}`);
      continue;
    }
    for (const warning of read.value.warnings) context.warning([...base, index, 'cert'], `cert: ${warning}`);
    names[index] = read.value.plan.names;
  }
  checkCertificateNames(context, base, names);
}

function authoritiesIn(path: string, readFile: (path: string) => string): Parsed<string> {
  const text = readText(path, readFile);
  if (!text.ok) return text;
  const certificates = certificatesIn(text.value);
  if (certificates.length === 0) return bad(`${path} holds no certificate in PEM form`);
  for (const [index, certificate] of certificates.entries()) {
    try {
      new X509Certificate(certificate);
    } catch {
      return bad(`certificate ${index + 1} in ${path} cannot be read`);
    }
  }
  return good(text.value);
}
