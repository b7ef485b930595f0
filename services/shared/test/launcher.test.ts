import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freeDemoPorts, json, Program, temporaryFolder, until } from './support.ts';

const LAUNCH = fileURLToPath(new URL('fixtures/launch.ts', import.meta.url));
/** Free ports for all, and a folder for temporary files of the test's own. */
async function environment(t: TestContext) {
  const temporary = temporaryFolder(t);
  const env: Record<string, string> = { TMPDIR: temporary, ...(await freeDemoPorts()) };
  const urlOf = (variable: string) => `http://127.0.0.1:${env[variable]}`;
  return { env, temporary, urlOf };
}

/** A launcher whose demo runs, and the process ids of all it has started. */
async function running(t: TestContext, more: Record<string, string> = {}) {
  const { env, temporary, urlOf } = await environment(t);
  const program = new Program(t, [LAUNCH], { ...env, ...more });
  await program.line(/^Ctrl-C stops everything/);
  await program.line(/^portway: pid/);
  return { program, temporary, urlOf };
}

function childrenOf(program: Program): number[] {
  return program.lines.flatMap((line) => {
    const pid = /pid ([0-9]+)$/.exec(line)?.[1];
    return pid === undefined ? [] : [Number(pid)];
  });
}

/** A zombie has ended, though nobody may have asked for its exit code: a container's first process often does not. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return process.platform !== 'linux';
  }
}

test('each port in use gets one line with its purpose and what to set, and nothing is started', async (t) => {
  const { env } = await environment(t);
  for (const variable of ['PORTWAY_PORT', 'PORTWAY_ADMIN_PORT', 'DB_PORT_2']) {
    const holder = createServer().listen({ host: '127.0.0.1', port: Number(env[variable]) });
    await once(holder, 'listening');
    t.after(() => holder.close());
  }
  const program = new Program(t, [LAUNCH], env);
  assert.equal(await program.ended, 1);
  assert.deepEqual(program.lines, [
    `port ${env['PORTWAY_PORT']} is in use: it is for the gateway; set PORTWAY_PORT to another`,
    `port ${env['PORTWAY_ADMIN_PORT']} is in use: it is for the admin API; set PORTWAY_ADMIN_PORT to another`,
    `port ${env['DB_PORT_2']} is in use: it is for the db service 2; set DB_PORT_2 to another`,
  ]);
});

test('the demo runs, brings a crashed instance back, and SIGTERM ends the gateway first and then the rest', async (t) => {
  const { program, temporary, urlOf } = await running(t);
  assert.ok(program.lines.includes(`  try:   curl -i ${urlOf('PORTWAY_PORT')}/db/items`));
  assert.ok(program.lines.includes(`  admin: ${urlOf('PORTWAY_ADMIN_PORT')}/api/v1/status`));
  await fetch(`${urlOf('DB_PORT_1')}/items`, json('POST', { name: 'bolt' }));
  const seen = await (await fetch(`${urlOf('DB_PORT_3')}/items`)).json();
  assert.equal((seen as { total: number }).total, 1);
  await fetch(`${urlOf('FILES_PORT_1')}/a.txt`, { method: 'PUT', body: 'hello' });
  assert.equal(await (await fetch(`${urlOf('FILES_PORT_2')}/a.txt`)).text(), 'hello');

  await fetch(`${urlOf('WEB_PORT')}/knobs/crash`, { method: 'POST' });
  await program.line(/^web-[0-9]+ exited with code 1; starting it again in 1 s$/);
  const isBack = () => program.lines.filter((line) => /\[web-.*listening on/.test(line)).length === 2;
  await until(isBack);
  assert.equal((await fetch(urlOf('WEB_PORT'))).status, 200);

  const children = childrenOf(program);
  assert.equal(children.length, 10);
  program.process.kill('SIGTERM');
  assert.equal(await program.ended, 0);
  assert.ok(program.lines.includes('portway: a service answered 200 during the drain'));
  assert.deepEqual(children.filter(isAlive), []);
  assert.deepEqual(readdirSync(temporary), []);
});

test('no process and no file outlives a launcher that is killed', async (t) => {
  const { program, temporary } = await running(t);
  const children = childrenOf(program);
  assert.equal(children.length, 9);
  program.process.kill('SIGKILL');
  assert.equal(await program.ended, 'SIGKILL');
  await until(() => !children.some(isAlive));
  assert.deepEqual(readdirSync(temporary), []);
});

test('a gateway that ends on its own ends everything with its code', async (t) => {
  const { program, temporary, urlOf } = await running(t, { ONLY: 'web' });
  await fetch(`${urlOf('PORTWAY_PORT')}/exit/7`);
  assert.equal(await program.ended, 7);
  assert.ok(program.lines.includes('the gateway exited with code 7; stopping the services'));
  assert.deepEqual(childrenOf(program).filter(isAlive), []);
  assert.deepEqual(readdirSync(temporary), []);
});

test('a second Ctrl-C kills what does not stop', async (t) => {
  const { program, temporary } = await running(t, { STUBBORN: '1', ONLY: 'web' });
  program.process.kill('SIGINT');
  await program.line(/^portway: draining$/);
  let over = false;
  const ended = program.ended.finally(() => {
    over = true;
  });
  // again and again, since those right after the first count as the first
  while (!over) {
    program.process.kill('SIGINT');
    await Promise.race([ended, delay(100)]);
  }
  assert.equal(await ended, 0);
  assert.deepEqual(childrenOf(program).filter(isAlive), []);
  assert.deepEqual(readdirSync(temporary), []);
});

test('a launcher stopped while it starts leaves nothing behind; so does the end of its own parent', async (t) => {
  const { env, temporary } = await environment(t);
  const program = new Program(t, [LAUNCH], { ...env, ONLY: 'db' }, 'ipc');
  await program.line(/listening on/);
  program.process.disconnect();
  assert.equal(await program.ended, 0);
  assert.deepEqual(childrenOf(program).filter(isAlive), []);
  assert.deepEqual(readdirSync(temporary), []);
});
