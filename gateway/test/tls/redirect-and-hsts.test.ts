import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exchangeRaw } from '../support/raw-client.ts';
import { certificateFor, TlsClient, tlsPlan, tlsStage } from './tls-stage.ts';

const HSTS = 'max-age=31536000; includeSubDomains';
const certificate = certificateFor('a.example');
const { ca } = certificate;

function fieldsOf(answer: string, name: string): readonly string[] {
  const head = answer.slice(0, answer.indexOf('\r\n\r\n'));
  return head
    .split('\r\n')
    .filter((line) => line.toLowerCase().startsWith(`${name}:`))
    .map((line) => line.slice(name.length + 1).trim());
}

test('every request is sent to the same URL under https, and none to a backend', async (t) => {
  let asked = 0;
  const { port } = await tlsStage(
    t,
    undefined,
    { listener: { redirectToHttpsPort: 443 } },
    (_request, response) => {
      asked += 1;
      response.end();
    },
  );
  const locationOf = async (request: string): Promise<string> => {
    const answer = await exchangeRaw(port, `${request}\r\nConnection: close\r\n\r\n`);
    assert.match(answer, /^HTTP\/1\.1 308 Permanent Redirect\r\n/, request);
    assert.match(answer, /\r\nContent-Length: 0\r\n/);
    return fieldsOf(answer, 'location').join();
  };
  assert.equal(await locationOf('GET /a/b?c=d&e HTTP/1.1\r\nHost: a.example'), 'https://a.example/a/b?c=d&e');
  assert.equal(await locationOf('GET / HTTP/1.1\r\nHost: a.example:8080'), 'https://a.example/');
  assert.equal(await locationOf('HEAD / HTTP/1.1\r\nHost: [::1]:80'), 'https://[::1]/');
  assert.equal(await locationOf('GET //evil.example/ HTTP/1.1\r\nHost: a'), 'https://a//evil.example/');
  assert.equal(await locationOf('GET http://b.example/x HTTP/1.1\r\nHost: a'), 'https://b.example/x');
  const post = 'POST /f HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc';
  assert.deepEqual(fieldsOf(await exchangeRaw(port, post), 'location'), ['https://a/f']);
  assert.equal(asked, 0);
});

test('another port of https stands in the redirect', async (t) => {
  const { port } = await tlsStage(t, undefined, { listener: { redirectToHttpsPort: 8443 } });
  const answer = await exchangeRaw(port, 'GET /x HTTP/1.0\r\nHost: a.example:8080\r\n\r\n');
  assert.deepEqual(fieldsOf(answer, 'location'), ['https://a.example:8443/x']);
});

test('what names no host, or a malformed one, is sent nowhere', async (t) => {
  const { port } = await tlsStage(t, undefined, { listener: { redirectToHttpsPort: 443 } });
  const hosts = [
    'evil.example/@a',
    'a@evil.example',
    'a b',
    'evil.example\\a',
    'a, b',
    'a#b',
    '',
    'a:x',
    'a?b',
  ];
  const requests = hosts.map((host) => `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  requests.push('GET / HTTP/1.0\r\n\r\n', 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n');
  for (const request of requests) {
    const answer = await exchangeRaw(port, request);
    assert.match(answer, /^HTTP\/1\.1 400 /, request);
    assert.deepEqual(fieldsOf(answer, 'location'), [], request);
  }
  assert.match(await exchangeRaw(port, 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n'), /^HTTP\/1\.1 405 /);
});

test('Strict-Transport-Security is on every answer of a TLS listener that has it, once', async (t) => {
  const { port } = await tlsStage(t, tlsPlan([certificate], { hsts: HSTS }), {}, ({ url }, response) => {
    if (url === '/own') response.setHeader('strict-transport-security', 'max-age=0');
    if (url === '/twice') response.setHeader('Strict-Transport-Security', ['max-age=1', 'max-age=2']);
    response.setHeader('X-Other', 'kept');
    if (url === '/broken') response.destroy();
    else response.end('ok');
  });
  const answerTo = async (request: string): Promise<string> => {
    const client = await TlsClient.open(t, port, { ca });
    return client.send(request).end();
  };
  for (const [path, status] of [
    ['/', 200],
    ['/own', 200],
    ['/twice', 200],
    ['/broken', 502],
    ['/..', 400],
  ] as const) {
    const answer = await answerTo(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `), path);
    assert.deepEqual(fieldsOf(answer, 'strict-transport-security'), [HSTS], path);
    if (status === 200) assert.deepEqual(fieldsOf(answer, 'x-other'), ['kept']);
  }
  const malformed = await answerTo('GET / HTTP/1.1\r\nbad field\r\n\r\n');
  assert.deepEqual(fieldsOf(malformed, 'strict-transport-security'), [HSTS]);
});

test('a route may say it otherwise, and without TLS it is never said', async (t) => {
  const own = 'max-age=5';
  const responseHeaders = { set: { 'Strict-Transport-Security': own }, remove: [] };
  const secure = await tlsStage(t, tlsPlan([certificate], { hsts: HSTS }), { route: { responseHeaders } });
  const client = await TlsClient.open(t, secure.port, { ca });
  const answer = await client.send('GET / HTTP/1.0\r\n\r\n').end();
  assert.deepEqual(fieldsOf(answer, 'strict-transport-security'), [own]);

  const clear = await tlsStage(t, undefined);
  const plain = await exchangeRaw(clear.port, 'GET / HTTP/1.0\r\n\r\n');
  assert.deepEqual(fieldsOf(plain, 'strict-transport-security'), []);
});

test('the URLs of a gateway say which listeners are secure', async (t) => {
  const secure = await tlsStage(t, tlsPlan([certificate]));
  const clear = await tlsStage(t, undefined);
  assert.deepEqual(secure.gateway.urls, [`https://127.0.0.1:${secure.port}`]);
  assert.deepEqual(clear.gateway.urls, [`http://127.0.0.1:${clear.port}`]);
});
