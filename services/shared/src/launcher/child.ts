import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface ChildOptions {
  /** Path of the program's main file. */
  readonly entry: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Gets every line the program writes to stdout or stderr. */
  readonly onLine: (line: string, from: 'stdout' | 'stderr') => void;
}

export interface ChildExit {
  /** Null when a signal ended it. */
  readonly code: number | null;
  /** `exited with code 1`, `was ended by SIGKILL`. */
  readonly how: string;
}

/**
 * A Node program that ends with us: it has an IPC channel, which the kernel closes even when we are killed, and
 * is expected to stop when that happens ('disconnect').
 */
export class Child {
  /** Never rejects: a program that cannot be started has exited with code 1. */
  readonly exited: Promise<ChildExit>;
  readonly #process: ChildProcess;

  constructor({ entry, args, env, onLine }: ChildOptions) {
    const stdio = ['ignore', 'pipe', 'pipe', 'ipc'] as const;
    // this very Node, which is the pinned one, whatever the PATH says
    const child = spawn(process.execPath, [entry, ...args], { env: { ...env }, stdio: [...stdio] });
    this.#process = child;
    for (const from of ['stdout', 'stderr'] as const) {
      const stream = child[from];
      if (stream !== null) createInterface({ input: stream }).on('line', (line) => onLine(line, from));
    }
    this.exited = new Promise((resolve) => {
      child.once('error', (error) => resolve({ code: 1, how: `could not be started: ${error.message}` }));
      // 'close', not 'exit': by then its last lines have been read
      child.once('close', (code, signal) => {
        resolve({ code, how: signal === null ? `exited with code ${code}` : `was ended by ${signal}` });
      });
    });
  }

  /** Asks with SIGTERM, insists with SIGKILL after `deadlineMs`; resolves when it is gone. False when it had to insist. */
  async stop(deadlineMs: number): Promise<boolean> {
    let gentle = true;
    const timer = setTimeout(() => {
      gentle = false;
      this.kill();
    }, deadlineMs);
    this.#process.kill('SIGTERM');
    await this.exited;
    clearTimeout(timer);
    return gentle;
  }

  /** At once, with SIGKILL. */
  kill(): void {
    this.#process.kill('SIGKILL');
  }
}
