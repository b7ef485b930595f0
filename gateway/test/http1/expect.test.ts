import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answer, stage } from '../support/stage.ts';
import { refusesEach } from './refusals.ts';

const post = (expect: string, body = ''): string =>
  `POST / HTTP/1.1\r\nHost: a\r\nExpect: ${expect}\r\nContent-Length: 3\r\n\r\n${body}`;

test('100 (Continue) of the backend reaches the client, then its body the backend', async (t) => {
  const { client, backend } = await stage(t, (connection) => {
    if (connection.received.endsWith('\r\n\r\n')) connection.socket.write('HTTP/1.1 100 Continue\r\n\r\n');
    if (connection.received.endsWith('\r\n\r\nabc'))
      connection.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  });
  const browser = await client();
  const interim = await browser.send(post('100-continue')).contains('\r\n\r\n');
  assert.match(interim, /^HTTP\/1\.1 100 Continue\r\n/);
  assert.doesNotMatch(interim, /Content-Length|Connection|Date/i);
  assert.match(backend.received, /\r\nExpect: 100-continue\r\n/);
  browser.received = '';
  assert.match(await browser.send('abc').contains('ok'), /^HTTP\/1\.1 200 OK\r\n/);
  browser.received = '';
  await browser.send(post('100-Continue', 'abc')).contains('ok');
  assert.equal(backend.connections.length, 1, 'both connections can be used again');
});

test('a final answer without 100 reaches the client at once, and both connections end with it', async (t) => {
  const { client, backend } = await stage(t, (connection) => {
    connection.socket.write('HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno');
  });
  const browser = await client();
  const answered = await browser.send(post('100-continue')).end();
  assert.match(answered, /^HTTP\/1\.1 401 Unauthorized\r\n[\s\S]*\r\nConnection: close\r\n\r\nno$/);
  await backend.until(({ connections }) => connections[0]?.ended === true || connections[0]?.closed === true);
});

test('what a client sends after a final answer without 100 is never taken for a request', async (t) => {
  const { client, backend } = await stage(t, (connection) => {
    connection.socket.write('HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n');
  });
  const browser = await client();
  const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';
  browser.send(
    `POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: ${smuggled.length}\r\n\r\n`,
  );
  await browser.contains(' 417 ');
  browser.send(smuggled);
  await browser.end();
  assert.doesNotMatch(backend.received, /smuggled/);
});

test('a client that does not wait for 100 loses nothing', async (t) => {
  const { client, backend } = await stage(t, answer());
  const browser = await client();
  await browser.send(post('100-continue', 'abc')).contains('ok');
  assert.match(backend.received, /\r\nExpect: 100-continue\r\n[\s\S]*\r\n\r\nabc$/);
});

test('an expectation without a body is not passed on', async (t) => {
  const { client, backend } = await stage(t, answer());
  const browser = await client();
  await browser.send('GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n').contains('ok');
  assert.doesNotMatch(backend.received, /Expect/i);
});

refusesEach(
  'any other expectation is refused (RFC 9110 §10.1.1)',
  [
    '',
    '100-continued',
    '100 continue',
    'y 100-continue',
    '100-continue;q=1',
    '100-continue, x',
    '100-continue, 100-continue',
    '100-continue\r\nExpect: x',
    '"100-continue"',
    '200-ok',
  ].map((expect) => ({
    name: JSON.stringify(expect),
    bytes: post(expect, 'abc'),
    code: 'bad_expect',
    status: 417,
  })),
);

test('103 (Early Hints) reaches the client ahead of the answer, less its hop-by-hop fields', async (t) => {
  const { client } = await stage(
    t,
    answer(
      'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nKeep-Alive: timeout=1\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
    ),
  );
  const browser = await client();
  const answered = await browser.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n').contains('ok');
  assert.match(
    answered,
    /^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a\.css>; rel=preload\r\nVia: 1\.1 portway\r\n\r\nHTTP\/1\.1 200 OK\r\n/,
  );
  assert.doesNotMatch(answered, /Keep-Alive/i);
});

test('any number of interim answers is passed on in order, whatever they are', async (t) => {
  const interim = [100, 102, 103, 104, 199].map((status) => `HTTP/1.1 ${status} X\r\n\r\n`).join('');
  const { client } = await stage(t, answer(`${interim}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok`));
  const browser = await client();
  const answered = await browser.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n').contains('ok');
  assert.deepEqual(
    [...answered.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => status),
    ['100', '102', '103', '104', '199', '200'],
  );
});
