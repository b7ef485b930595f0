import assert from 'node:assert/strict';
import { test } from 'node:test';
import { through, valuesOf } from './through.ts';

const edit = (set: Record<string, string>, remove: readonly string[] = []) => ({ set, remove });

test('a route sets fields: each replaces all of its name, in any case', async (t) => {
  const { request, response } = await through(t, {
    request: ['X-A: 1', 'x-a: 2', 'X-B: 3'],
    response: ['X-A: 1', 'x-a: 2', 'X-B: 3', 'Content-Length: 2'],
    changes: {
      route: {
        requestHeaders: edit({ 'X-a': 'set', 'X-New': 'new' }),
        responseHeaders: edit({ 'X-a': 'set', 'X-New': 'new' }),
      },
    },
  });
  for (const lines of [request, response]) {
    assert.deepEqual(valuesOf(lines, 'x-a'), ['set']);
    assert.deepEqual(valuesOf(lines, 'x-b'), ['3']);
    assert.deepEqual(valuesOf(lines, 'x-new'), ['new']);
  }
});

test('a route removes fields, in any case', async (t) => {
  const { request, response } = await through(t, {
    request: ['X-A: 1', 'x-a: 2', 'X-B: 3', 'Cookie: a=b'],
    response: ['X-A: 1', 'Server: x', 'X-B: 3', 'Content-Length: 2'],
    changes: {
      route: { requestHeaders: edit({}, ['x-A', 'Cookie']), responseHeaders: edit({}, ['x-A', 'server']) },
    },
  });
  for (const lines of [request, response]) {
    assert.deepEqual(valuesOf(lines, 'x-a'), []);
    assert.deepEqual(valuesOf(lines, 'x-b'), ['3']);
  }
  assert.deepEqual(valuesOf(request, 'cookie'), []);
  assert.deepEqual(valuesOf(response, 'server'), []);
});

test('what a route sets wins over what the gateway adds itself', async (t) => {
  const names = [
    'X-Forwarded-Proto',
    'X-Forwarded-For',
    'X-Forwarded-Host',
    'Forwarded',
    'Via',
    'X-Request-Id',
    'traceparent',
    'X-Forwarded-Prefix',
  ];
  for (const trustedProxies of [[], ['127.0.0.1/32']]) {
    const { request, response } = await through(t, {
      requestLine: 'GET /db/1 HTTP/1.1',
      request: ['X-Forwarded-Proto: ftp'],
      changes: {
        listener: { trustedProxies },
        route: {
          path: '/db',
          rewrite: '/',
          requestHeaders: edit(Object.fromEntries(names.map((name) => [name, 'mine']))),
          responseHeaders: edit({ Date: 'mine', Via: 'mine' }),
        },
      },
    });
    for (const name of names) assert.deepEqual(valuesOf(request, name), ['mine'], name);
    for (const name of ['date', 'via']) assert.deepEqual(valuesOf(response, name), ['mine'], name);
  }
});

test('a route can remove what the gateway adds itself', async (t) => {
  const { request, response } = await through(t, {
    changes: {
      route: {
        requestHeaders: edit({}, ['forwarded', 'x-forwarded-host', 'traceparent']),
        responseHeaders: edit({}, ['VIA']),
      },
    },
  });
  for (const name of ['forwarded', 'x-forwarded-host', 'traceparent'])
    assert.deepEqual(valuesOf(request, name), [], name);
  assert.deepEqual(valuesOf(request, 'x-forwarded-for'), ['127.0.0.1']);
  assert.deepEqual(valuesOf(response, 'via'), []);
});

test('an edit never touches what frames a message', async (t) => {
  const { request, response } = await through(t, {
    requestLine: 'POST / HTTP/1.1',
    request: ['Content-Length: 0'],
    changes: { route: { requestHeaders: edit({ 'X-A': '1' }), responseHeaders: edit({ 'X-A': '1' }) } },
  });
  assert.deepEqual(valuesOf(request, 'content-length'), ['0']);
  assert.deepEqual(valuesOf(response, 'content-length'), ['2']);
});

test('interim answers are not edited', async (t) => {
  const { statusLine, response } = await through(t, {
    statusLine: 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK',
    changes: { route: { responseHeaders: edit({ 'X-A': '1' }) } },
  });
  assert.equal(statusLine, 'HTTP/1.1 103 Early Hints');
  assert.deepEqual(valuesOf(response, 'x-a'), []);
});

test('a rewrite replaces the prefix and says what it took in X-Forwarded-Prefix', async (t) => {
  for (const [path, rewrite, sent, got, prefix] of [
    ['/db', '/', '/db/1?x=/db', '/1?x=/db', '/db'],
    ['/db', '/', '/db', '/', '/db'],
    ['/db', '/', '/db/', '/', '/db'],
    ['/db', '/v2', '/db/1', '/v2/1', '/db'],
    ['/a/b', '/c', '/a/b', '/c', '/a/b'],
    ['/', '/v1', '/x', '/v1/x', undefined],
    ['/db', undefined, '/db/1', '/db/1', undefined],
  ] as const) {
    await t.test(`${path} to ${rewrite}: ${sent}`, async (row) => {
      const { requestLine, request } = await through(row, {
        requestLine: `GET ${sent} HTTP/1.1`,
        request: ['X-Forwarded-Prefix: /evil'],
        changes: { route: { path, rewrite } },
      });
      assert.equal(requestLine, `GET ${got} HTTP/1.1`);
      assert.deepEqual(valuesOf(request, 'x-forwarded-prefix'), prefix === undefined ? [] : [prefix]);
    });
  }
});
