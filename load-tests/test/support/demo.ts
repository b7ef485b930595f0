import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

const ENTRY = join(import.meta.dirname, '..', '..', '..', 'services', 'shared', 'src', 'start.ts');
const PORTS = [
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
];

export interface RunningDemo {
  /** The ports it was moved to, by the variables that the load tests read too. */
  readonly env: Readonly<Record<string, string>>;
  /** What it printed so far. */
  readonly output: () => string;
}

/** The whole demo on free ports, ended with the test. */
export async function startDemo(t: TestContext): Promise<RunningDemo> {
  const env = await freePorts();
  // with a channel, so that it ends with us however we end
  const child = spawn(process.execPath, [ENTRY], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (bytes: Buffer) => {
      output += String(bytes);
      child.emit('portway-output');
    });
  t.after(() => stop(child));
  const exited = once(child, 'exit').then(() => 'exit');
  while (!output.includes('Ctrl-C stops everything')) {
    const event = await Promise.race([once(child, 'portway-output'), exited]);
    if (event === 'exit') throw new Error(`the demo ended: ${output}`);
  }
  return { env, output: () => output };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, 'close');
  child.kill('SIGTERM');
  await closed;
}

/** All taken at once, so that they differ. */
async function freePorts(): Promise<Record<string, string>> {
  const servers = PORTS.map(() => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => String((server.address() as { port: number }).port));
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return Object.fromEntries(PORTS.map((name, index) => [name, ports[index] ?? '']));
}
