import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namesOf, through, valuesOf } from './through.ts';

const ADDED = [
  'via',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'forwarded',
  'x-request-id',
  'traceparent',
];

test('hop-by-hop fields of a request end at the gateway (RFC 9110 §7.6.1)', async (t) => {
  const { request } = await through(t, {
    request: [
      'Keep-Alive: timeout=5',
      'Proxy-Connection: keep-alive',
      'TE: gzip',
      'Upgrade: x',
      'Proxy-Authorization: Basic x',
      'Proxy-Authenticate: Basic',
      'HTTP2-Settings: AAAA',
      'Proxy-Status: x',
      'Connection: keep-alive',
      'X-End: 1',
    ],
  });
  assert.deepEqual(namesOf(request), ['host', 'x-end', ...ADDED]);
});

test('hop-by-hop fields of an answer end at the gateway', async (t) => {
  const { response } = await through(t, {
    response: [
      'Connection: keep-alive',
      'Keep-Alive: timeout=5',
      'Proxy-Connection: keep-alive',
      'Upgrade: h2c',
      'TE: trailers',
      'Proxy-Authenticate: Basic',
      'X-End: 1',
      'Content-Length: 2',
    ],
  });
  assert.deepEqual(namesOf(response), ['x-end', 'content-length', 'date', 'via']);
});

const NOMINATIONS: readonly (readonly [name: string, connection: readonly string[]])[] = [
  ['one', ['Connection: X-A']],
  ['in another case', ['connection: x-a']],
  ['among others', ['Connection: keep-alive,X-A, close-not']],
  ['in a second field', ['Connection: keep-alive', 'Connection: X-A']],
  ['with empty elements', ['Connection: ,, X-A ,']],
  ['with tabs', ['Connection:\tkeep-alive\t,\tX-A\t']],
];

test('what Connection names is hop-by-hop too, in both directions', async (t) => {
  for (const [name, connection] of NOMINATIONS) {
    await t.test(name, async (row) => {
      const { request, response } = await through(row, {
        request: ['X-A: 1', 'X-B: 2', ...connection, 'x-a: 3'],
        response: ['X-A: 1', 'X-B: 2', ...connection, 'x-a: 3', 'Content-Length: 2'],
      });
      for (const lines of [request, response]) {
        assert.deepEqual(valuesOf(lines, 'x-a'), []);
        assert.deepEqual(valuesOf(lines, 'x-b'), ['2']);
        assert.deepEqual(valuesOf(lines, 'connection'), []);
      }
    });
  }
});

test('a name that only begins or ends like a nominated one stays', async (t) => {
  const { request } = await through(t, { request: ['Connection: X-A', 'X-AB: 1', 'Y-X-A: 2', 'X: 3'] });
  assert.deepEqual(namesOf(request).slice(0, 4), ['host', 'x-ab', 'y-x-a', 'x']);
});

test('fields that the gateway relies on cannot be nominated away', async (t) => {
  const names = [
    'Host',
    'Content-Length',
    'X-Forwarded-For',
    'X-Forwarded-Proto',
    'X-Forwarded-Host',
    'Forwarded',
    'Via',
    'X-Request-Id',
    'traceparent',
    'X-Real-IP',
    'Cookie',
  ];
  const { request } = await through(t, {
    requestLine: 'POST / HTTP/1.1',
    request: [`Connection: close, ${names.join(', ')}`, 'Content-Length: 0', 'Cookie: a=b'],
  });
  assert.deepEqual(valuesOf(request, 'host'), ['a.example']);
  assert.deepEqual(valuesOf(request, 'content-length'), ['0']);
  assert.deepEqual(valuesOf(request, 'x-forwarded-for'), ['127.0.0.1']);
  assert.deepEqual(valuesOf(request, 'cookie'), ['a=b']);
  for (const name of ADDED) assert.equal(valuesOf(request, name).length, 1, name);
});

test('the length of an answer cannot be nominated away', async (t) => {
  const { response } = await through(t, {
    response: ['Connection: Content-Length, Via, Date', 'Content-Length: 2'],
  });
  assert.deepEqual(valuesOf(response, 'content-length'), ['2']);
  assert.deepEqual(valuesOf(response, 'via'), ['1.1 portway']);
});

test('a Connection that is no list of tokens is a malformed request', async (t) => {
  for (const value of ['X-A X-B', '"X-A"', 'X-A;', 'X(A)', 'caf\xe9']) {
    await t.test(value, async (row) => {
      await assert.rejects(through(row, { request: [`Connection: ${value}`] }), /bad_field/);
    });
  }
});

test('all other fields pass unchanged, in their order, in both directions', async (t) => {
  const fields = [
    'Accept: */*',
    'X-Custom: a  b\t"c"',
    'x-custom: d',
    'Cookie: a=b',
    'Cookie: c=d',
    'Authorization: Basic x',
    'X-Empty: ',
    'Range: bytes=0-1',
    'If-None-Match: "x"',
    'Max-Forwards: 3',
  ];
  const { request, response } = await through(t, {
    request: fields,
    response: [
      'Server: x',
      'Set-Cookie: a=b',
      'Set-Cookie: c=d',
      'X-Empty: ',
      'Date: yesterday',
      'Via: 1.0 other',
      'Content-Length: 2',
    ],
  });
  assert.deepEqual(request.slice(1, 1 + fields.length), fields);
  assert.deepEqual(response, [
    'Server: x',
    'Set-Cookie: a=b',
    'Set-Cookie: c=d',
    'X-Empty: ',
    'Date: yesterday',
    'Via: 1.0 other',
    'Content-Length: 2',
    'Via: 1.1 portway',
  ]);
});
