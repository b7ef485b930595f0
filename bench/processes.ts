import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const STOP_PATIENCE_MS = 5000;
const TAIL_LINES = 8;

/** One started process; its output goes to a file, so that reading it costs the measured core nothing. */
export interface Running {
  readonly name: string;
  readonly pid: number;
  /** Resolves when it has ended, however it did. */
  readonly exited: Promise<void>;
  ended(): boolean;
  /** The last lines it printed. */
  tail(): string;
  /** All it printed so far. */
  output(): string;
}

/** Whether a program is on the PATH. */
export function hasProgram(name: string): boolean {
  return spawnSync(name, ['--version'], { stdio: 'ignore', timeout: 5000 }).error === undefined;
}

/** The command pinned to a core, where there are at least two (on one core pinning changes nothing). */
export function pinned(core: number, command: readonly string[]): readonly string[] {
  if (availableParallelism() < 2 || !hasProgram('taskset')) return command;
  return ['taskset', '-c', String(core), ...command];
}

/** A free TCP port on loopback. Another process may take it before we do; then that peer's start fails and says so. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (address === null || typeof address === 'string') reject(new Error('no port'));
        else resolve(address.port);
      });
    });
  });
}

/** Several free ports, all different. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await freePort());
  return [...ports];
}

/** What has been started and must be ended, whatever happens. */
export class Processes {
  readonly #running = new Map<number, { readonly child: ChildProcess; readonly exited: Promise<void> }>();
  readonly #folder: string;
  readonly #wrapper: readonly string[];
  #count = 0;
  #closing = false;

  /** `folder` takes the output files and must exist. */
  constructor(folder: string) {
    this.#folder = folder;
    // so that they end with us even when we are killed and can end nobody
    this.#wrapper = hasProgram('setpriv') ? ['setpriv', '--pdeathsig', 'TERM', '--'] : [];
  }

  /** Whether the end has begun: nothing more is started. */
  get closing(): boolean {
    return this.#closing;
  }

  /** Starts a command. Throws when it cannot be run at all, or when the end has begun. */
  async start(
    name: string,
    command: readonly string[],
    env: NodeJS.ProcessEnv = process.env,
  ): Promise<Running> {
    if (this.#closing) throw new Error(`${name}: not started, we are leaving`);
    const [program = '', ...args] = [...this.#wrapper, ...command];
    const log = join(this.#folder, `${this.#count++}-${name}.log`);
    const file = openSync(log, 'w');
    const child = spawn(program, args, { stdio: ['ignore', file, file], env });
    closeSync(file);
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (error) => reject(new Error(`${name}: cannot run ${program}: ${error.message}`)));
    });
    const pid = child.pid ?? 0;
    this.#running.set(pid, { child, exited });
    void exited.then(() => this.#running.delete(pid));
    const output = (): string => readFileSync(log, 'utf8');
    return {
      name,
      pid,
      exited,
      ended: () => child.exitCode !== null || child.signalCode !== null,
      output,
      tail: () => output().trimEnd().split('\n').slice(-TAIL_LINES).join('\n'),
    };
  }

  /** Asks it to end, then makes it; resolves when it has ended. */
  async stop(running: Running): Promise<void> {
    const entry = this.#running.get(running.pid);
    if (entry === undefined) return;
    entry.child.kill('SIGTERM');
    const patience = new AbortController();
    const late = sleep(STOP_PATIENCE_MS, 'late', { signal: patience.signal }).catch(() => 'stopped');
    if ((await Promise.race([entry.exited, late])) === 'late') entry.child.kill('SIGKILL');
    patience.abort();
    await entry.exited;
  }

  /** Ends it without asking, as a crash would; resolves when it has ended. */
  async kill(running: Running): Promise<void> {
    const entry = this.#running.get(running.pid);
    entry?.child.kill('SIGKILL');
    await entry?.exited;
  }

  /** Kills all that still run, at once. For the way out only: nginx's worker sees its master go and follows. */
  killAll(): void {
    for (const { child } of this.#running.values()) child.kill('SIGTERM');
  }

  /** Ends all that still run, and starts nothing more. */
  async close(): Promise<void> {
    this.#closing = true;
    const waiting: Promise<void>[] = [];
    for (const { child, exited } of this.#running.values()) {
      child.kill('SIGTERM');
      const force = setTimeout(() => child.kill('SIGKILL'), STOP_PATIENCE_MS);
      waiting.push(exited.then(() => clearTimeout(force)));
    }
    await Promise.all(waiting);
  }
}
