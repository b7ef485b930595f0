import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adminStage, backendStatus, json } from './admin-stage.ts';
import { assertProblem } from './problem-details.ts';

const at = (backend: string, action: string, service = 'db'): string =>
  `/api/v1/services/${service}/backends/${backend}/${action}`;
const POST = { method: 'POST' } as const;

test('drain, undrain, disable and enable answer the backend after the change, twice the same', async (t) => {
  const { ask, fake } = await adminStage(t);
  for (const [action, state] of [
    ['drain', 'draining'],
    ['undrain', 'enabled'],
    ['disable', 'disabled'],
    ['enable', 'enabled'],
  ] as const) {
    for (const time of ['first', 'second']) {
      const { status, body } = await ask(at('127.0.0.1:3001', action), POST);
      assert.equal(status, 200, `${action}, ${time} time`);
      const { service, name, admin, pending } = JSON.parse(body);
      assert.deepEqual([service, name, admin, pending], ['db', '127.0.0.1:3001', state, 7]);
    }
  }
  assert.equal(
    fake.said[0],
    'info admin: backend 127.0.0.1:3001 of service db: draining (asked by 127.0.0.1)',
  );
  assert.equal(fake.said.length, 8);
});

test('a weight is set, and null goes back to the config’s', async (t) => {
  const { ask, fake } = await adminStage(t);
  const path = at('127.0.0.1:3001', 'weight');
  for (const [weight, expected] of [
    [1, 1],
    [1000, 1000],
    [null, 1],
  ]) {
    const { status, body } = await ask(path, json('PUT', { weight }));
    assert.equal(status, 200);
    assert.equal(JSON.parse(body).weight, expected);
  }
  assert.match(fake.said.at(-1) ?? '', /weight the config's/);
});

test('backend names with colons and brackets are found, percent-encoded or not', async (t) => {
  const { ask } = await adminStage(t);
  const six = '[::1]:80';
  for (const name of [
    six,
    encodeURIComponent(six),
    '%5b%3A%3a1%5D:80',
    '127.0.0.1%3A3001',
    '127%2E0.0.1:3001',
  ])
    assert.equal((await ask(at(name, 'drain'), POST)).status, 200, name);
  assert.equal((await ask(at('localhost:3000', 'drain', 'web%2E1'), POST)).status, 200);
});

test('an unknown service or backend is a 404 that says which are there', async (t) => {
  const { ask, fake } = await adminStage(t);
  const cases: readonly (readonly [path: string, detail: string])[] = [
    [at('127.0.0.1:3001', 'drain', 'dbx'), 'there is no service "dbx"; there are: db, web.1'],
    [at('a:1', 'drain', '%E2%82%AC%2F%22'), 'there is no service "€/\\""; there are: db, web.1'],
    [at('a:1', 'drain', '__proto__'), 'there is no service "__proto__"; there are: db, web.1'],
    [at('a:1', 'drain'), 'service db has no backend "a:1"; it has: 127.0.0.1:3001, [::1]:80'],
    [at('%0d%0a%00', 'drain'), 'service db has no backend "\\r\\n\\u0000"; it has: 127.0.0.1:3001, [::1]:80'],
    [at('constructor', 'drain'), 'service db has no backend "constructor"; it has: 127.0.0.1:3001, [::1]:80'],
  ];
  for (const [path, detail] of cases)
    assert.equal(assertProblem(await ask(path, POST), 404)['detail'], detail);
  const weight = await ask(at('a:1', 'weight'), json('PUT', { weight: 2 }));
  assert.match(String(assertProblem(weight, 404)['detail']), /no backend "a:1"/);
  assertProblem(await ask(at('a'.repeat(300), 'drain'), POST), 404);
  assertProblem(await ask(at('a'.repeat(3000), 'drain'), POST), 404);
  assert.deepEqual(fake.said, [], 'a name that somebody made up is not logged');
});

test('of many names a 404 lists twenty', async (t) => {
  const { ask, fake } = await adminStage(t);
  const names = Array.from({ length: 25 }, (_, index) => `h:${index + 1}`);
  fake.backends.set('big', new Map(names.map((name) => [name, backendStatus(name)])));
  const { detail } = assertProblem(await ask(at('x', 'drain', 'big'), POST), 404);
  assert.equal(detail, `service big has no backend "x"; it has: ${names.slice(0, 20).join(', ')} and 5 more`);
});

test('an action takes no body, or {}', async (t) => {
  const { ask, fake } = await adminStage(t);
  const path = at('127.0.0.1:3001', 'drain');
  const typed = { 'content-type': 'application/json' };
  assert.equal((await ask(path, json('POST', {}))).status, 200);
  assert.equal((await ask(path, { ...POST, headers: { ...typed, 'content-length': '0' } })).status, 200);
  assert.equal(
    (
      await ask(path, {
        ...POST,
        headers: { 'content-type': 'application/json; charset=utf-8' },
        body: ' {} ',
      })
    ).status,
    200,
  );
  const before = fake.said.length;
  for (const [body, field] of [
    ['{"now":true}', 'now'],
    ['{"__proto__":1}', '__proto__'],
    ['[]', 'body'],
    ['null', 'body'],
    ['1', 'body'],
    ['{', 'body'],
    ['{}x', 'body'],
  ] as const) {
    const problem = assertProblem(await ask(path, { ...POST, headers: typed, body }), 400);
    assert.equal(problem['field'], field, body);
  }
  assert.equal(fake.said.length, before);
});

test('a weight that is none is a 400 that names the field', async (t) => {
  const { ask, fake } = await adminStage(t);
  const path = at('127.0.0.1:3001', 'weight');
  const cases: readonly (readonly [body: string, field: string, detail: RegExp])[] = [
    ['{}', 'weight', /^body: weight is missing$/],
    ['{"weight":0}', 'weight', /^body: weight must be >= 1$/],
    ['{"weight":1001}', 'weight', /<= 1000/],
    ['{"weight":1.5}', 'weight', /integer or null/],
    ['{"weight":"2"}', 'weight', /integer or null/],
    ['{"weight":1e999}', 'weight', /integer or null|<= 1000/],
    ['{"weight":2,"why":"x"}', 'why', /why is not known here/],
    ['null', 'body', /object/],
    ['', 'body', /object/],
    ['nonsense', 'body', /is not JSON/],
    ['{"weight":2', 'body', /is not JSON/],
  ];
  for (const [body, field, detail] of cases) {
    const asked = { method: 'PUT', headers: { 'content-type': 'application/json' }, body };
    const problem = assertProblem(await ask(path, asked), 400);
    assert.equal(problem['field'], field, body);
    assert.match(String(problem['detail']), detail);
  }
  assert.deepEqual(fake.said, []);
});

test('reload answers what changed', async (t) => {
  const { ask, fake } = await adminStage(t);
  const changes = [{ what: 'backend', name: 'db 127.0.0.1:3021', change: 'removed', detail: '' }] as const;
  fake.reloadResult = { ok: true, changes };
  const { status, body } = await ask('/api/v1/reload', POST);
  assert.equal(status, 200);
  assert.deepEqual(JSON.parse(body), { changes });
});

test('a reload of a wrong config is a 422 with its problems', async (t) => {
  const { ask, fake } = await adminStage(t);
  const problems = ['gw.yaml:1:1: no', 'gw.yaml:2:1: no'];
  fake.reloadResult = { ok: false, problems };
  const problem = assertProblem(await ask('/api/v1/reload', POST), 422);
  assert.deepEqual(problem['problems'], problems);
  assert.match(String(problem['detail']), /2 problems/);
});
