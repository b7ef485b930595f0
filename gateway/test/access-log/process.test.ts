import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { eventually } from '../relay/gateway-in-test.ts';
import { type GatewayProcess, runGateway } from '../restarts/process.ts';
import { RawBackend } from '../support/raw-backend.ts';
import { exchangeRaw } from '../support/raw-client.ts';
import { OK } from '../support/stage.ts';
import { entriesOf, request, scratch } from './logged-gateway.ts';

interface Running {
  readonly gateway: GatewayProcess;
  readonly ask: (target: string) => Promise<string>;
  readonly configWith: (keys: object) => object;
}

/** `portway start` with these keys in its config, before one backend. */
async function start(t: TestContext, keys: object): Promise<Running> {
  const backend = await RawBackend.answering(OK);
  t.after(() => backend.stop());
  const configWith = (more: object): object => ({
    listeners: [{ address: '127.0.0.1:0' }],
    admin: false,
    services: { web: { health: false, backends: [`http://127.0.0.1:${backend.port}`] } },
    routes: [{ path: '/', service: 'web' }],
    ...more,
  });
  const gateway = runGateway(t, configWith(keys));
  await gateway.until((one) => one.port > 0 || one.stderr !== '');
  const port = gateway.port;
  return { gateway, ask: (target) => exchangeRaw(port, request(target)), configWith };
}

test('as JSON, all that a gateway says goes to stdout with the access log, each a line of its own', async (t) => {
  const { gateway, ask } = await start(t, { log: { format: 'json' }, accessLog: { headers: ['x-a'] } });
  await Promise.all(['/1', '/2', '/3'].map(ask));
  gateway.child.kill('SIGHUP');
  await gateway.says('nothing changed');
  gateway.child.kill('SIGTERM');
  assert.equal(await gateway.exited, 0);
  const entries = entriesOf(gateway.stdout);
  const said = entries.filter(({ log }) => log !== 'access');
  assert.deepEqual(
    entries
      .filter(({ log }) => log === 'access')
      .map(({ path }) => path)
      .sort(),
    ['/1', '/2', '/3'],
  );
  for (const entry of said) assert.deepEqual(Object.keys(entry), ['level', 'time', 'msg']);
  assert.deepEqual(
    said.map(({ level, msg }) => `${level} ${String(msg).replace(/\d+$/, '0')}`),
    ['info listening on http://127.0.0.1:0', 'info config: nothing changed'],
  );
});

test('as text, lines below the level are not said, until a reload asks for them', async (t) => {
  const path = join(scratch(t), 'access.log');
  const config = (level: string): object => ({
    listeners: [{ address: '127.0.0.1:0' }],
    admin: false,
    log: { level },
    accessLog: { path },
    services: { web: { health: false, backends: ['http://127.0.0.1:1'] } },
    routes: [{ path: '/', service: 'web' }],
  });
  const gateway = runGateway(t, config('warn'));
  // it says nothing, but opens its log
  await eventually(() => existsSync(path));
  gateway.replaceConfig(config('info'));
  gateway.child.kill('SIGHUP');
  await gateway.says('config: reloaded');
  gateway.child.kill('SIGTERM');
  assert.equal(await gateway.exited, 0);
  assert.ok(!gateway.stdout.includes('listening on'), gateway.stdout);
});

test('SIGUSR2 and SIGHUP open the access log anew, and no request is missing from the files', async (t) => {
  const file = join(scratch(t), 'access.log');
  const { gateway, ask } = await start(t, { accessLog: { path: file } });
  for (const [index, signal] of (['SIGUSR2', 'SIGHUP'] as const).entries()) {
    for (let i = 0; i < 20; i++) await ask(`/${signal}/${i}`);
    renameSync(file, `${file}.${index}`);
    gateway.child.kill(signal);
    await eventually(() => existsSync(file));
  }
  await ask('/last');
  gateway.child.kill('SIGTERM');
  assert.equal(await gateway.exited, 0);
  const paths = ['.0', '.1', ''].map((end) =>
    entriesOf(readFileSync(file + end, 'utf8')).map(({ path }) => path),
  );
  assert.equal(new Set(paths.flat()).size, 41);
  assert.ok(paths[0]?.includes('/SIGUSR2/0') && paths[2]?.at(-1) === '/last');
});

test('a reload switches the log on, moves it and switches it off', async (t) => {
  const folder = scratch(t);
  const { gateway, ask, configWith } = await start(t, {});
  const reload = async (keys: object): Promise<void> => {
    const told = gateway.says('config: reloaded');
    writeFileSync(gateway.configFile, JSON.stringify(configWith(keys)));
    gateway.child.kill('SIGHUP');
    await told;
  };
  const pathsIn = (name: string) =>
    entriesOf(readFileSync(join(folder, name), 'utf8')).map(({ path }) => path);
  await ask('/before');
  await reload({ accessLog: { path: join(folder, 'a') } });
  await ask('/in-a');
  await reload({ accessLog: { path: join(folder, 'b') } });
  await ask('/in-b');
  await reload({});
  await ask('/after');
  gateway.child.kill('SIGTERM');
  assert.equal(await gateway.exited, 0);
  assert.deepEqual([pathsIn('a'), pathsIn('b')], [['/in-a'], ['/in-b']]);
});

test('a file that cannot be opened keeps a gateway from starting, and not from going on', async (t) => {
  const bad = { accessLog: { path: join(scratch(t), 'none', 'access.log') } };
  const refused = await start(t, bad);
  assert.equal(await refused.gateway.exited, 1);
  assert.match(refused.gateway.stderr, /access log: cannot open \S+ \(ENOENT\)/);
  const { gateway, ask, configWith } = await start(t, {});
  const told = gateway.says('access log: cannot open');
  writeFileSync(gateway.configFile, JSON.stringify(configWith(bad)));
  gateway.child.kill('SIGHUP');
  await told;
  assert.match(await ask('/'), /^HTTP\/1\.1 200 /);
});

test('a log that nobody reads costs no request, and does not keep the gateway from ending', async (t) => {
  const pipe = join(scratch(t), 'pipe');
  execFileSync('mkfifo', [pipe]);
  // both ends are held here, and nothing is read
  const { openSync, closeSync, constants } = await import('node:fs');
  const end = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
  t.after(() => closeSync(end));
  const { gateway, ask } = await start(t, { accessLog: { path: pipe, headers: ['x-filler'] } });
  for (let i = 0; i < 300; i++) assert.match(await ask(`/${'p'.repeat(2_000)}`), /^HTTP\/1\.1 200 /);
  const stopped = Date.now();
  gateway.child.kill('SIGTERM');
  assert.equal(await gateway.exited, 0);
  assert.ok(Date.now() - stopped < 5_000);
});
