import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { DEMO_PORTS, freeDemoPorts } from '../../services/shared/test/support.ts';

const ROOT = join(import.meta.dirname, '..', '..');

class Npm {
  readonly child: ChildProcess;
  output = '';

  constructor(env: Record<string, string>) {
    this.child = spawn('npm', ['start'], { cwd: ROOT, env: { ...process.env, ...env }, detached: true });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on('data', (bytes) => {
        this.output += String(bytes);
        this.child.emit('portway-output');
      });
    }
  }

  async says(part: string): Promise<void> {
    const exited = once(this.child, 'exit').then(() => 'exit');
    while (!this.output.includes(part)) {
      const event = await Promise.race([once(this.child, 'portway-output'), exited]);
      if (event === 'exit') throw new Error(`npm start ended: ${this.output}`);
    }
  }

  /** Waits until every process that holds the output's pipes has ended. */
  ended(): Promise<unknown> {
    return once(this.child, 'close');
  }
}

test('npm start serves the demo through the gateway, and SIGTERM to npm leaves nothing behind', async (t) => {
  const ports = await freeDemoPorts();
  const npm = new Npm(ports);
  t.after(() => npm.child.exitCode ?? npm.child.kill('SIGTERM'));
  await npm.says('Ctrl-C stops everything');
  const adminUrl = `http://127.0.0.1:${ports['PORTWAY_ADMIN_PORT']}`;
  await npm.says(`portway: admin API at ${adminUrl}`);
  assert.ok(npm.output.includes(`  admin: ${adminUrl}/api/v1/status`));
  const status = await fetch(`${adminUrl}/api/v1/status`);
  assert.equal(status.status, 200);
  assert.match(await status.text(), /"name": ?"db"/);
  const base = `http://127.0.0.1:${ports['PORTWAY_PORT']}`;
  const created = await fetch(`${base}/db/items`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'a cup' }),
  });
  assert.equal(created.status, 201);
  const listed = await fetch(`${base}/db/items`);
  assert.equal(listed.status, 200);
  assert.match(await listed.text(), /a cup/);
  assert.match(listed.headers.get('x-instance') ?? '', /^db-/);
  const socket = new WebSocket(`ws://127.0.0.1:${ports['PORTWAY_PORT']}/chat/ws?room=r&name=n`);
  const [welcome] = (await once(socket, 'message')) as [MessageEvent];
  assert.match(String(welcome.data), /welcome/);
  // an open tunnel would keep the gateway draining for its 25 s
  const closed = once(socket, 'close');
  socket.close();
  await closed;
  const ended = npm.ended();
  npm.child.kill('SIGTERM');
  await ended;
  await assert.rejects(fetch(`${base}/`));
  await assert.rejects(fetch(`${adminUrl}/livez`));
  for (const name of DEMO_PORTS) {
    const server = createServer().listen(Number(ports[name]), '127.0.0.1');
    await once(server, 'listening');
    server.close();
  }
});
