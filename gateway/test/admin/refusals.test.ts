import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exchangeRaw, RawClient } from '../support/raw-client.ts';
import { type Answer, adminStage } from './admin-stage.ts';
import { assertProblem } from './problem-details.ts';

const DRAIN = '/api/v1/services/db/backends/127.0.0.1:3001/drain';
const WEIGHT = '/api/v1/services/db/backends/127.0.0.1:3001/weight';

/** The last answer on a raw connection. */
function parseAnswer(received: string): Answer {
  const [head = '', body = ''] = received.split('\r\n\r\n');
  const [statusLine = '', ...fields] = head.split('\r\n');
  const headers = fields.map((field) => field.split(': ') as [string, string]);
  return {
    status: Number(statusLine.split(' ')[1]),
    headers: Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value])),
    body,
  };
}

test('an unknown path is a 404, whatever the method', async (t) => {
  const { ask } = await adminStage(t);
  for (const path of [
    '/nope',
    '/livez/',
    '/LIVEZ',
    '/api/v1',
    '/api/v1/services/db',
    `${DRAIN}/x`,
    '//livez',
    '/metricsx',
  ])
    for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PROPFIND'])
      assertProblem(await ask(path, { method }), 404);
});

test('a method that a path does not take is a 405 that says which it takes', async (t) => {
  const { ask, fake } = await adminStage(t);
  const cases: readonly (readonly [path: string, methods: readonly string[], allow: string])[] = [
    ['/livez', ['POST', 'DELETE', 'OPTIONS', 'PURGE', 'TRACE'], 'GET, HEAD'],
    ['/openapi.json?x=1', ['PUT'], 'GET, HEAD'],
    ['/api/v1/explain?url=/', ['POST'], 'GET, HEAD'],
    ['/api/v1/reload', ['GET', 'HEAD', 'PUT'], 'POST'],
    [DRAIN, ['GET', 'PUT', 'DELETE'], 'POST'],
    [WEIGHT, ['GET', 'POST', 'PATCH'], 'PUT'],
    ['/api/v1/services/a%2Fb/backends/%5B::1%5D:80/weight', ['GET'], 'PUT'],
  ];
  for (const [path, methods, allow] of cases)
    for (const method of methods) {
      const answer = await ask(path, { method });
      assert.equal(answer.headers['allow'], allow, `${method} ${path}`);
      if (method === 'HEAD') assert.equal(answer.status, 405);
      else assertProblem(answer, 405);
    }
  assert.equal(fake.reloads, 0);
});

test('a body that is not JSON by its type is a 415', async (t) => {
  const { ask, fake } = await adminStage(t);
  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonx',
    'nonsense',
  ])
    for (const body of ['{"weight":2}', ''])
      assertProblem(await ask(WEIGHT, { method: 'PUT', headers: { 'content-type': type }, body }), 415);
  assertProblem(await ask(WEIGHT, { method: 'PUT', body: '{"weight":2}' }), 415);
  assertProblem(
    await ask('/api/v1/reload', { method: 'POST', headers: { 'content-type': 'text/plain' } }),
    415,
  );
  assert.equal(fake.reloads, 0);
});

test('a body larger than 16 KiB is a 413, also when its length is not said', async (t) => {
  const { ask, port } = await adminStage(t);
  const headers = { 'content-type': 'application/json' };
  const fits = `{"weight":2}${' '.repeat(16 * 1024 - 12)}`;
  assert.equal((await ask(WEIGHT, { method: 'PUT', headers, body: fits })).status, 200);
  assertProblem(await ask(WEIGHT, { method: 'PUT', headers, body: `${fits} ` }), 413);

  const head = `PUT ${WEIGHT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`;
  const huge = await exchangeRaw(port, `${head}Content-Length: 99999999999\r\n\r\n{`);
  assertProblem(parseAnswer(huge), 413);
  const chunk = `4001\r\n${' '.repeat(0x4001)}\r\n`;
  const chunked = await exchangeRaw(port, `${head}Transfer-Encoding: chunked\r\n\r\n${chunk}`);
  assertProblem(parseAnswer(chunked), 413);
});

test('a path that is not percent-encoded UTF-8 is a 400', async (t) => {
  const { ask } = await adminStage(t);
  for (const path of ['/%zz', '/api/v1/services/%/backends/x/drain', '/api/v1/services/%ff/backends/x/drain'])
    assertProblem(await ask(path, { method: 'POST' }), 400);
});

test('what is not HTTP is answered with problem details and closed', async (t) => {
  const { port, fake } = await adminStage(t);
  const cases: readonly (readonly [text: string, status: number])[] = [
    ['hello\r\n\r\n', 400],
    ['GET / HTTP/1.1\r\n\r\n', 400],
    ['GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n', 400],
    [`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    ['POST /api/v1/reload HTTP/1.1\r\nHost: localhost\r\nExpect: wonders\r\n\r\n', 417],
  ];
  for (const [text, status] of cases) {
    const answer = parseAnswer(await exchangeRaw(port, text));
    // Node itself answers a request without Host, before anybody is asked
    if (text.includes('Host')) assertProblem(answer, status);
    else assert.equal(answer.status, status, text);
  }
  assert.equal(fake.reloads, 0);
});

test('a failure of ours is a 500 that tells the log and not the caller', async (t) => {
  const said: string[] = [];
  const fail = (): never => {
    throw new Error('the inside');
  };
  const { ask } = await adminStage(
    t,
    {},
    {
      status: fail,
      explain: fail,
      setAdmin: fail,
      reload: () => Promise.reject(new Error('the inside')),
      readiness: fail,
      log: (level, message) => void said.push(`${level} ${message}`),
    },
  );
  const requests = [
    ['/api/v1/status', 'GET'],
    ['/api/v1/explain?url=/', 'GET'],
    ['/readyz', 'GET'],
    ['/api/v1/reload', 'POST'],
    [DRAIN, 'POST'],
  ] as const;
  for (const [path, method] of requests) {
    const answer = await ask(path, { method });
    assertProblem(answer, 500);
    assert.ok(!answer.body.includes('inside'), answer.body);
  }
  assert.equal(said.filter((line) => line === 'error admin: the inside').length, requests.length);
});

test('a client that leaves in the middle of its body is no failure', async (t) => {
  const { port, fake, ask } = await adminStage(t);
  const client = await RawClient.open(port);
  client.send(
    `PUT ${WEIGHT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{`,
  );
  // answered only after what was sent before it was read
  await ask('/livez');
  client.socket.resetAndDestroy();
  await ask('/livez');
  assert.deepEqual(fake.said, []);
});
