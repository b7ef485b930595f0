import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Command, Message } from './backend-main.ts';
import type { Ledger } from './ledger.ts';

const MAIN = fileURLToPath(new URL('backend-main.ts', import.meta.url));

export interface Probe {
  readonly by: string;
  readonly atMs: number;
}

/** A backend in a process of its own, which ends with the test. */
export class ChildBackend {
  readonly #t: TestContext;
  readonly #ledger: Ledger;
  readonly #delayMs: number;
  #child: ChildProcess | undefined;
  #guard: ChildProcess | undefined;
  port = 0;
  /** Who asked for its health, and when, in the time of `performance.now()`. */
  readonly probes: Probe[] = [];

  private constructor(t: TestContext, ledger: Ledger, delayMs: number) {
    this.#t = t;
    this.#ledger = ledger;
    this.#delayMs = delayMs;
  }

  /** @param delayMs how long it takes to answer */
  static async start(t: TestContext, ledger: Ledger, delayMs = 0): Promise<ChildBackend> {
    const backend = new ChildBackend(t, ledger, delayMs);
    await backend.run();
    t.after(() => {
      backend.resume();
      backend.#child?.kill('SIGKILL');
    });
    return backend;
  }

  /** How gateways call it. */
  get name(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Starts it, on the port it had before. */
  async run(): Promise<void> {
    const args = [String(this.port), this.#ledger.file, String(this.#delayMs)];
    const child = fork(MAIN, args, { execArgv: [] });
    this.#child = child;
    child.on('message', (message: Message) => {
      if (message.kind === 'listening') this.port = message.port;
      else if (message.kind === 'probed') this.probes.push({ by: message.by, atMs: performance.now() });
    });
    await once(child, 'message', { signal: this.#t.signal });
  }

  /** kill -9. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** In its own way: it finishes its requests. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  /** It hangs: the system takes connections for it, nothing is answered. */
  pause(): void {
    const { pid } = this.#running();
    // a test that is killed itself resumes it, so that it sees that and ends
    this.#guard = spawn('sh', ['-c', `read _; kill -CONT ${pid}`], { stdio: ['pipe', 'ignore', 'ignore'] });
    this.#running().kill('SIGSTOP');
  }

  resume(): void {
    this.#guard?.stdin?.end();
    this.#guard = undefined;
    this.#child?.kill('SIGCONT');
  }

  /** Resolves when it has done so. */
  async tell(command: Command): Promise<void> {
    const child = this.#running();
    const done = new Promise<void>((resolve) => {
      const look = (message: Message): void => {
        if (message.kind !== 'done' || message.command !== command) return;
        child.off('message', look);
        resolve();
      };
      child.on('message', look);
    });
    child.send(command);
    await done;
  }

  #running(): ChildProcess {
    if (this.#child === undefined) throw new Error(`the backend at ${this.port} does not run`);
    return this.#child;
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#running();
    this.#child = undefined;
    const exit = once(child, 'exit', { signal: this.#t.signal });
    child.kill(signal);
    await exit;
  }
}
