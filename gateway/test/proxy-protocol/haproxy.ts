import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

/** Runs HAProxy with these sections until the test ends; resolves once it takes connections on `ports`. */
export async function startHaproxy(
  t: TestContext,
  ports: readonly number[],
  sections: string,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'portway-haproxy-'));
  const file = join(folder, 'haproxy.cfg');
  await writeFile(file, `${HEAD}${sections}`);
  const haproxy = spawn('haproxy', ['-db', '-f', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  haproxy.stderr.on('data', (bytes) => {
    said += bytes;
  });
  const exited = once(haproxy, 'exit');
  t.after(async () => {
    haproxy.kill('SIGKILL');
    await exited;
    await rm(folder, { recursive: true, force: true });
  });
  for (const port of ports) {
    while (!(await answers(port))) {
      if (haproxy.exitCode !== null) throw new Error(`haproxy ended: ${said}`);
      await delay(5);
    }
  }
}

const HEAD = `global
  nbthread 1
  maxconn 100
defaults
  mode tcp
  timeout connect 5s
  timeout client 30s
  timeout server 30s
`;

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
