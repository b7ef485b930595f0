import { close, constants, open, openSync } from 'node:fs';
import { LineWriter, type LineWriterDeps } from './line-writer.ts';

/** At the end whoever else appends; and not waiting for a named pipe that nobody reads. */
const FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;
/** It holds addresses of people. */
const MODE = 0o640;

/** A file that lines are appended to, and that may be moved away under it. */
export class LogFile {
  readonly path: string;
  readonly lines: LineWriter;
  readonly #deps: LineWriterDeps;

  /** @throws Error when it cannot be opened */
  constructor(path: string, deps: LineWriterDeps) {
    this.path = path;
    this.#deps = deps;
    this.lines = new LineWriter(openFile(path, deps.name), deps);
  }

  /** Opens the path anew, so that the file that was moved away can be packed. A failure leaves all as it is. */
  reopen(): void {
    open(this.path, FLAGS, MODE, (error, fd) => {
      if (error === null) this.lines.moveTo(fd, closeQuietly);
      else
        this.#deps.log('error', `${this.#deps.name}: ${whyNot(this.path, error)}; the old file stays in use`);
    });
  }

  async close(): Promise<void> {
    const fd = await this.lines.close();
    if (fd !== undefined) closeQuietly(fd);
  }
}

function openFile(path: string, name: string): number {
  try {
    return openSync(path, FLAGS, MODE);
  } catch (error) {
    throw new Error(`${name}: ${whyNot(path, error)}`);
  }
}

function whyNot(path: string, error: unknown): string {
  return `cannot open ${path} (${(error as NodeJS.ErrnoException).code ?? String(error)})`;
}

function closeQuietly(fd: number): void {
  close(fd, () => {});
}
