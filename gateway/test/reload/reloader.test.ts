import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { LoadedConfig } from '../../src/control/config/load.ts';
import { Reloader, type ReloaderDeps } from '../../src/control/reload/reloader.ts';
import type { Plan } from '../../src/data/plan.ts';
import { planChanges } from '../../src/data/plan-changes.ts';
import { load } from '../config/loading.ts';

const text = (port: number, rest = ''): string => `
services:
  db:
    backends: [http://127.0.0.1:${port}]
routes:
  - { path: /, service: db }
${rest}`;

function good(source: string): Extract<LoadedConfig, { readonly ok: true }> {
  const loaded = load(source);
  assert.ok(loaded.ok);
  return loaded;
}

/** A reloader whose config is what `load` says, over a data plane that takes every plan. */
function reloaderOf(source: string, deps: Pick<ReloaderDeps, 'load'> & Partial<ReloaderDeps>) {
  const before = good(source);
  const said: string[] = [];
  const applied: Plan[] = [];
  const reloader = new Reloader({
    before,
    apply: async (plan) => {
      const changes = planChanges(applied.at(-1) ?? before.plan, plan);
      applied.push(plan);
      return changes;
    },
    log: (level, message) => said.push(`${level} ${message}`),
    ...deps,
  });
  return { reloader, said, applied };
}

suite('a reload', () => {
  test('puts the new plan in force, says what changed and returns it', async () => {
    const { reloader, said, applied } = reloaderOf(text(3001), { load: () => load(text(3002)) });
    const result = await reloader.reload('SIGHUP');
    assert.deepEqual(result, {
      ok: true,
      changes: [
        { what: 'backend', name: 'db 127.0.0.1:3001', change: 'removed', detail: '' },
        { what: 'backend', name: 'db 127.0.0.1:3002', change: 'added', detail: '' },
      ],
    });
    assert.deepEqual(said, [
      'info config: reloaded (SIGHUP): 2 changes',
      'info config: - backend db 127.0.0.1:3001',
      'info config: + backend db 127.0.0.1:3002',
    ]);
    assert.equal(reloader.inForce.plan, applied[0]);
    assert.deepEqual(reloader.last, { cause: 'SIGHUP', result });
    assert.deepEqual(reloader.counts, { succeeded: 1, failed: 0, unchanged: 0 });
  });

  test('of the same config says that nothing changed', async () => {
    const { reloader, said } = reloaderOf(text(3001), {
      load: () => load(`# said otherwise\n${text(3001)}`),
    });
    assert.deepEqual(await reloader.reload('file'), { ok: true, changes: [] });
    assert.deepEqual(said, ['info config: nothing changed']);
    assert.deepEqual(reloader.counts, { succeeded: 0, failed: 0, unchanged: 1 });
  });

  test('of a bad config changes nothing and says all its problems as check prints them', async () => {
    const bad = text(3002, 'x-note: fine\nrouts: []\nlisteners:\n  - { address: "nowhere" }\n');
    const { reloader, said, applied } = reloaderOf(text(3001), { load: () => load(bad) });
    const before = reloader.inForce;
    const result = await reloader.reload('api');
    assert.ok(!result.ok);
    assert.equal(result.problems.length, 2);
    for (const problem of result.problems) assert.match(problem, /^\/etc\/portway\/gw\.yaml:\d+:\d+: /);
    assert.deepEqual(said, [
      ...result.problems.map((problem) => `error ${problem}`),
      'error config: not reloaded (api): the one in force stays',
    ]);
    assert.deepEqual(applied, []);
    assert.equal(reloader.inForce, before);
    assert.deepEqual(reloader.counts, { succeeded: 0, failed: 1, unchanged: 0 });
  });

  test('says the warnings of a good config', async () => {
    const unused = text(3001).replace('  db:', '  unused: { backends: ["http://127.0.0.1:3009"] }\n  db:');
    const { reloader, said } = reloaderOf(text(3001), { load: () => load(unused) });
    assert.ok((await reloader.reload('SIGHUP')).ok);
    assert.equal(said.filter((line) => /^warn .*gw\.yaml:\d+:\d+: warning: .*unused/.test(line)).length, 1);
  });

  test('whose file cannot be read fails', async () => {
    const { reloader, applied } = reloaderOf(text(3001), {
      load: () => {
        throw new Error("ENOENT: no such file or directory, open 'gw.yaml'");
      },
    });
    assert.deepEqual(await reloader.reload('SIGHUP'), {
      ok: false,
      problems: ["config: cannot be read: ENOENT: no such file or directory, open 'gw.yaml'"],
    });
    assert.deepEqual(applied, []);
  });

  test('whose address is taken fails and says which, and the next one is none the worse', async () => {
    const taken = Object.assign(new Error('listen EADDRINUSE'), {
      code: 'EADDRINUSE',
      address: '::1',
      port: 8080,
    });
    const answers = [() => Promise.reject(taken), () => Promise.resolve([])];
    const { reloader, said } = reloaderOf(text(3001), {
      load: () => load(text(3002)),
      apply: () => answers.shift()?.() ?? assert.fail('a third'),
    });
    const before = reloader.inForce;
    const problem =
      'config: [::1]:8080 is in use: end what listens there, or set another address under listeners';
    assert.deepEqual(await reloader.reload('file'), { ok: false, problems: [problem] });
    assert.deepEqual(said, [`error ${problem}`, 'error config: not reloaded (file): the one in force stays']);
    assert.equal(reloader.inForce, before);
    assert.ok((await reloader.reload('file')).ok);
    assert.deepEqual(reloader.counts, { succeeded: 0, failed: 1, unchanged: 1 });
  });

  test('tells of each one that went well, also without changes, and of no other', async () => {
    const sources = [text(3001), 'nonsense', text(3002)];
    const heard: Plan[] = [];
    const { reloader, applied } = reloaderOf(text(3001), {
      load: () => load(sources.shift() ?? ''),
      onApplied: ({ plan }) => heard.push(plan),
    });
    for (let time = 0; time < 3; time++) await reloader.reload('file');
    assert.deepEqual(heard, applied);
    assert.equal(heard.length, 2);
  });

  test('names at most a thousand changes in the log, and returns all', async () => {
    const changes = Array.from({ length: 1_500 }, (_, index) => ({
      what: 'route' as const,
      name: `/${index}`,
      change: 'added' as const,
      detail: '',
    }));
    const { reloader, said } = reloaderOf(text(3001), {
      load: () => load(text(3001)),
      apply: async () => changes,
    });
    assert.deepEqual(await reloader.reload('api'), { ok: true, changes });
    assert.equal(said.length, 1_002);
    assert.equal(said.at(-1), 'info config: and 500 more');
  });
});

