import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { json, Program, temporaryFolder } from '../../shared/test/support.ts';
import { ItemStore } from '../src/item-store.ts';

const AT = new Date(0);

test('two stores on one file see each other, and a version is spent once', (t) => {
  const file = join(temporaryFolder(t), 'items.sqlite');
  const [one, two] = [new ItemStore(file), new ItemStore(file)];
  t.after(() => [one, two].map((store) => store.close()));
  const { id } = one.create({ name: 'bolt', quantity: 1 }, AT);
  assert.equal(two.get(id)?.name, 'bolt');
  assert.equal(two.update(id, { name: 'nut', quantity: 1 }, 1, AT).kind, 'done');
  const late = one.update(id, { name: 'screw', quantity: 1 }, 1, AT);
  assert.equal(late.kind, 'stale');
  assert.equal(one.get(id)?.name, 'nut');
});

test('an id is never given twice', (t) => {
  const store = new ItemStore(':memory:');
  t.after(() => store.close());
  const { id } = store.create({ name: 'bolt', quantity: 1 }, AT);
  store.delete(id, undefined);
  assert.equal(store.create({ name: 'bolt', quantity: 1 }, AT).id, id + 1);
});

test('processes that open one new file at the same moment all start, and their writes all last', async (t) => {
  const file = join(temporaryFolder(t), 'items.sqlite');
  const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
  const programs = [0, 1, 2].map(() => new Program(t, [main], { PORT: '0', DB_FILE: file }));
  const lines = await Promise.all(programs.map((program) => program.line(/listening on/)));
  const urls = lines.map((line) => /http:[^,]+/.exec(line)?.[0] ?? '');
  const writes = urls.flatMap((url) =>
    Array.from({ length: 20 }, () => fetch(`${url}/items`, json('POST', { name: 'bolt' }))),
  );
  for (const { status } of await Promise.all(writes)) assert.equal(status, 201);
  for (const url of urls) {
    const { total } = (await (await fetch(`${url}/items`)).json()) as { total: number };
    assert.equal(total, 60);
  }
});
