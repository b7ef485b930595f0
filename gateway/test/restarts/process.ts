import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** `portway start` as a process of its own, which ends with the test. */
export class GatewayProcess {
  readonly child: ChildProcess;
  readonly configFile: string;
  /** What it has printed so far. */
  stdout = '';
  stderr = '';
  /** Its exit code, or the signal that ended it. */
  readonly exited: Promise<number | string>;
  #hasEnded = false;

  constructor(child: ChildProcess, configFile: string) {
    this.child = child;
    this.configFile = configFile;
    this.exited = once(child, 'close').then(([code, signal]: (number | string)[]) => {
      this.#hasEnded = true;
      return code ?? signal ?? '';
    });
    child.stdout?.on('data', (bytes) => {
      this.stdout += bytes;
      child.emit('portway-output');
    });
    child.stderr?.on('data', (bytes) => {
      this.stderr += bytes;
      child.emit('portway-output');
    });
  }

  /** Of its first listener; 0 while it has none. */
  get port(): number {
    return Number(/listening on https?:\/\/[^\s]*:(\d+)/.exec(this.stdout)?.[1] ?? 0);
  }

  get adminUrl(): string {
    return /admin API at (\S+)/.exec(this.stdout)?.[1] ?? '';
  }

  /** Waits until `holds`, looking again whenever it has printed something; returns when it has ended too. */
  async until(holds: (process: GatewayProcess) => boolean): Promise<void> {
    while (!holds(this) && !this.#hasEnded)
      await Promise.race([once(this.child, 'portway-output'), this.exited]);
  }

  /** Waits until it has printed `text` once more than when this was called; rejects when it ends without. */
  async says(text: string, times = 1): Promise<void> {
    const count = (): number => (this.stdout + this.stderr).split(text).length - 1;
    const until = count() + times;
    await this.until(() => count() >= until);
    if (count() < until) throw new Error(`it ended without ${text}:\n${this.stdout}${this.stderr}`);
  }

  /** Puts another config in the file's place, as editors and deployments do. */
  replaceConfig(config: object | string): void {
    const next = `${this.configFile}.next`;
    writeFileSync(next, typeof config === 'string' ? config : JSON.stringify(config, undefined, 2));
    renameSync(next, this.configFile);
  }
}

export interface RunOptions {
  /** A command to run it under, e.g. `prlimit`, with its arguments. */
  readonly wrapper?: readonly string[];
}

/** Starts it with a config in a folder that goes with the test; does not wait for anything. */
export function runGateway(
  t: TestContext,
  config: object,
  { wrapper = [] }: RunOptions = {},
): GatewayProcess {
  const folder = mkdtempSync(join(tmpdir(), 'portway-config-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'portway.yaml');
  writeFileSync(file, JSON.stringify(config, undefined, 2));
  const [command, ...args] = [...wrapper, process.execPath, MAIN, 'start', '--config', file];
  const child = spawn(command ?? '', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => void child.kill('SIGKILL'));
  return new GatewayProcess(child, file);
}

/** A gateway before one backend, without an admin port; resolves when it listens or has ended. */
export async function startProcess(
  t: TestContext,
  backendPort: number,
  { port = 0, ...options }: RunOptions & { readonly port?: number } = {},
): Promise<GatewayProcess> {
  const config = {
    listeners: [{ address: `127.0.0.1:${port}` }],
    admin: false,
    // the raw backends of these tests count their connections
    services: { web: { health: false, backends: [`http://127.0.0.1:${backendPort}`] } },
    routes: [{ path: '/', service: 'web' }],
  };
  const gateway = runGateway(t, config, options);
  await gateway.until(() => gateway.port > 0);
  return gateway;
}
