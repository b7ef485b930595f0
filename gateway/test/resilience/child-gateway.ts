import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { FleetStatus } from '../../src/control/state/fleet.ts';
import type { BackendStatus, DataStatus } from '../../src/data/port.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const LOOK_EVERY_MS = 20;
/** Whatever is waited for comes well before that, or never. */
const PATIENCE_MS = 20_000;

export type GatewayStatus = DataStatus & { readonly gateway: { readonly redis?: FleetStatus } };

/** `portway start` in a process of its own, which ends with the test. */
export class ChildGateway {
  readonly #child: ChildProcess;
  readonly #configFile: string;
  readonly port: number;
  readonly #adminUrl: string;
  /** What it printed, with the time at which it came. */
  readonly lines: readonly string[];

  private constructor(child: ChildProcess, configFile: string, lines: readonly string[]) {
    this.#child = child;
    this.#configFile = configFile;
    this.lines = lines;
    const printed = lines.join('\n');
    this.port = Number(/listening on http:\/\/[^\s]*:(\d+)/.exec(printed)?.[1]);
    this.#adminUrl = /admin API at (\S+)/.exec(printed)?.[1] ?? '';
  }

  /** @param config as YAML, of which JSON is a part. Resolves when it listens. */
  static async start(t: TestContext, config: object): Promise<ChildGateway> {
    const folder = mkdtempSync(join(tmpdir(), 'portway-config-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'portway.yaml');
    writeConfig(file, config);
    // it stops when the IPC channel closes, and so with a test that is killed itself
    const child = spawn(process.execPath, [MAIN, 'start', '--config', file], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    t.after(() => void child.kill('SIGKILL'));
    const lines: string[] = [];
    await started(child, lines);
    return new ChildGateway(child, file, lines);
  }

  async status(): Promise<GatewayStatus> {
    const response = await fetch(`${this.#adminUrl}/api/v1/status`);
    return (await response.json()) as GatewayStatus;
  }

  async post(path: string): Promise<void> {
    const response = await fetch(`${this.#adminUrl}/api/v1/${path}`, { method: 'POST' });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path} was answered ${response.status}: ${text}`);
  }

  /** Resolves when the new config is in force. */
  async reload(config: object): Promise<void> {
    writeConfig(this.#configFile, config);
    await this.post('reload');
  }

  /** Asks for its status again and again until `holds`. */
  async until(what: string, holds: (status: GatewayStatus) => boolean): Promise<GatewayStatus> {
    const giveUpMs = performance.now() + PATIENCE_MS;
    for (;;) {
      const status = await this.status();
      if (holds(status)) return status;
      if (performance.now() > giveUpMs)
        throw new Error(`${what}: not so after ${PATIENCE_MS} ms\n${JSON.stringify(status)}\n${this.tail()}`);
      await delay(LOOK_EVERY_MS);
    }
  }

  /** Until a backend of its first service is as asked for. */
  async untilBackend(name: string, what: string, holds: (backend: BackendStatus) => boolean): Promise<void> {
    await this.until(`${name} is ${what}`, ({ services }) => {
      const backend = services[0]?.backends.find((candidate) => candidate.name === name);
      return backend !== undefined && holds(backend);
    });
  }

  async untilIn(name: string): Promise<void> {
    await this.untilBackend(name, 'eligible', ({ eligible }) => eligible);
  }

  async untilOut(name: string): Promise<void> {
    await this.untilBackend(name, 'not eligible', ({ eligible }) => !eligible);
  }

  async kill(): Promise<void> {
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exit;
  }

  /** The last it printed, for a failed test. */
  tail(): string {
    return this.lines.slice(-60).join('\n');
  }
}

function writeConfig(file: string, config: object): void {
  writeFileSync(file, JSON.stringify(config, undefined, 2));
}

/** Collects what it prints; resolves when it has printed where its admin API is, the last of its beginning. */
function started(child: ChildProcess, lines: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      let rest = '';
      stream?.setEncoding('utf8').on('data', (text: string) => {
        const parts = (rest + text).split('\n');
        rest = parts.pop() ?? '';
        for (const part of parts) lines.push(`${new Date().toISOString()} ${part}`);
        if (lines.some((line) => line.includes('admin API at'))) resolve();
      });
    }
    child.on('close', () => reject(new Error(`the gateway ended:\n${lines.join('\n')}`)));
  });
}
