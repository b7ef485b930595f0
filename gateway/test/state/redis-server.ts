import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { freePort } from '../restarts/free-port.ts';

const PROGRAM = 'redis-server';
const HOW_TO_INSTALL =
  `these tests need ${PROGRAM} on the PATH, and it is not there; install it with ` +
  '`apt-get install redis-server`, `apk add redis` or `brew install redis`';

export interface RedisServerOptions {
  /** A config file, before all arguments. */
  readonly config?: string;
  /** Further arguments, e.g. `['--requirepass', 'secret']`. */
  readonly args?: readonly string[];
  /** Undefined: a free one. */
  readonly port?: number;
  /** Whether what it holds survives `restart`; otherwise it comes back empty. */
  readonly persistent?: boolean;
}

/** A redis-server of its own, on this machine only, with its files in a folder of its own; both end with the test. */
export class RedisServer {
  readonly port: number;
  readonly folder: string;
  readonly #options: RedisServerOptions;
  #process: ChildProcess | undefined;
  /** What it printed since it last started. */
  output = '';
  readonly #onExit = (): void => {
    this.#process?.kill('SIGKILL');
  };

  private constructor(port: number, folder: string, options: RedisServerOptions) {
    this.port = port;
    this.folder = folder;
    this.#options = options;
  }

  /** Resolves once it takes connections. */
  static async start(t: TestContext, options: RedisServerOptions = {}): Promise<RedisServer> {
    const folder = await mkdtemp(join(tmpdir(), 'portway-redis-'));
    const server = new RedisServer(options.port ?? (await freePort()), folder, options);
    process.once('exit', server.#onExit);
    t.after(async () => {
      process.removeListener('exit', server.#onExit);
      await server.kill();
      await rm(folder, { recursive: true, force: true });
    });
    await server.#run();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Ends it in its own way. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  /** kill -9. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** It hangs: connections are taken by the system, nothing is answered. */
  pause(): void {
    this.#process?.kill('SIGSTOP');
  }

  resume(): void {
    this.#process?.kill('SIGCONT');
  }

  /** Starts it again on the same port, after killing it if need be. */
  async restart(): Promise<void> {
    await this.kill();
    await this.#run();
  }

  async #run(): Promise<void> {
    const keeps = this.#options.persistent === true;
    const own = [
      '--port',
      String(this.port),
      '--bind',
      '127.0.0.1',
      '--dir',
      this.folder,
      '--daemonize',
      'no',
    ];
    const files = ['--save', '', '--appendonly', keeps ? 'yes' : 'no', '--appendfsync', 'always'];
    const config = this.#options.config === undefined ? [] : [this.#options.config];
    const isSentinel = this.#options.args?.includes('--sentinel') === true;
    const child = spawn(
      PROGRAM,
      [...config, ...own, ...(isSentinel ? [] : files), ...(this.#options.args ?? [])],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    this.#process = child;
    this.output = '';
    const failed = once(child, 'error').then(([error]: NodeJS.ErrnoException[]) => {
      throw error?.code === 'ENOENT' ? new Error(HOW_TO_INSTALL) : error;
    });
    const exited = once(child, 'exit').then(() => {
      throw new Error(`${PROGRAM} ended before it was ready:\n${this.output}`);
    });
    exited.catch(() => {});
    failed.catch(() => {});
    await Promise.race([this.#ready(child), failed, exited]);
  }

  async #ready(child: ChildProcess): Promise<void> {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output = (this.output + text).slice(-100_000);
      });
    }
    while (!/Ready to accept connections|Sentinel ID is/.test(this.output)) {
      if (child.stdout === null) return;
      await once(child.stdout, 'data');
    }
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (
      child === undefined ||
      child.pid === undefined ||
      child.exitCode !== null ||
      child.signalCode !== null
    )
      return;
    const exit = once(child, 'exit');
    child.kill('SIGCONT');
    child.kill(signal);
    await exit;
  }
}
