import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { json, started, stillOptions } from '../../shared/test/support.ts';
import { buildDbApp } from '../src/db-app.ts';
import type { Item } from '../src/item-store.ts';

function startDb(t: TestContext): Promise<string> {
  return started(t, buildDbApp({ ...stillOptions(), file: ':memory:' }));
}

async function create(url: string, name: string): Promise<Item> {
  return (await (await fetch(`${url}/items`, json('POST', { name }))).json()) as Item;
}

test('an item is created, read, replaced and deleted', async (t) => {
  const url = await startDb(t);
  const created = await fetch(`${url}/items`, json('POST', { name: 'bolt', quantity: 7 }));
  assert.equal(created.status, 201);
  const at = '2023-11-14T22:13:20.000Z';
  const item = { id: 1, name: 'bolt', quantity: 7, version: 1, createdAt: at, updatedAt: at };
  assert.deepEqual(await created.json(), item);

  const replaced = await fetch(`${url}/items/1`, json('PUT', { name: 'nut' }));
  assert.equal(replaced.status, 200);
  assert.deepEqual(await replaced.json(), { ...item, name: 'nut', quantity: 0, version: 2 });
  const read = await fetch(`${url}/items/1`);
  assert.deepEqual(await read.json(), { ...item, name: 'nut', quantity: 0, version: 2 });

  const deleted = await fetch(`${url}/items/1`, {
    method: 'DELETE',
    headers: { 'content-type': 'application/json' },
  });
  assert.equal(deleted.status, 204);
  for (const options of [{}, json('PUT', { name: 'nut' }), { method: 'DELETE' }]) {
    assert.equal((await fetch(`${url}/items/1`, options)).status, 404);
  }
});

test('Location is relative, so it holds under the prefix of a gateway', async (t) => {
  const url = await startDb(t);
  const location =
    (await fetch(`${url}/items`, json('POST', { name: 'bolt' }))).headers.get('location') ?? '';
  assert.equal(new URL(location, `${url}/items`).href, `${url}/items/1`);
  assert.equal(new URL(location, 'http://gateway/db/items').href, 'http://gateway/db/items/1');
});

test('bad items, ids and pages are refused with what is wrong', async (t) => {
  const url = await startDb(t);
  const cases: [string, RequestInit, RegExp][] = [
    ['/items', json('POST', {}), /required property 'name'/],
    ['/items', json('POST', { name: '' }), /name must NOT have fewer/],
    ['/items', json('POST', { name: '  ' }), /name must match pattern/],
    ['/items', json('POST', { name: 'x'.repeat(201) }), /name must NOT have more/],
    ['/items', json('POST', { name: 'x', quantity: '7' }), /quantity must be integer/],
    ['/items', json('POST', { name: 'x', quantity: -1 }), /quantity must be >= 0/],
    ['/items', json('POST', { name: 'x', id: 9 }), /unknown key 'id'/],
    ['/items', { method: 'POST' }, /must be object/],
    ['/items/0', {}, /id must match pattern/],
    ['/items/1e3', {}, /id must match pattern/],
    ['/items?limit=101', {}, /limit must match pattern/],
    ['/items?limit=1&limit=2', {}, /limit must be string/],
    ['/items?offset=1', {}, /unknown key 'offset'/],
  ];
  for (const [path, options, message] of cases) {
    const response = await fetch(`${url}${path}`, options);
    const answer = (await response.json()) as { message: string };
    assert.equal(response.status, 400, `${path} ${String(options.body)}`);
    assert.match(answer.message, message);
  }
});

test('pages follow each other without a gap when items go in between', async (t) => {
  const url = await startDb(t);
  for (const name of ['a', 'b', 'c', 'd', 'e']) await create(url, name);
  const page = async (query: string) =>
    (await (await fetch(`${url}/items?${query}`)).json()) as {
      items: Item[];
      total: number;
      next: number | null;
    };
  const first = await page('limit=2');
  assert.deepEqual([first.items.map(({ name }) => name), first.total, first.next], [['a', 'b'], 5, 2]);
  await fetch(`${url}/items/1`, { method: 'DELETE' });
  const second = await page(`limit=2&after=${first.next}`);
  assert.deepEqual([second.items.map(({ name }) => name), second.next], [['c', 'd'], 4]);
  const last = await page(`limit=2&after=${second.next}`);
  assert.deepEqual([last.items.map(({ name }) => name), last.total, last.next], [['e'], 4, null]);
});

test('If-Match lets a change through only while the item is as it was read', async (t) => {
  const url = await startDb(t);
  await create(url, 'bolt');
  const tag = (await fetch(`${url}/items/1`)).headers.get('etag') ?? '';
  const change = (ifMatch: string) =>
    fetch(`${url}/items/1`, json('PUT', { name: 'nut' }, { 'if-match': ifMatch }));
  const changed = await change(tag);
  assert.equal(changed.status, 200);
  const newTag = changed.headers.get('etag') ?? '';
  assert.notEqual(newTag, tag);
  for (const stale of [tag, `W/${newTag}`, '"2-2"', 'x']) {
    const refused = await change(stale);
    assert.equal(refused.status, 412, stale);
    assert.equal(refused.headers.get('etag'), newTag);
  }
  assert.equal((await change('*')).status, 200);
  const remove = (ifMatch: string) =>
    fetch(`${url}/items/1`, { method: 'DELETE', headers: { 'if-match': ifMatch } });
  assert.equal((await remove(newTag)).status, 412);
  assert.equal((await remove('"1-3"')).status, 204);
});

test('If-None-Match answers 304 without a body to who has the item already', async (t) => {
  const url = await startDb(t);
  await create(url, 'bolt');
  const tag = (await fetch(`${url}/items/1`)).headers.get('etag') ?? '';
  const read = (ifNoneMatch: string) =>
    fetch(`${url}/items/1`, { headers: { 'if-none-match': ifNoneMatch } });
  for (const known of [tag, `W/${tag}`, `"other", ${tag}`, '*'])
    assert.equal((await read(known)).status, 304, known);
  assert.equal((await read('"other"')).status, 200);
});
