import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

export interface GatewayProcess {
  readonly child: ChildProcess;
  readonly port: number;
  /** What it has printed so far. */
  readonly stdout: string;
  readonly stderr: string;
  /** Its exit code, or the signal that ended it. */
  readonly exited: Promise<number | string>;
}

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** A config with one listener and one service, in a folder that goes with the test. */
function writeConfig(t: TestContext, port: number, backendPort: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'portway-config-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'portway.yaml');
  const lines = [
    'listeners:',
    `  - address: 127.0.0.1:${port}`,
    'admin: false',
    'services:',
    '  web:',
    // the raw backends of these tests count their connections
    '    health: false',
    '    backends:',
    `      - http://127.0.0.1:${backendPort}`,
    'routes:',
    '  - path: /',
    '    service: web',
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}

/**
 * Runs `portway start` as a process of its own, which ends with the test; resolves when it listens or has ended.
 * @param wrapper a command to run it under, e.g. `prlimit`, with its arguments
 */
export async function startProcess(
  t: TestContext,
  backendPort: number,
  { port = 0, wrapper = [] }: { readonly port?: number; readonly wrapper?: readonly string[] } = {},
): Promise<GatewayProcess> {
  const [command, ...args] = [
    ...wrapper,
    process.execPath,
    MAIN,
    'start',
    '--config',
    writeConfig(t, port, backendPort),
  ];
  const child = spawn(command ?? '', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => void child.kill('SIGKILL'));
  const output = { stdout: '', stderr: '' };
  const exited = new Promise<number | string>((resolve) => {
    child.on('exit', (code, signal) => resolve(code ?? signal ?? ''));
  });
  const listening = new Promise<void>((resolve) => {
    child.stdout.on('data', (bytes) => {
      output.stdout += bytes;
      if (output.stdout.includes('\n')) resolve();
    });
    child.stderr.on('data', (bytes) => {
      output.stderr += bytes;
    });
    child.on('close', () => resolve());
  });
  await listening;
  const listeningOn = Number(/listening on http:\/\/[^\s]*:(\d+)/.exec(output.stdout)?.[1] ?? 0);
  return Object.assign(output, { child, port: listeningOn, exited });
}
