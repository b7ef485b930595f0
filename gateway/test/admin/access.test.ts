import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Caller, createGuard, isLoopback } from '../../src/control/admin/guard.ts';
import { adminStage } from './admin-stage.ts';
import { assertProblem } from './problem-details.ts';

const TOKEN = 'a secret: +/=~';
const NOBODY: Caller = {
  host: 'localhost:9901',
  origin: undefined,
  fetchSite: undefined,
  authorization: undefined,
};
const bearer = (token: string): Readonly<Record<string, string>> => ({ authorization: `Bearer ${token}` });

test('loopback addresses are told from others', () => {
  for (const address of ['127.0.0.1', '127.255.0.9', '::1', '::ffff:127.0.0.1', '0:0:0:0:0:0:0:1'])
    assert.equal(isLoopback(address), true, address);
  for (const address of ['0.0.0.0', '::', '128.0.0.1', '10.0.0.1', '::2', '::ffff:10.0.0.1', 'fe80::1'])
    assert.equal(isLoopback(address), false, address);
});

test('on loopback, only a Host that nobody can make resolve to us may read', () => {
  const guard = createGuard({ host: '127.0.0.1', token: undefined });
  const refused = (host: string | undefined) => guard.refuseReader({ ...NOBODY, host })?.status;
  for (const host of [
    '127.0.0.1',
    '127.0.0.1:9901',
    '[::1]:9901',
    '[::1]',
    'localhost',
    'LocalHost:1',
    '192.0.2.1',
    undefined,
  ])
    assert.equal(refused(host), undefined, String(host));
  for (const host of [
    'evil.example',
    'evil.example:9901',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '',
    '127.1',
    '0x7f.1',
    '[::1',
    '[evil]',
    'a@127.0.0.1',
    '127.0.0.1:x',
    '::1',
    'localhost:1:2',
  ])
    assert.equal(refused(host), 403, host);
});

test('an address that is not loopback is read under any name', () => {
  const guard = createGuard({ host: '0.0.0.0', token: undefined });
  assert.equal(guard.refuseReader({ ...NOBODY, host: 'admin.example' }), undefined);
});

test('on loopback without a token, everybody local may write, and no foreign page', () => {
  const guard = createGuard({ host: '::1', token: undefined });
  const cases: readonly (readonly [Partial<Caller>, number | undefined])[] = [
    [{}, undefined],
    [{ origin: 'http://localhost:9901' }, undefined],
    [{ origin: 'http://LOCALHOST:9901', fetchSite: 'same-origin' }, undefined],
    [{ fetchSite: 'none' }, undefined],
    [{ host: '[::1]:9901', origin: 'http://[::1]:9901' }, undefined],
    [{ origin: 'https://localhost:9901' }, 403],
    [{ origin: 'http://localhost:9902' }, 403],
    [{ origin: 'http://localhost' }, 403],
    [{ origin: 'http://127.0.0.1:9901' }, 403],
    [{ origin: 'null' }, 403],
    [{ origin: '' }, 403],
    [{ origin: 'http://evil.example' }, 403],
    [{ fetchSite: 'cross-site' }, 403],
    [{ fetchSite: 'same-site' }, 403],
    [{ fetchSite: 'same-origin, cross-site' }, 403],
    [{ origin: 'http://localhost:9901', fetchSite: 'cross-site' }, 403],
    [{ host: undefined, origin: 'http://undefined' }, 403],
  ];
  for (const [changes, status] of cases)
    assert.equal(guard.refuseWriter({ ...NOBODY, ...changes })?.status, status, JSON.stringify(changes));
});

test('with a token, writes need it, on loopback too', async (t) => {
  for (const host of ['127.0.0.1', '0.0.0.0']) {
    const { ask, fake } = await adminStage(t, { host, token: TOKEN });
    const reload = (headers = {}) => ask('/api/v1/reload', { method: 'POST', headers });
    const missing = await reload();
    assertProblem(missing, 401);
    assert.equal(missing.headers['www-authenticate'], 'Bearer realm="portway admin"');
    for (const headers of [
      bearer('wrong'),
      bearer(''),
      bearer(`${TOKEN}x`),
      bearer(TOKEN.slice(0, -1)),
      bearer(TOKEN.toUpperCase()),
    ]) {
      const wrong = await reload(headers);
      assertProblem(wrong, 401);
      assert.match(String(wrong.headers['www-authenticate']), /^Bearer /);
    }
    assertProblem(await reload({ authorization: `Basic ${TOKEN}` }), 401);
    assertProblem(await reload({ authorization: TOKEN }), 401);
    assert.equal(fake.reloads, 0);
    for (const scheme of ['Bearer', 'bearer', 'BEARER '])
      assert.equal((await reload({ authorization: `${scheme} ${TOKEN}` })).status, 200);
    assert.equal(fake.reloads, 3);
  }
});

