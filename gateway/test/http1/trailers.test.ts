import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answer, stage } from '../support/stage.ts';
import { splitHead } from './refusals.ts';

/**
 * Fields that route, control or authenticate a message (RFC 9110 §6.5.1): none may come after its body. Those that frame it
 * are not dropped but refused: see fuzz/found.
 */
const FORBIDDEN = [
  'Host',
  'Connection',
  'Keep-Alive',
  'Proxy-Connection',
  'TE',
  'Trailer',
  'Upgrade',
  'Expect',
  'Max-Forwards',
  'Authorization',
  'Proxy-Authorization',
  'Proxy-Authenticate',
  'WWW-Authenticate',
  'Cookie',
  'Set-Cookie',
  'Cache-Control',
  'Content-Type',
  'Content-Encoding',
  'Content-Range',
  'Range',
  'Location',
  'Age',
  'Expires',
  'Date',
  'Vary',
  'Retry-After',
  'Via',
  'Forwarded',
  'X-Forwarded-For',
  'X-Forwarded-Proto',
  'X-Forwarded-Host',
  'X_Forwarded_For',
  'X-Real-IP',
  'X-Request-Id',
  'traceparent',
];
const ALL = FORBIDDEN.map((name) => `${name}: evil\r\n`).join('');
const BODY = `3\r\nabc\r\n0\r\nX-Sum: 1\r\n${ALL}x-other:2\r\n\r\n`;
const CLEAN = '3\r\nabc\r\n0\r\nX-Sum: 1\r\nx-other: 2\r\n\r\n';

test('trailers of a request reach the backend, less the forbidden ones', async (t) => {
  const { client, backend } = await stage(t, (connection) => {
    if (connection.received.endsWith('x-other: 2\r\n\r\n'))
      connection.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  });
  const browser = await client();
  await browser
    .send(`POST / HTTP/1.1\r\nHost: a\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n${BODY}`)
    .contains('\r\n\r\nok');
  const [head, body] = splitHead(backend.received);
  assert.equal(body, CLEAN);
  assert.match(head, /\r\nTrailer: X-Sum\r\n/);
});

test('trailers of an answer reach the client, less the forbidden ones', async (t) => {
  const { client } = await stage(
    t,
    answer(`HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n${BODY}`),
  );
  const browser = await client();
  const answered = await browser
    .send('GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE\r\n\r\n')
    .contains('x-other: 2\r\n\r\n');
  const [head, body] = splitHead(answered);
  assert.equal(body, CLEAN);
  assert.match(head, /\r\nTrailer: X-Sum\r\n/);
});

test('TE: trailers is passed on with its Connection option; other codings are not', async (t) => {
  const { client, backend } = await stage(t, answer());
  const browser = await client();
  await browser
    .send('GET / HTTP/1.1\r\nHost: a\r\nTE: gzip, trailers;q=0.5, Trailers\r\nConnection: TE\r\n\r\n')
    .contains('ok');
  assert.match(backend.received, /\r\nTE: trailers\r\nConnection: TE\r\n/);
  browser.received = '';
  await browser.send('GET /2 HTTP/1.1\r\nHost: a\r\nTE: gzip\r\nConnection: TE\r\n\r\n').contains('ok');
  assert.doesNotMatch(backend.received.slice(backend.received.indexOf('GET /2')), /\bTE\b/);
});

test('a hundred trailers and 16 KiB of them pass', async (t) => {
  const many = 'X: 1\r\n'.repeat(100);
  const large = `X: ${'a'.repeat(16 * 1024 - 7)}\r\n`;
  for (const trailers of [many, large]) {
    await t.test(`${trailers.length} bytes`, async (row) => {
      const { client } = await stage(
        row,
        answer(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n${trailers}\r\n`),
      );
      const browser = await client();
      const answered = await browser
        .send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
        .until((received) => received.endsWith('\r\n\r\n') && received.includes('X: '));
      assert.equal(splitHead(answered)[1], `0\r\n${trailers}\r\n`);
    });
  }
});
