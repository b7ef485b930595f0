import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { json, Program, temporaryFolder, until } from './support.ts';

const MAIN = fileURLToPath(new URL('../../db/src/main.ts', import.meta.url));

async function startDb(t: TestContext, env: Record<string, string> = {}, ipc: 'ipc' | 'ignore' = 'ignore') {
  const program = new Program(t, [MAIN], { PORT: '0', ...env }, ipc);
  const line = await program.line(/listening on/);
  return { program, url: /http:[^,]+/.exec(line)?.[0] ?? '' };
}

/** A request under way: its head is sent, its body is not. */
async function halfRequest(url: string) {
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port) });
  await once(socket, 'connect');
  let received = '';
  socket.on('data', (chunk) => {
    received += chunk;
  });
  const body = '{"name":"bolt"}';
  socket.write(
    `POST /items HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nexpect: 100-continue\r\n\r\n`,
  );
  // the service's 100 says that the request has begun
  await until(() => received.includes('100 Continue'));
  return { socket, finish: () => socket.write(body), received: () => received };
}

/** Whether somebody still takes connections there. */
function accepts(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect({ host: '127.0.0.1', port: Number(new URL(url).port) });
    probe.once('error', () => resolve(false));
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
  });
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} lets the request in flight finish, takes no other, and exits with 0`, async (t) => {
    const { program, url } = await startDb(t);
    const { socket, finish, received } = await halfRequest(url);
    const ended = once(socket, 'end');
    program.process.kill(signal);
    while (await accepts(url));
    finish();
    await ended;
    assert.match(received(), /201 Created[\s\S]*connection: close/i);
    assert.equal(await program.ended, 0);
  });
}

test('idle keep-alive connections do not hold up the end', async (t) => {
  const { program, url } = await startDb(t);
  await (await fetch(`${url}/health`)).text();
  program.process.kill('SIGTERM');
  assert.equal(await program.ended, 0);
});

test('crash ends the process with 1, after its answer', async (t) => {
  const { program, url } = await startDb(t);
  assert.equal((await fetch(`${url}/knobs/crash`, json('POST', {}))).status, 202);
  assert.equal(await program.ended, 1);
});

test('under a parent with IPC, SIGINT is left to the parent and its end stops the service', async (t) => {
  const folder = join(temporaryFolder(t), 'demo');
  mkdirSync(folder);
  const env = { DB_FILE: join(folder, 'items.sqlite'), PORTWAY_DEMO_FOLDER: folder };
  const { program, url } = await startDb(t, env, 'ipc');
  program.process.kill('SIGINT');
  assert.equal((await fetch(`${url}/items`, json('POST', { name: 'bolt' }))).status, 201);
  program.process.disconnect();
  assert.equal(await program.ended, 0);
  assert.equal(existsSync(folder), false);
});

test('a parent that is gone before the service has loaded stops it too', async (t) => {
  // web reads files before it listens for the end of its parent; a disconnect in that time must not be lost
  const program = new Program(t, [MAIN.replace('/db/', '/web/')], { PORT: '0' }, 'ipc');
  program.process.disconnect();
  assert.notEqual(await program.ended, null);
});

test('a port in use or no port at all ends it with one line and 1', async (t) => {
  const holder = createServer().listen({ host: '127.0.0.1', port: 0 });
  await once(holder, 'listening');
  t.after(() => holder.close());
  const { port } = holder.address() as AddressInfo;
  for (const [env, message] of [
    [{ PORT: String(port) }, /EADDRINUSE/],
    [{ PORT: '70000' }, /PORT must be 0 to 65535, not '70000'/],
  ] as const) {
    const program = new Program(t, [MAIN], env);
    assert.equal(await program.ended, 1);
    assert.equal(program.lines.length, 1);
    assert.match(program.lines[0] ?? '', message);
  }
});
