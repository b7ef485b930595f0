import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Clock } from '../../time.ts';

/** What a look at a file says. */
export type Sight =
  /** As it was, or not what it was but the same text. */
  | { readonly kind: 'same' }
  /** It differs from the last look: perhaps half of it is written. */
  | { readonly kind: 'moving' }
  /** New content, which has stood still for one look. */
  | { readonly kind: 'changed' }
  | { readonly kind: 'unreadable'; readonly reason: string };

/** Some file systems keep times to two seconds, so that a second write within them leaves no trace in a stat. */
const COARSEST_TIME_MS = 3_000;

/** One file that is looked at again and again. */
export class WatchedFile {
  readonly path: string;
  readonly #clock: Pick<Clock, 'wallNow'>;
  /** Of the content that was last reported; undefined while none could be read. */
  #digest: string | undefined;
  #stamp: string | undefined;
  /** Stamp and digest of the look before, when its content was new. */
  #pending: string | undefined;

  constructor(path: string, clock: Pick<Clock, 'wallNow'>) {
    this.path = path;
    this.#clock = clock;
  }

  /** The first look: takes what is there for known. Never rejects. */
  async remember(): Promise<Sight> {
    try {
      this.#stamp = (await stampOf(this.path)).stamp;
      this.#digest = await digestOf(this.path);
      return { kind: 'same' };
    } catch (error) {
      return { kind: 'unreadable', reason: reasonOf(error) };
    }
  }

  /** Never rejects. */
  async look(): Promise<Sight> {
    try {
      return await this.#compare();
    } catch (error) {
      this.#pending = undefined;
      return { kind: 'unreadable', reason: reasonOf(error) };
    }
  }

  async #compare(): Promise<Sight> {
    const { stamp, mtimeMs } = await stampOf(this.path);
    const isRecent = Math.abs(this.#clock.wallNow() - mtimeMs) < COARSEST_TIME_MS;
    if (stamp === this.#stamp && !isRecent) return this.#settle(stamp, this.#digest);
    const digest = await digestOf(this.path);
    const seen = `${stamp} ${digest}`;
    if (digest === this.#digest || seen === this.#pending) return this.#settle(stamp, digest);
    this.#pending = seen;
    return { kind: 'moving' };
  }

  #settle(stamp: string, digest: string | undefined): Sight {
    const isNew = digest !== this.#digest;
    this.#stamp = stamp;
    this.#digest = digest;
    this.#pending = undefined;
    return { kind: isNew ? 'changed' : 'same' };
  }
}

async function stampOf(path: string): Promise<{ readonly stamp: string; readonly mtimeMs: number }> {
  const stats = await stat(path);
  // `--config <(command)` is a pipe: reading it would take from it, or wait for ever
  if (!stats.isFile()) throw new Error('not a regular file');
  const { mtimeMs, size, ino, dev } = stats;
  return { stamp: `${mtimeMs} ${size} ${ino} ${dev}`, mtimeMs };
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('base64');
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error ? String(error.code) : error.message;
}
