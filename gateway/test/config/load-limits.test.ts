import assert from 'node:assert/strict';
import { test } from 'node:test';
import { complaints, load, planOf } from './loading.ts';
import { REST, withService } from './problem-table.ts';

test('a file past 5 MiB is refused before it is read', () => {
  assert.deepEqual(complaints(load(`${REST}#${'x'.repeat(5 * 1024 ** 2)}`)), [
    '1:1: the file is larger than 5 MiB',
  ]);
});

test('ten thousand routes over a thousand services load', () => {
  const services = Array.from(
    { length: 1000 },
    (_, index) => `  s${index}: { backends: [http://h${index}:1] }\n`,
  );
  const routes = Array.from(
    { length: 10_000 },
    (_, index) => `  - { path: /r${index}, service: s${index % 1000} }\n`,
  );
  const plan = planOf(`services:\n${services.join('')}routes:\n${routes.join('')}`);
  assert.equal(plan.routes.length, 10_000);
});

test('aliases that unfold to a billion nodes are refused', () => {
  const lines = ['x-0: &a0 [x, x, x, x, x, x, x, x, x]'];
  for (let level = 1; level < 10; level++) {
    const alias = `*a${level - 1}`;
    lines.push(`x-${level}: &a${level} [${Array(9).fill(alias).join(', ')}]`);
  }
  const loaded = load(`${lines.join('\n')}\n${REST}`);
  assert.ok(!loaded.ok);
  assert.ok(complaints(loaded).some((line) => line.endsWith('the aliases of this file unfold to too much')));
});

test('an alias gives what its anchor holds', () => {
  const plan = planOf(`x-pool: &pool { maxConnections: 3 }\n${withService('pool: *pool')}`);
  assert.equal(plan.services[0]?.pool.maxConnections, 3);
});

test('a file nested too deeply is refused', () => {
  const loaded = load(`x-a: ${'['.repeat(100)}${']'.repeat(100)}\n${REST}`);
  assert.deepEqual(complaints(loaded), ['1:70: nested too deeply']);
  assert.ok(!load(`x-a: ${'['.repeat(20_000)}`).ok);
});

test('of a thousand and more problems the first thousand are kept, and the rest counted', () => {
  const loaded = load(`${REST}${Array.from({ length: 1500 }, (_, index) => `k${index}: 1\n`).join('')}`);
  assert.ok(!loaded.ok);
  assert.equal(loaded.problems.length, 1001);
  assert.equal(loaded.problems.at(-1)?.message, 'and 500 more problems');
});
