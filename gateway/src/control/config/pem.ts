import type { Parsed } from './parsed.ts';
import { bad, good } from './parsed.ts';

/** The text of a file that the config names, or why it cannot be read. */
export function readText(path: string, readFile: (path: string) => string): Parsed<string> {
  try {
    return good(readFile(path));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
    return bad(`${path} cannot be read${code}`);
  }
}

/** The certificates of a PEM file, in its order; `TRUSTED` and `X509` are older ways to write the same. */
export function certificatesIn(text: string): readonly string[] {
  return (
    text.match(
      /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[^-]*-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g,
    ) ?? []
  );
}

/** What a PEM file holds of private keys. */
export function privateKeyIn(text: string): 'none' | 'plain' | 'encrypted' {
  const kind = /-----BEGIN ((?:[A-Z0-9]+ )?)PRIVATE KEY-----/.exec(text);
  if (kind === null) return 'none';
  // PKCS #8 says so in its label, the older forms in a header line
  return kind[1] === 'ENCRYPTED ' || /^Proc-Type:.*ENCRYPTED/m.test(text) ? 'encrypted' : 'plain';
}
