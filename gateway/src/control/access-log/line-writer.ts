import { write as writeFd } from 'node:fs';
import type { Clock } from '../../time.ts';
import type { Log } from '../log.ts';

/** One system call for so many bytes; and so often for fewer, for those who watch. */
const BATCH_BYTES = 64 * 1024;
const FLUSH_MS = 250;
/** What waits for a slow disk or reader; about 8 000 lines. What comes then is dropped. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;
/** A pipe that is full says so at once, and nothing tells when it is not any more. */
const FULL_PAUSE_MS = 2;
/** No space, a broken pipe: all of it is kept and tried again. */
const ERROR_PAUSE_MS = 1_000;
const CLOSE_MS = 1_000;
/** Between two complaints. */
const QUIET_MS = 10_000;

export interface LineWriterDeps {
  readonly clock: Clock;
  readonly log: Log;
  /** What it is called when something is said of it. */
  readonly name: string;
  readonly maxBytes?: number;
}

interface Batch {
  readonly bytes: Buffer;
  /** What they lie in. */
  readonly buffer: Buffer;
  readonly lines: number;
}

/**
 * Appends lines to a file descriptor without ever keeping its caller waiting: lines are gathered and written in the
 * background, and where that is slower than they come, the newest are dropped and counted. A line is written whole or not at
 * all.
 */
export class LineWriter {
  readonly #deps: LineWriterDeps;
  readonly #maxBytes: number;
  #fd: number;
  #gathering: Buffer = Buffer.allocUnsafeSlow(BATCH_BYTES);
  #end = 0;
  #lines = 0;
  /** To gather in next: most writes are done before the next batch is full. */
  #spare: Buffer | undefined;
  readonly #queue: Batch[] = [];
  #queuedBytes = 0;
  /** Of the first batch of the queue. */
  #written = 0;
  #busy = false;
  #error: NodeJS.ErrnoException | undefined;
  #stopPause: (() => void) | undefined;
  readonly #stopTicks: () => void;
  /** Whether it is behind, and whether that was said. */
  #behind = false;
  #complained = false;
  #complainedMs = Number.NEGATIVE_INFINITY;
  #closed = false;
  /** The file to go on with, once the line being written is complete; and who waits for that. */
  #next: { readonly fd: number; readonly old: (fd: number) => void } | undefined;
  #idle: (() => void) | undefined;
  /** Lines that were never written. */
  dropped = 0;

  constructor(fd: number, deps: LineWriterDeps) {
    this.#fd = fd;
    this.#deps = deps;
    this.#maxBytes = deps.maxBytes ?? MAX_WAITING_BYTES;
    this.#stopTicks = deps.clock.every(FLUSH_MS, () => this.flush());
  }

  /** Of lines that are on their way. */
  get waitingBytes(): number {
    return this.#queuedBytes + this.#end;
  }

