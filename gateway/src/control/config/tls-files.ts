import { X509Certificate } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import type { CheckContext } from './check-context.ts';
import type { SourcePath } from './source-node.ts';

/** PEM texts by the path that the config gives. */
export type TlsFiles = ReadonlyMap<string, string>;

/** Reads every `tls.ca`, relative to the config file; what cannot be read is reported. */
export function readTlsFiles(
  context: CheckContext,
  configFile: string,
  readFile: (path: string) => string,
): TlsFiles {
  const texts = new Map<string, string>();
  const complaints = new Map<string, string>();
  const read = (ca: string | undefined, path: SourcePath) => {
    if (ca === undefined) return;
    if (!texts.has(ca) && !complaints.has(ca)) {
      const result = readAuthorities(resolve(dirname(configFile), ca), readFile);
      if (result.ok) texts.set(ca, result.text);
      else complaints.set(ca, result.complaint);
    }
    const complaint = complaints.get(ca);
    if (complaint !== undefined) context.error([...path, 'tls', 'ca'], `ca: ${complaint}`);
  };
  read(context.draft.defaults?.tls?.ca, ['defaults']);
  for (const [name, service] of Object.entries(context.draft.services ?? {})) {
    read(service?.tls?.ca, ['services', name]);
  }
  return texts;
}

type Read = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly complaint: string };

function readAuthorities(path: string, readFile: (path: string) => string): Read {
  let text: string;
  try {
    text = readFile(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
    return { ok: false, complaint: `${path} cannot be read${code}` };
  }
  const certificates = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (certificates.length === 0) return { ok: false, complaint: `${path} holds no certificate in PEM form` };
  for (const [index, certificate] of certificates.entries()) {
    try {
      new X509Certificate(certificate);
    } catch {
      return { ok: false, complaint: `certificate ${index + 1} in ${path} cannot be read` };
    }
  }
  return { ok: true, text };
}
