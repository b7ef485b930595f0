import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { freeDemoPorts } from '../../../services/shared/test/support.ts';

const ENTRY = join(import.meta.dirname, '..', '..', '..', 'services', 'shared', 'src', 'start.ts');

export interface RunningDemo {
  /** The ports it was moved to, by the variables that the load tests read too. */
  readonly env: Readonly<Record<string, string>>;
  /** What it printed so far. */
  readonly output: () => string;
}

/** The whole demo on free ports, ended with the test. */
export async function startDemo(t: TestContext): Promise<RunningDemo> {
  const env = await freeDemoPorts();
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