suite('settings of the control plane', () => {
  const withSettings = (token: string, drain: string): string =>
    text(
      3001,
      `admin: { address: "127.0.0.1:0", token: ${token} }\nredis: { url: "redis://:${token}@127.0.0.1:6379" }\ndrain: { timeout: ${drain} }\n`,
    );

  test('are named without their values, and hold from the next start; drain at once', async () => {
    const { reloader, said } = reloaderOf(withSettings('hunter2', '5s'), {
      load: () => load(withSettings('hunter3', '9s')),
      apply: async () => [],
    });
    await reloader.reload('SIGHUP');
    assert.deepEqual(said, [
      'info config: reloaded (SIGHUP): 3 changes',
      'info config: ~ setting admin: takes effect at the next start',
      'info config: ~ setting redis: takes effect at the next start',
      'info config: ~ setting drain: takes effect at once',
    ]);
    assert.doesNotMatch(JSON.stringify(reloader.last), /hunter/);
    assert.equal(reloader.inForce.control.drain.timeoutMs, 9_000);
    assert.equal(reloader.inForce.control.admin?.token, 'hunter2');
  });

  test('are named as long as the file says other than what holds', async () => {
    const sources = [withSettings('other', '5s'), withSettings('other', '5s'), withSettings('first', '5s')];
    const { reloader } = reloaderOf(withSettings('first', '5s'), {
      load: () => load(sources.shift() ?? ''),
      apply: async () => [],
    });
    const counts: number[] = [];
    for (let time = 0; time < 3; time++) {
      const result = await reloader.reload('file');
      counts.push(result.ok ? result.changes.length : -1);
    }
    assert.deepEqual(counts, [2, 2, 0]);
  });
});

suite('reloads that overlap', () => {
  test('run one at a time, and calls during one share the next, which reads afresh', async () => {
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    let loads = 0;
    let underWay = 0;
    const { reloader } = reloaderOf(text(3000), {
      load: () => load(text(3001 + loads++)),
      apply: async () => {
        underWay += 1;
        assert.equal(underWay, 1);
        await gate;
        underWay -= 1;
        return [];
      },
    });
    const first = reloader.reload('SIGHUP');
    const shared = [reloader.reload('file'), reloader.reload('api'), reloader.reload('SIGHUP')];
    assert.equal(new Set(shared).size, 1);
    assert.notEqual(shared[0], first);
    assert.equal(loads, 1, 'the next has not read yet');
    open();
    await first;
    assert.equal(loads, 2, 'the shared one has read');
    await Promise.all([...shared, reloader.reload('api')]);
    assert.equal(loads, 3, 'so who calls now gets one more');
    assert.equal(reloader.last?.cause, 'api');
  });

  test('never run two at once, whenever the calls come', async () => {
    let underWay = 0;
    let runs = 0;
    const { reloader } = reloaderOf(text(3000), {
      load: () => load(text(3001)),
      apply: async () => {
        underWay += 1;
        runs += 1;
        assert.equal(underWay, 1);
        for (let turn = 0; turn < runs % 4; turn++) await null;
        underWay -= 1;
        return [];
      },
    });
    const calls: Promise<unknown>[] = [];
    for (let turn = 0; turn < 200; turn++) {
      calls.push(reloader.reload('api'));
      for (let wait = 0; wait < turn % 5; wait++) await null;
    }
    const results = await Promise.all(calls);
    assert.ok(results.length === 200 && runs > 1 && runs < 200, `${runs} runs`);
    assert.equal(reloader.counts.unchanged, runs);
  });
});
