import { constants, createWriteStream } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { lstat, mkdir, open, readdir, rename, rm, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

export interface FileInfo {
  readonly name: string;
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly modifiedMs: number;
  /** Strong: another upload, even of the same bytes, is another file and has another tag. */
  readonly etag: string;
}

/** A file held open, so that a rename or removal under it does not change what is read. The holder closes it. */
export interface OpenFile {
  readonly info: FileInfo;
  readonly handle: FileHandle;
}

/** The upload is longer than the store takes. */
export class TooLargeError extends Error {
  constructor(maxBytes: number) {
    super(`a file may have at most ${maxBytes} bytes`);
  }
}

const MAX_LISTED = 1_000;
/** Not a valid name, so nothing in it can be asked for; in the same folder, so that rename stays atomic. */
const UPLOADS = '.uploads';

/** Letters, digits, `_`, and inside also `.` and `-`: no separators, no `..`, no hidden files, no options. */
export function isValidName(name: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/.test(name);
}

/** Files in one flat folder; several processes may share it. Names must be valid: see isValidName. */
export class FileStore {
  readonly #folder: string;
  readonly #maxBytes: number;
  readonly #uniqueName: () => string;

  constructor(folder: string, maxBytes: number, uniqueName: () => string) {
    this.#folder = folder;
    this.#maxBytes = maxBytes;
    this.#uniqueName = uniqueName;
  }

  /** Makes the folder where it is missing. */
  async prepare(): Promise<void> {
    await mkdir(join(this.#folder, UPLOADS), { recursive: true });
  }

  /**
   * Streams `body` into a temporary file and renames it when it is complete, so nobody ever reads half a file.
   * Throws TooLargeError (`body` is then left unread), and what `body` throws when the client leaves; the temporary
   * file goes either way.
   */
  async write(name: string, body: Readable): Promise<{ readonly created: boolean; readonly info: FileInfo }> {
    const temporary = join(this.#folder, UPLOADS, this.#uniqueName());
    try {
      await pipeline(limited(body, this.#maxBytes), createWriteStream(temporary, { flags: 'wx' }));
      const created = (await this.#stat(name)) === undefined;
      // rename keeps inode and times, so this is what a reader will see under the final name
      const info = toInfo(name, await lstat(temporary, { bigint: true }));
      await rename(temporary, join(this.#folder, name));
      return { created, info };
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }

  /** Undefined when there is no such file. */
  async open(name: string): Promise<OpenFile | undefined> {
    const handle = await orUndefined(
      open(join(this.#folder, name), constants.O_RDONLY | constants.O_NOFOLLOW),
    );
    if (handle === undefined) return undefined;
    const stats = await handle.stat({ bigint: true });
    if (stats.isFile()) return { handle, info: toInfo(name, stats) };
    await handle.close();
    return undefined;
  }

  /** In the order of names, a thousand at most. */
  async list(): Promise<FileInfo[]> {
    const names = (await readdir(this.#folder)).filter(isValidName).sort().slice(0, MAX_LISTED);
    const infos = await Promise.all(names.map((name) => this.#stat(name)));
    // one may have been deleted since readdir
    return infos.filter((info) => info !== undefined);
  }

  /** False when there was no such file. */
  async delete(name: string): Promise<boolean> {
    return (await orUndefined(unlink(join(this.#folder, name)).then(() => true))) ?? false;
  }

  async #stat(name: string): Promise<FileInfo | undefined> {
    const stats = await orUndefined(lstat(join(this.#folder, name), { bigint: true }));
    return stats?.isFile() ? toInfo(name, stats) : undefined;
  }
}

interface BigStats {
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeMs: bigint;
  readonly mtimeNs: bigint;
}

function toInfo(name: string, stats: BigStats): FileInfo {
  const etag = `"${[stats.ino, stats.size, stats.mtimeNs].map((part) => part.toString(36)).join('-')}"`;
  return { name, size: Number(stats.size), modifiedMs: Number(stats.mtimeMs), etag };
}

/** Leaves `body` alive when it ends early: a client that is still sending is dealt with where it is answered. */
async function* limited(body: Readable, maxBytes: number): AsyncGenerator<Buffer> {
  let seen = 0;
  const chunks: AsyncIterable<Buffer> = body.iterator({ destroyOnReturn: false });
  for await (const chunk of chunks) {
    seen += chunk.length;
    if (seen > maxBytes) throw new TooLargeError(maxBytes);
    yield chunk;
  }
}

/** Missing files are an answer, not an error; ELOOP is O_NOFOLLOW's word for a symbolic link. */
async function orUndefined<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ELOOP') return undefined;
    throw error;
  }
}
