import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Processes } from './processes.ts';

/** The checkout this benchmark belongs to. */
export const ROOT = join(import.meta.dirname, '..');

/** What outlives a run (profiles, the peers' packages) and, while it runs, its configs. Not committed. */
export const OUT = join(import.meta.dirname, 'out');

/** One run: its processes and its temporary folder. */
export interface Session {
  readonly processes: Processes;
  readonly folder: string;
}

/**
 * Does the work, then ends every process it started and removes its folder, also when it throws or the user
 * presses Ctrl-C. An error is printed as one line and makes the exit code 1.
 */
export async function runSession(name: string, work: (session: Session) => Promise<void>): Promise<void> {
  mkdirSync(OUT, { recursive: true });
  const folder = mkdtempSync(join(OUT, 'run-'));
  const processes = new Processes(folder);
  process.once('exit', () => {
    processes.killAll();
    rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  });
  // the folder can go only when those that write into it have gone
  const leave = (code: number): void => void processes.close().then(() => process.exit(code));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => leave(130));
  // the reader of our output has left (`| head`)
  process.stdout.once('error', () => leave(1));
  try {
    await work({ processes, folder });
  } catch (error) {
    if (!processes.closing)
      process.stderr.write(`${name}: ${error instanceof Error ? error.message : error}\n`);
    process.exitCode = 1;
  } finally {
    await processes.close();
  }
}

/** Prints a line. */
export function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
