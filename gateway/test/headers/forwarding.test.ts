import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answer, stage } from '../support/stage.ts';
import { through, valuesOf } from './through.ts';

const TRUSTED = { listener: { trustedProxies: ['127.0.0.0/8'] } };
const CLAIMS = [
  'X-Forwarded-For: 6.6.6.6',
  'X-Forwarded-For: 7.7.7.7',
  'X-Forwarded-Proto: https',
  'X-Forwarded-Host: evil.example',
  'X-Forwarded-Port: 443',
  'X-Forwarded-Prefix: /evil',
  'X-Forwarded-Server: evil',
  'X-Forwarded-Client-Cert: evil',
  'X-Real-IP: 6.6.6.6',
  'Forwarded: for=6.6.6.6;proto=https',
];

test('what an untrusted client says of its way here is replaced by what is known', async (t) => {
  const { request } = await through(t, { request: CLAIMS });
  assert.deepEqual(request.slice(0, 6), [
    'Host: a.example',
    'Via: 1.1 portway',
    'X-Forwarded-For: 127.0.0.1',
    'X-Forwarded-Proto: http',
    'X-Forwarded-Host: a.example',
    'Forwarded: for=127.0.0.1;host=a.example;proto=http',
  ]);
  assert.doesNotMatch(request.join('\n'), /evil|6\.6\.6\.6|7\.7\.7\.7|443/);
});

test('what a trusted proxy says is kept, and the proxy itself added', async (t) => {
  const { request } = await through(t, { request: CLAIMS, changes: TRUSTED });
  assert.deepEqual(valuesOf(request, 'x-forwarded-for'), ['6.6.6.6, 7.7.7.7, 127.0.0.1']);
  assert.deepEqual(valuesOf(request, 'x-forwarded-proto'), ['https']);
  assert.deepEqual(valuesOf(request, 'x-forwarded-host'), ['evil.example']);
  assert.deepEqual(valuesOf(request, 'x-forwarded-port'), ['443']);
  assert.deepEqual(valuesOf(request, 'x-forwarded-prefix'), ['/evil']);
  assert.deepEqual(valuesOf(request, 'x-real-ip'), ['6.6.6.6']);
  assert.deepEqual(valuesOf(request, 'forwarded'), [
    'for=6.6.6.6;proto=https, for=127.0.0.1;host=a.example;proto=http',
  ]);
});

test('a trusted proxy that says nothing gets the usual fields', async (t) => {
  const { request } = await through(t, { changes: TRUSTED });
  assert.deepEqual(valuesOf(request, 'x-forwarded-for'), ['127.0.0.1']);
  assert.deepEqual(valuesOf(request, 'x-forwarded-proto'), ['http']);
  assert.deepEqual(valuesOf(request, 'x-forwarded-host'), ['a.example']);
  assert.deepEqual(valuesOf(request, 'forwarded'), ['for=127.0.0.1;host=a.example;proto=http']);
});

test('a network that is not the peer’s is not trusted', async (t) => {
  const { request } = await through(t, {
    request: CLAIMS,
    changes: { listener: { trustedProxies: ['10.0.0.0/8'] } },
  });
  assert.deepEqual(valuesOf(request, 'x-forwarded-for'), ['127.0.0.1']);
});

test('Via names each version received, after the Vias of those before (RFC 9110 §7.6.3)', async (t) => {
  const { request } = await through(t, { request: ['Via: 1.0 fred, 1.1 p.example'] });
  assert.deepEqual(valuesOf(request, 'via'), ['1.0 fred, 1.1 p.example', '1.1 portway']);
  const old = await through(t, { requestLine: 'GET / HTTP/1.0', statusLine: 'HTTP/1.0 200 OK' });
  assert.deepEqual(valuesOf(old.request, 'via'), ['1.0 portway']);
  assert.deepEqual(valuesOf(old.response, 'via'), ['1.0 portway']);
});

test('Forwarded quotes a host that is no token (RFC 7239 §4)', async (t) => {
  for (const [host, written] of [
    ['a.example', 'a.example'],
    ['a.example:8080', '"a.example:8080"'],
    ['[::1]:80', '"[::1]:80"'],
    ['a_b~c', 'a_b~c'],
  ] as const) {
    await t.test(host, async (row) => {
      const { request } = await through(row, { request: [`Host: ${host}`] });
      assert.deepEqual(valuesOf(request, 'forwarded'), [`for=127.0.0.1;host=${written};proto=http`]);
    });
  }
});

const LOOKALIKES = [
  'X_Forwarded_For',
  'X-Forwarded_For',
  'x_forwarded-for',
  'X_FORWARDED_PROTO',
  'X_Forwarded_Host',
  'X_Real_IP',
  'Content_Length',
  'Transfer_Encoding',
  'X_Request_Id',
  'Proxy_Connection',
  'X_Forwarded_Client_Cert',
  'X_Forwarded_Prefix',
  'Keep_Alive',
  'Max_Forwards',
];

test('a name that a CGI-like backend would read as one the gateway vouches for is dropped', async (t) => {
  for (const changes of [{}, TRUSTED]) {
    const { request } = await through(t, {
      request: [...LOOKALIKES.map((name) => `${name}: 666`), 'X_Mine: 1', 'My_Host: 2'],
      changes,
    });
    assert.doesNotMatch(request.join('\n'), /666/);
    assert.deepEqual(valuesOf(request, 'x_mine'), ['1']);
    assert.deepEqual(valuesOf(request, 'my_host'), ['2']);
  }
});

test('requests on one connection are told apart by their hosts and versions', async (t) => {
  const { client, backend } = await stage(t, answer());
  const browser = await client();
  for (const request of [
    'GET / HTTP/1.1\r\nHost: one',
    'GET / HTTP/1.1\r\nHost: two',
    'GET / HTTP/1.0\r\nConnection: keep-alive\r\nHost: two',
    'GET / HTTP/1.0\r\nConnection: keep-alive',
    'GET / HTTP/1.1\r\nHost: one',
  ]) {
    browser.received = '';
    await browser.send(`${request}\r\n\r\n`).contains('ok');
  }
  assert.deepEqual(
    [...backend.received.matchAll(/X-Forwarded-Host: (.*)\r\n/g)].map(([, host]) => host),
    ['one', 'two', 'two', '', 'one'],
  );
  assert.deepEqual(
    [...backend.received.matchAll(/Via: (.*) portway/g)].map(([, version]) => version),
    ['1.1', '1.1', '1.0', '1.0', '1.1'],
  );
});
