import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { rename, truncate, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { type LoadedConfig, loadConfig } from '../../src/control/config/load.ts';
import { formatPlanChange } from '../../src/control/reload/format-plan-change.ts';
import { Reloader } from '../../src/control/reload/reloader.ts';
import { watchedFiles } from '../../src/control/reload/watched-files.ts';
import { planChanges } from '../../src/data/plan-changes.ts';
import { TEST_CA } from '../config/test-ca.ts';
import { watching } from './watching.ts';

// The watch, the loader and the reloader put together as the gateway does, with files that really change.

const config = (ports: readonly number[], ca?: string): string => `
services:
  db:
    backends: [${ports.map((port) => `"https://127.0.0.1:${port}"`).join(', ')}]
${ca === undefined ? '' : `    tls: { ca: ${ca} }`}
routes:
  - { path: /db, service: db }
`;

async function running(t: TestContext, text: string, ca?: string) {
  const stage = await watching(t);
  const file = join(stage.folder, 'portway.yaml');
  await writeFile(file, text);
  if (ca !== undefined) await writeFile(join(stage.folder, 'ca.pem'), ca);
  const readFile = (path: string): string => readFileSync(path, 'utf8');
  const load = (): LoadedConfig =>
    loadConfig({ text: readFile(file), file }, { env: {}, readFile, nowMs: Date.now() });
  const before = load();
  assert.ok(before.ok);
  let plan = before.plan;
  await stage.watch.watch(watchedFiles(file, before.config));
  let reloads: Promise<unknown> = Promise.resolve();
  const reloader = new Reloader({
    before,
    load,
    log: () => {},
    apply: async (next) => {
      const changes = planChanges(plan, next);
      plan = next;
      return changes;
    },
    onApplied: (loaded) => {
      reloads = stage.watch.watch(watchedFiles(file, loaded.config));
    },
  });
  /** What the watch tells, it reloads; returns the lines of the last reload, or undefined when there was none. */
  const lookAndReload = async (times: number): Promise<readonly string[] | undefined> => {
    const told = stage.changes();
    await stage.look(times);
    if (stage.changes() === told) return undefined;
    const result = await reloader.reload('file');
    await reloads;
    return result.ok ? result.changes.map(formatPlanChange) : result.problems;
  };
  return { ...stage, file, reloader, lookAndReload };
}

suite('a config file that changes', () => {
  test('becomes the plan, and only what changed in it is named', async (t) => {
    const { file, folder, lookAndReload } = await running(t, config([3001, 3011]));
    await writeFile(join(folder, 'next'), config([3001, 3021]));
    await rename(join(folder, 'next'), file);
    assert.deepEqual(await lookAndReload(2), ['- backend db 127.0.0.1:3011', '+ backend db 127.0.0.1:3021']);
    assert.equal(await lookAndReload(2), undefined);
  });

  test('and is half-written is not read', async (t) => {
    const { file, lookAndReload, reloader } = await running(t, config([3001]));
    const text = config([3001, 3011]);
    await truncate(file);
    assert.equal(await lookAndReload(1), undefined);
    await writeFile(file, text.slice(0, 20));
    assert.equal(await lookAndReload(1), undefined);
    await writeFile(file, text);
    assert.deepEqual(await lookAndReload(2), ['+ backend db 127.0.0.1:3011']);
    assert.deepEqual(reloader.counts, { succeeded: 1, failed: 0, unchanged: 0 });
  });

  test('into nonsense leaves the plan, and what mends it is noticed', async (t) => {
    const { file, lookAndReload, reloader } = await running(t, config([3001]));
    const { plan } = reloader.inForce;
    await writeFile(file, 'services: 7');
    const problems = await lookAndReload(2);
    assert.ok(problems?.every((problem) => problem.startsWith(`${file}:1:`)));
    assert.equal(reloader.inForce.plan, plan);
    await writeFile(file, config([3001]));
    assert.deepEqual(await lookAndReload(2), []);
  });

  test('by going away leaves the plan, until it comes back', async (t) => {
    const { file, lookAndReload } = await running(t, config([3001]));
    await unlink(file);
    assert.equal(await lookAndReload(3), undefined);
    await writeFile(file, config([3011]));
    assert.deepEqual(await lookAndReload(2), ['- backend db 127.0.0.1:3001', '+ backend db 127.0.0.1:3011']);
  });
});

suite('a file that the config names', () => {
  test('is watched with it: renewed authorities are taken up', async (t) => {
    const { folder, lookAndReload } = await running(t, config([3001], 'ca.pem'), TEST_CA);
    await writeFile(join(folder, 'ca.pem'), `${TEST_CA}${TEST_CA}`);
    assert.deepEqual(await lookAndReload(2), ['~ service db: tls.ca changed']);
  });

  test('by a reload is watched from then on', async (t) => {
    const { file, folder, lookAndReload } = await running(t, config([3001]), TEST_CA);
    await writeFile(file, config([3001], 'ca.pem'));
    assert.deepEqual(await lookAndReload(2), ['~ service db: tls.ca added']);
    await writeFile(join(folder, 'ca.pem'), `${TEST_CA}${TEST_CA}`);
    assert.deepEqual(await lookAndReload(2), ['~ service db: tls.ca changed']);
  });

  test('is named relative to it, in defaults too, and each once', (t) => {
    t.plan(1);
    const service = { backends: ['http://127.0.0.1:1'], tls: { ca: 'one.pem' } };
    const files = watchedFiles('/etc/portway/portway.yaml', {
      defaults: { tls: { ca: '/etc/ssl/all.pem' } },
      services: { a: service, b: service, c: { backends: service.backends } },
      routes: [{ path: '/', service: 'a' }],
    });
    t.assert.deepEqual(files, ['/etc/portway/portway.yaml', '/etc/ssl/all.pem', '/etc/portway/one.pem']);
  });
});
