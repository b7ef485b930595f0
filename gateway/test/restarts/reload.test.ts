import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventually } from '../relay/gateway-in-test.ts';
import { exchangeRaw, RawClient } from '../support/raw-client.ts';
import { Load } from './load.ts';
import { ProbedBackend } from './probed-backend.ts';
import { type GatewayProcess, runGateway } from './process.ts';

const LAST_GET = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

function configOf(
  backends: readonly (string | object)[],
  service: object = {},
  routes: object[] = [],
): object {
  return {
    listeners: [{ address: '127.0.0.1:0' }],
    admin: { address: '127.0.0.1:0' },
    services: { web: { health: { path: '/health' }, backends, ...service } },
    routes: [...routes, { path: '/', service: 'web' }],
  };
}

async function reload(gateway: GatewayProcess, config: object): Promise<void> {
  // whichever comes first: the signal, or the look at the file that comes each second
  const reloaded = gateway.says('config: reloaded (');
  gateway.replaceConfig(config);
  gateway.child.kill('SIGHUP');
  await reloaded;
}

/** What `portway check` prints. */
function check(file: string): Promise<string> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, 'check', file], (_error, stdout) => resolve(stdout));
  });
}

test('SIGHUP puts the file in force and prints what changed, line by line', async (t) => {
  const [one, two] = [await ProbedBackend.start(t, 'one'), await ProbedBackend.start(t, 'two')];
  const gateway = runGateway(t, configOf([one.url]));
  await gateway.until(() => gateway.adminUrl !== '');
  assert.match(await exchangeRaw(gateway.port, LAST_GET), /one$/);
  await reload(gateway, configOf([two.url], { balance: 'round-robin' }, [{ path: '/x', service: 'web' }]));
  await gateway.until(() => gateway.stdout.includes('+ route /x'));
  assert.match(gateway.stdout, /config: reloaded \(SIGHUP\): 4 changes\n/);
  assert.match(gateway.stdout, /config: ~ service web: balance: .*round-robin/);
  assert.ok(gateway.stdout.includes(`config: - backend web 127.0.0.1:${one.port}\n`));
  assert.ok(gateway.stdout.includes(`config: + backend web 127.0.0.1:${two.port}\n`));
  assert.match(await exchangeRaw(gateway.port, LAST_GET), /two$/);
  assert.equal(gateway.stderr, '');
});

test('a file put in the place of the old one is noticed without any signal', async (t) => {
  const [one, two] = [await ProbedBackend.start(t, 'one'), await ProbedBackend.start(t, 'two')];
  const gateway = runGateway(t, configOf([one.url]));
  await gateway.until(() => gateway.adminUrl !== '');
  gateway.replaceConfig(configOf([two.url]));
  await gateway.says('config: reloaded (file): 2 changes');
  assert.match(await exchangeRaw(gateway.port, LAST_GET), /two$/);
});

test('a bad file changes nothing: its problems are printed as by check, and the end is as ever', async (t) => {
  const one = await ProbedBackend.start(t, 'one');
  const gateway = runGateway(t, configOf([one.url]));
  await gateway.until(() => gateway.adminUrl !== '');
  gateway.replaceConfig('services:\n  web:\n    backend:\n      - http://127.0.0.1:1\nroutes: 7\n');
  gateway.child.kill('SIGHUP');
  await gateway.until(() => gateway.stderr.includes('not reloaded'));
  const problems = (await check(gateway.configFile)).trim().split('\n');
  assert.ok(problems.length > 1);
  for (const problem of problems) assert.ok(gateway.stderr.includes(`${problem}\n`), problem);
  assert.match(await exchangeRaw(gateway.port, LAST_GET), /one$/);
  gateway.child.kill('SIGTERM');
  assert.equal(await gateway.exited, 0);
});

