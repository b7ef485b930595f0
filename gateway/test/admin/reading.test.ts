import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adminStage, EXPLANATION } from './admin-stage.ts';
import { assertProblem } from './problem-details.ts';

test('/livez answers 200 even when nothing else works', async (t) => {
  const stage = await adminStage(t, {}, { readiness: () => ({ ready: false, reasons: ['starting'] }) });
  const { status, headers, body } = await stage.ask('/livez');
  assert.equal(status, 200);
  assert.equal(headers['content-type'], 'application/json; charset=utf-8');
  assert.equal(headers['cache-control'], 'no-store');
  assert.equal(headers['x-content-type-options'], 'nosniff');
  assert.deepEqual(JSON.parse(body), { live: true });
});

test('/readyz answers 200, or 503 with the reasons', async (t) => {
  const { ask, fake } = await adminStage(t);
  const { status, body } = await ask('/readyz');
  assert.equal(status, 200);
  assert.deepEqual(JSON.parse(body), { ready: true, reasons: [] });
  fake.ready.ready = false;
  fake.ready.reasons = ['draining', 'db has no eligible backend'];
  const problem = assertProblem(await ask('/readyz'), 503);
  assert.deepEqual(problem['reasons'], ['draining', 'db has no eligible backend']);
  assert.equal(problem['detail'], 'not ready: draining; db has no eligible backend');
});

test('/api/v1/status is what the data plane says, and what the gateway says of itself', async (t) => {
  const { ask, fake } = await adminStage(t);
  const { status, body } = await ask('/api/v1/status');
  assert.equal(status, 200);
  // undefined is left out, as JSON does
  const expected = JSON.parse(JSON.stringify({ gateway: fake.about(), ...fake.status() }));
  assert.deepEqual(JSON.parse(body), expected);
  assert.ok(body.endsWith('}\n'));
});

test('HEAD works where GET does, without a body', async (t) => {
  const { ask } = await adminStage(t);
  for (const path of ['/', '/livez', '/readyz', '/api/v1/status', '/api/v1/explain?url=/', '/openapi.json']) {
    const get = await ask(path);
    const head = await ask(path, { method: 'HEAD' });
    assert.deepEqual(
      [head.status, head.body, head.headers['content-length'], head.headers['content-type']],
      [200, '', get.headers['content-length'], get.headers['content-type']],
      path,
    );
  }
});

test('/ lists the addresses as plain text', async (t) => {
  const { headers, body } = await (await adminStage(t)).ask('/');
  assert.equal(headers['content-type'], 'text/plain; charset=utf-8');
  for (const path of ['/livez', '/readyz', '/api/v1/status', '/api/v1/explain', '/weight', '/api/v1/reload'])
    assert.ok(body.includes(path), path);
});

test('/api/v1/explain asks for GET from the caller unless told otherwise', async (t) => {
  const { ask, fake } = await adminStage(t);
  const { status, body } = await ask('/api/v1/explain?url=/db/1%3Fx=1');
  assert.equal(status, 200);
  assert.deepEqual(JSON.parse(body), JSON.parse(JSON.stringify(EXPLANATION)));
  assert.deepEqual(fake.questions, [
    { method: 'GET', host: '', target: '/db/1?x=1', headers: {}, clientIp: '127.0.0.1' },
  ]);
});

test('/api/v1/explain takes method, headers and client from the query', async (t) => {
  const { ask, fake } = await adminStage(t);
  const query = new URLSearchParams([
    ['method', 'POST'],
    ['url', 'http://WWW.Example.com:8080/a%2Fb?q=1+2'],
    ['header', 'X-User: ann'],
    ['header', 'Cookie:a=1'],
    ['clientIp', '2001:db8::1'],
  ]);
  assert.equal((await ask(`/api/v1/explain?${query}`)).status, 200);
  assert.deepEqual(fake.questions, [
    {
      method: 'POST',
      host: 'www.example.com',
      target: '/a%2Fb?q=1+2',
      headers: { 'x-user': 'ann', cookie: 'a=1', host: 'WWW.Example.com:8080' },
      clientIp: '2001:db8::1',
    },
  ]);
});

test('/api/v1/explain names the part of the query that is wrong', async (t) => {
  const { ask, fake } = await adminStage(t);
  const cases: readonly (readonly [query: string, field: string])[] = [
    ['', 'url'],
    ['url=', 'url'],
    ['url=db', 'url'],
    ['url=ftp://h/', 'url'],
    ['url=http://user:pw@h/', 'url'],
    ['url=/a b', 'url'],
    ['url=/%C3%A9', 'url'],
    ['url=/&url=/', 'url'],
    ['url=/&method=', 'method'],
    ['url=/&method=GET%20/', 'method'],
    ['url=/&method=GET&method=PUT', 'method'],
    ['url=/&header=nocolon', 'header'],
    ['url=/&header=a%20b:c', 'header'],
    ['url=/&header=a:b%0d%0ac:d', 'header'],
    ['url=/&header=Host:a%20b', 'header'],
    ['url=/&header=Host:a&header=host:b', 'header'],
    ['url=/&clientIp=localhost', 'clientIp'],
    ['url=/&headers=a:b', 'headers'],
    ['url=/&__proto__=1', '__proto__'],
  ];
  for (const [query, field] of cases) {
    const problem = assertProblem(await ask(`/api/v1/explain?${query.replaceAll(' ', '%20')}`), 400);
    assert.equal(problem['field'], field, query);
    assert.ok(String(problem['detail']).includes(field), `${query}: ${problem['detail']}`);
  }
  assert.deepEqual(fake.questions, []);
});
