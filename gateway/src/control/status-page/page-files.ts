import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname } from 'node:path';

export interface PageFile {
  readonly name: string;
  readonly type: string;
  readonly body: Buffer;
  /** Strong, with its quotes (RFC 9110 §8.8.3). */
  readonly etag: string;
}

const INDEX = 'index.html';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
};

/** The page and what it loads, which stay in memory: together less than 100 KiB. */
export async function readPageFiles(): Promise<{
  readonly index: PageFile;
  readonly files: readonly PageFile[];
}> {
  const folder = new URL('page/', import.meta.url);
  const names = (await readdir(folder)).filter((name) => name !== INDEX && extname(name) in TYPES).sort();
  const read = async (name: string): Promise<PageFile> => {
    const body = await readFile(new URL(name, folder));
    const digest = createHash('sha256').update(body).digest('base64url');
    return { name, type: TYPES[extname(name)] ?? '', body, etag: `"${digest.slice(0, 22)}"` };
  };
  return { index: await read(INDEX), files: await Promise.all(names.map(read)) };
}

/** Whether a copy with this ETag is what an If-None-Match names (RFC 9110 §13.1.2: the comparison is weak). */
export function isNamed(etag: string, ifNoneMatch: string | undefined): boolean {
  if (ifNoneMatch === undefined) return false;
  return ifNoneMatch.split(',').some((one) => {
    const name = one.trim();
    return name === '*' || name.replace(/^W\//, '') === etag;
  });
}