test('a file that is gone changes nothing', async (t) => {
  const one = await ProbedBackend.start(t, 'one');
  const gateway = runGateway(t, configOf([one.url]));
  await gateway.until(() => gateway.adminUrl !== '');
  const answer = await fetch(`${gateway.adminUrl}/api/v1/reload`, { method: 'POST' });
  assert.deepEqual(await answer.json(), { changes: [] });
  gateway.replaceConfig('');
  const { unlink } = await import('node:fs/promises');
  await unlink(gateway.configFile);
  gateway.child.kill('SIGHUP');
  await gateway.until(() => gateway.stderr.includes('not reloaded'));
  assert.match(gateway.stderr, /cannot (be )?read/);
  assert.match(await exchangeRaw(gateway.port, LAST_GET), /one$/);
});

test('fifty reloads under load, each with other routes, weights, backends and pools, cost no request', async (t) => {
  const backends = await Promise.all(['one', 'two', 'three'].map((name) => ProbedBackend.start(t, name)));
  const gateway = runGateway(t, configOf(backends.map(({ url }) => url)));
  await gateway.until(() => gateway.adminUrl !== '');
  const load = new Load(gateway.port, 16);
  await load.more(200);
  for (let round = 1; round <= 50; round++) {
    // each in turn is alone, or left out
    const chosen = backends.filter((_, index) => (round % 2 === 0) === (index === round % 3));
    const weighted = chosen.map(({ url }, index) => ({ url, weight: 1 + ((round + index) % 5) }));
    const service = {
      pool: { maxConnections: 2 + (round % 20) },
      balance: ['p2c', 'round-robin', 'least-pending'][round % 3],
    };
    await reload(gateway, configOf(weighted, service, [{ path: `/round/${round}`, service: 'web' }]));
    await load.more(20);
  }
  const { byStatus, total } = await load.stop();
  assert.deepEqual(byStatus, new Map([[200, total]]));
  assert.equal(gateway.stderr, '');
});

test('all backends of a service are replaced at once under load: the new ones are probed before, and no request fails', async (t) => {
  const old = await Promise.all(['a', 'b'].map((name) => ProbedBackend.start(t, name)));
  const [slow, dead] = [await ProbedBackend.start(t, 'slow', 'held'), await ProbedBackend.start(t, 'dead')];
  await dead.stop();
  const gateway = runGateway(t, configOf(old.map(({ url }) => url)));
  await gateway.until(() => gateway.adminUrl !== '');
  const load = new Load(gateway.port, 8);
  await load.more(100);
  const reloaded = reload(gateway, configOf([slow.url, dead.url]));
  await eventually(() => slow.probes > 0);
  await load.more(100);
  // not one before its probe has been answered
  assert.deepEqual(slow.requests, []);
  slow.release(200);
  await reloaded;
  await load.more(100);
  const { byStatus, total } = await load.stop();
  assert.deepEqual(byStatus, new Map([[200, total]]));
  assert.ok(slow.requests.length >= 90);
});

test('a new backend whose probe hangs holds a reload up for three seconds at most', async (t) => {
  const [one, hanging] = [
    await ProbedBackend.start(t, 'one'),
    await ProbedBackend.start(t, 'hanging', 'held'),
  ];
  const health = { path: '/health', interval: '60s', timeout: '50s' };
  const gateway = runGateway(t, configOf([one.url], { health }));
  await gateway.until(() => gateway.adminUrl !== '');
  await reload(gateway, configOf([one.url, hanging.url], { health }));
  assert.match(await exchangeRaw(gateway.port, LAST_GET), /one$/);
  assert.equal(hanging.probes, 1);
  assert.deepEqual(hanging.requests, []);
});

test('a download under way when everything is replaced ends as it began', async (t) => {
  const [old, next] = [await ProbedBackend.start(t, 'old'), await ProbedBackend.start(t, 'next')];
  let finish = (): void => {};
  old.answer = (response) => {
    response.write('begun ');
    finish = () => response.end('and ended');
  };
  const gateway = runGateway(t, configOf([old.url]));
  await gateway.until(() => gateway.adminUrl !== '');
  const client = await RawClient.open(gateway.port);
  t.after(() => client.socket.destroy());
  client.send(LAST_GET);
  await client.contains('begun ');
  await reload(gateway, configOf([next.url], { pool: { maxConnections: 1 } }));
  assert.match(await exchangeRaw(gateway.port, LAST_GET), /next$/);
  finish();
  assert.match(await client.end(), /and ended\r\n0\r\n\r\n$/);
});
