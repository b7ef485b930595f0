import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KINDS, type Kind } from './reading.ts';

/** Inputs that others start from. */
export const SEEDS = join(import.meta.dirname, 'seeds');
/** Inputs that once failed; each has its line in README.md there. */
export const FOUND = join(import.meta.dirname, 'found');

export interface Saved {
  readonly name: string;
  readonly kind: Kind;
  readonly text: string;
}

/** Every input of a folder. The kind is what the file's name starts with: `requests-…http`. */
export function load(folder: string): readonly Saved[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.http'));
  return names.sort().map((name) => {
    const kind = KINDS.find((known) => name.startsWith(`${known}-`));
    if (kind === undefined) throw new Error(`${name}: the name must start with one of ${KINDS.join('-, ')}-`);
    return { name, kind, text: unescapeText(readFileSync(join(folder, name), 'utf8')) };
  });
}

/** Writes an input that failed, and why, where fuzz.test.ts finds it. Returns the file's name. */
export function saveFound(kind: Kind, text: string, why: string): string {
  const slug = why
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 60)
    .replace(/^-|-$/g, '');
  const name = `${kind}-${slug}.http`;
  writeFileSync(join(FOUND, name), escapeText(text));
  const readme = join(FOUND, 'README.md');
  const lines = readFileSync(readme, 'utf8');
  if (!lines.includes(name)) writeFileSync(readme, `${lines}- \`${name}\`: ${why}\n`);
  return name;
}

/**
 * Files are text that git, editors and diffs leave alone: every byte that is not plain ASCII is written as an escape
 * (`\r`, `\n`, `\t`, `\xHH`, `\\`). Line breaks of the file itself mean nothing; one stands after each `\n`.
 */
export function escapeText(text: string): string {
  const escaped = text.replace(/[^\x20-\x5b\x5d-\x7e]/g, (character) => {
    const named = ESCAPES.get(character);
    return named ?? `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
  return `${escaped.replaceAll('\\n', '\\n\n').replace(/ $/gm, '\\x20').trimEnd()}\n`;
}

export function unescapeText(escaped: string): string {
  return escaped.replace(/\r?\n/g, '').replace(/\\(?:x([0-9a-f]{2})|(.))/gi, (_, hex, character) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
    const found = [...ESCAPES].find(([, written]) => written === `\\${character}`);
    if (found === undefined) throw new Error(`\\${character} is no escape`);
    return found[0];
  });
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['\r', '\\r'],
  ['\n', '\\n'],
  ['\t', '\\t'],
  ['\\', '\\\\'],
]);