test('with a token, reads need none', async (t) => {
  const { ask } = await adminStage(t, { host: '0.0.0.0', token: TOKEN });
  for (const path of ['/', '/livez', '/readyz', '/api/v1/status', '/api/v1/explain?url=/', '/openapi.json'])
    assert.equal((await ask(path)).status, 200, path);
});

test('off loopback without a token nothing can be changed, and the answer says what to set', async (t) => {
  const { ask, fake } = await adminStage(t, { host: '0.0.0.0' });
  for (const [path, method] of [
    ['/api/v1/reload', 'POST'],
    ['/api/v1/services/db/backends/127.0.0.1:3001/drain', 'POST'],
    ['/api/v1/services/db/backends/nobody/weight', 'PUT'],
  ] as const)
    for (const headers of [{}, bearer('undefined'), bearer('')]) {
      const answer = await ask(path, { method, headers });
      assert.match(String(assertProblem(answer, 401)['detail']), /admin\.token must be set/);
      assert.match(String(answer.headers['www-authenticate']), /^Bearer /);
    }
  assert.equal(fake.reloads, 0);
  assert.deepEqual(fake.said, []);
});

test('a name that resolves to us reads nothing on loopback, token or not, not even what is not there', async (t) => {
  for (const token of [undefined, TOKEN]) {
    const { ask, fake } = await adminStage(t, { token });
    for (const path of ['/', '/livez', '/api/v1/status', '/openapi.json', '/nope'])
      assertProblem(await ask(path, { headers: { host: 'evil.example' } }), 403);
    const headers = { host: 'evil.example', ...bearer(TOKEN) };
    assertProblem(await ask('/api/v1/reload', { method: 'POST', headers }), 403);
    assertProblem(await ask('http://evil.example/livez', { headers: { host: 'localhost' } }), 403);
    assert.equal((await ask('http://localhost/livez', { headers: { host: 'evil.example' } })).status, 200);
    assert.equal(fake.reloads, 0);
  }
});

test('a foreign page cannot write on loopback, and ours can', async (t) => {
  const { ask, admin, fake } = await adminStage(t);
  const reload = (headers: Readonly<Record<string, string>>) =>
    ask('/api/v1/reload', { method: 'POST', headers });
  assertProblem(await reload({ origin: 'http://evil.example' }), 403);
  assertProblem(await reload({ origin: 'null' }), 403);
  assertProblem(await reload({ 'sec-fetch-site': 'cross-site' }), 403);
  assertProblem(await reload({ 'sec-fetch-site': 'same-site' }), 403);
  assert.equal(fake.reloads, 0);
  assert.equal((await reload({ origin: admin.url, 'sec-fetch-site': 'same-origin' })).status, 200);
  assert.equal((await ask('/livez', { headers: { origin: 'http://evil.example' } })).status, 200);
  const preflight = await ask('/api/v1/reload', {
    method: 'OPTIONS',
    headers: { origin: 'http://evil.example' },
  });
  assertProblem(preflight, 405);
  assert.ok(!Object.keys(preflight.headers).some((name) => name.startsWith('access-control')));
});

test('who may not write is told before the body is read', async (t) => {
  const { ask } = await adminStage(t, { token: TOKEN });
  const headers = { 'content-type': 'application/json', 'content-length': '99999', expect: '100-continue' };
  const answer = await ask('/api/v1/reload', {
    method: 'POST',
    headers: { ...headers, 'content-length': '0' },
  });
  assertProblem(answer, 401);
  assert.equal(answer.headers['connection'], 'close');
});

test('the token is in no answer, header or log line', async (t) => {
  const { ask, fake } = await adminStage(t, { host: '0.0.0.0', token: TOKEN });
  const seen: string[] = [];
  for (const method of ['GET', 'POST', 'PUT'])
    for (const path of [
      '/',
      '/api/v1/status',
      '/api/v1/reload',
      '/openapi.json',
      '/nope',
      '/%zz',
      '/api/v1/explain',
      '/api/v1/services/db/backends/127.0.0.1:3001/weight',
    ])
      for (const sent of [TOKEN, 'wrong'])
        seen.push(JSON.stringify(await ask(path, { method, headers: bearer(sent) })));
  assert.ok(!seen.concat(fake.said).some((text) => text.includes(TOKEN)));
});