  /** @param line with its line end, one character a byte */
  write(line: string): void {
    const { length } = line;
    if (this.#closed || this.waitingBytes + length > this.#maxBytes) {
      this.#drop(1);
      return;
    }
    if (this.#end + length > this.#gathering.length) {
      this.flush();
      if (length > this.#gathering.length) this.#gathering = Buffer.allocUnsafeSlow(length);
    }
    this.#end += this.#gathering.write(line, this.#end, 'latin1');
    this.#lines += 1;
  }

  /** Writes what was gathered as soon as the descriptor takes it. */
  flush(): void {
    if (this.#end > 0) {
      const bytes = this.#gathering.subarray(0, this.#end);
      this.#queue.push({ bytes, buffer: this.#gathering, lines: this.#lines });
      this.#queuedBytes += bytes.length;
      this.#gathering = this.#spare ?? Buffer.allocUnsafeSlow(BATCH_BYTES);
      this.#spare = undefined;
      this.#end = 0;
      this.#lines = 0;
    }
    this.#advance();
  }

  /** Goes on with another descriptor, and hands the old one back when nothing is written to it any more. */
  moveTo(fd: number, old: (fd: number) => void): void {
    if (this.#closed) {
      old(fd);
      return;
    }
    this.flush();
    // of two moves at once the first never happened
    if (this.#next !== undefined) old(this.#next.fd);
    this.#next = { fd, old };
    // while it pauses after a failure nothing is being written either
    if (!this.#busy || this.#stopPause !== undefined) this.#move();
  }

  /**
   * Writes what is left, for a second at most; what is left then is dropped. Hands the descriptor back, unless a write to it
   * is still under way: closed, its number could be another's by the time it happens. Hands it back once only.
   */
  async close(): Promise<number | undefined> {
    if (this.#closed) return undefined;
    this.flush();
    this.#closed = true;
    if (this.#busy || this.#queue.length > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, CLOSE_MS);
        this.#idle = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#stopTicks();
    this.#stopPause?.();
    for (const { lines } of this.#queue) this.dropped += lines;
    this.#queue.length = 0;
    this.#queuedBytes = 0;
    this.#next?.old(this.#next.fd);
    this.#next = undefined;
    return this.#busy && this.#stopPause === undefined ? undefined : this.#fd;
  }

  #advance(): void {
    const batch = this.#queue[0];
    if (this.#busy) return;
    if (batch === undefined) {
      this.#idle?.();
      return;
    }
    this.#busy = true;
    const fd = this.#fd;
    writeFd(fd, batch.bytes, this.#written, batch.bytes.length - this.#written, null, (error, bytes) =>
      this.#wrote(batch, error, bytes),
    );
  }

  #wrote(batch: Batch, error: NodeJS.ErrnoException | null, bytes: number): void {
    if (error !== null) {
      this.#failed(error);
      return;
    }
    this.#busy = false;
    this.#error = undefined;
    this.#written += bytes;
    if (this.#written >= batch.bytes.length && this.#queue[0] === batch) this.#done(batch);
    if (this.#next !== undefined && this.#written === 0) this.#move();
    else this.#advance();
  }

  #done(batch: Batch): void {
    this.#queue.shift();
    if (batch.buffer.length === BATCH_BYTES) this.#spare = batch.buffer;
    this.#queuedBytes -= batch.bytes.length;
    this.#written = 0;
    if (this.#queue.length === 0) this.#caughtUp();
  }

  #failed(error: NodeJS.ErrnoException): void {
    const full = error.code === 'EAGAIN';
    this.#error = error;
    if (!full) this.#drop(0);
    this.#stopPause = this.#deps.clock.every(full ? FULL_PAUSE_MS : ERROR_PAUSE_MS, () => {
      this.#stopPause?.();
      this.#stopPause = undefined;
      this.#busy = false;
      if (this.#next === undefined) this.#advance();
      else this.#move();
    });
    if (this.#next !== undefined) this.#move();
  }

  #move(): void {
    const next = this.#next;
    if (next === undefined) return;
    this.#next = undefined;
    this.#stopPause?.();
    this.#stopPause = undefined;
    this.#error = undefined;
    this.#busy = false;
    this.#skipBrokenLine();
    const old = this.#fd;
    this.#fd = next.fd;
    next.old(old);
    this.#advance();
  }

  /** The start of a line is in the old file: the rest of it makes no line in the new one. */
  #skipBrokenLine(): void {
    const batch = this.#queue[0];
    if (batch === undefined || this.#written === 0) return;
    if (batch.bytes[this.#written - 1] === NEWLINE) return;
    const end = batch.bytes.indexOf(NEWLINE, this.#written) + 1;
    this.dropped += 1;
    this.#written = end === 0 ? batch.bytes.length : end;
    if (this.#written === batch.bytes.length) this.#done(batch);
  }

  #drop(lines: number): void {
    this.dropped += lines;
    if (this.#behind || this.#closed) return;
    this.#behind = true;
    const { clock, log, name } = this.#deps;
    const nowMs = clock.now();
    this.#complained = nowMs - this.#complainedMs >= QUIET_MS;
    if (!this.#complained) return;
    this.#complainedMs = nowMs;
    const why = this.#error?.code ?? 'they come faster than they can be written';
    log('warn', `${name}: lines are lost (${why}); requests are not affected`);
  }

  #caughtUp(): void {
    if (!this.#behind) return;
    this.#behind = false;
    const { log, name } = this.#deps;
    if (this.#complained) log('info', `${name}: lines are written again; lost so far: ${this.dropped}`);
  }
}

const NEWLINE = 0x0a;
