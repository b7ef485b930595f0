import type { ChildProcess, StdioOptions } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { ServiceOptions } from '../src/service.ts';

/** Options with time and dice held still; `sleep` fails, so a test that waits for it has to bring its own. */
export function stillOptions(changes: Partial<ServiceOptions> = {}): ServiceOptions {
  return {
    now: () => 1_700_000_000_000,
    random: () => 0.5,
    sleep: () => Promise.reject(new Error('no test asked for a delay')),
    exit: undefined,
    instance: undefined,
    ...changes,
  };
}

/** Listens on a free port until the test ends; the base URL, without a slash at its end. */
export async function started(t: TestContext, app: FastifyInstance): Promise<string> {
  t.after(() => app.close());
  return app.listen({ host: '127.0.0.1', port: 0 });
}

/** A temporary folder that goes with the test. */
export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'portway-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

/** Far beyond what anything takes here, so that only a failure meets it. */
const GIVE_UP_AFTER_MS = 60_000;

/** For what no event tells: resolves when `holds` does. */
export async function until(holds: () => boolean): Promise<void> {
  const start = performance.now();
  while (!holds()) {
    if (performance.now() - start > GIVE_UP_AFTER_MS) throw new Error(`never held: ${holds}`);
    await delay(5);
  }
}

/** The options of a JSON request. */
export function json(method: string, body: unknown, headers: Record<string, string> = {}): RequestInit {
  return { method, body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } };
}

/** A Node program under test: its lines, and the event of its end. Killed when the test ends. */
export class Program {
  readonly process: ChildProcess;
  readonly lines: string[] = [];
  /** The exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  readonly #watchers = new Set<() => void>();

  constructor(
    t: TestContext,
    args: readonly string[],
    env: Record<string, string>,
    ipc: 'ipc' | 'ignore' = 'ignore',
  ) {
    const stdio: StdioOptions = ['ignore', 'pipe', 'pipe', ipc];
    this.process = spawn(process.execPath, [...args], { env: { PATH: process.env['PATH'], ...env }, stdio });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => {
        this.lines.push(line);
        for (const watcher of this.#watchers) watcher();
      });
    }
    // 'close' does not come after a disconnect() of ours, so its parts are waited for
    const output = [this.process.stdout, this.process.stderr].map(
      (stream) => stream && once(stream, 'close'),
    );
    this.ended = Promise.all([once(this.process, 'exit'), ...output]).then(
      ([[code, signal]]) => code ?? signal,
    );
    t.after(async () => {
      this.process.kill('SIGKILL');
      await this.ended;
    });
  }

  /** The first line that matches, once it is there; rejects when the program ends without it. */
  line(pattern: RegExp): Promise<string> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = this.lines.find((line) => pattern.test(line));
        if (found === undefined) return;
        this.#watchers.delete(look);
        resolve(found);
      };
      this.#watchers.add(look);
      this.ended.then((end) =>
        reject(new Error(`ended (${end}) without ${pattern}:\n${this.lines.join('\n')}`)),
      );
      look();
    });
  }
}

/** The variables that move each of the demo's ports. */
export const DEMO_PORTS = [
  'PORTWAY_PORT',
  'PORTWAY_ADMIN_PORT',
  'WEB_PORT',
  'DB_PORT_1',
  'DB_PORT_2',
  'DB_PORT_3',
  'FILES_PORT_1',
  'FILES_PORT_2',
  'CHAT_PORT_1',
  'CHAT_PORT_2',
] as const;

/** An environment that moves the whole demo to free ports. */
export async function freeDemoPorts(): Promise<Record<string, string>> {
  const ports = await freePorts(DEMO_PORTS.length);
  return Object.fromEntries(DEMO_PORTS.map((variable, index) => [variable, String(ports[index])]));
}

/** `count` ports that are free now and outside the range from which systems take the ports of outgoing connections. */
async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = 12_000 + Math.floor(Math.random() * 18_000);
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: '127.0.0.1', port }, () => server.close(() => resolve(true)));
  });
}
