import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answer, stage } from '../../support/stage.ts';

// http-proxy: a request with a long body crashed the process when fields were set after they had been sent.
test('fields that a route sets are sent before the body, however long that is', async (t) => {
  const length = 1_000_000;
  const { client, backend } = await stage(
    t,
    (connection) => {
      if (connection.received.length > length)
        connection.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    },
    { route: { requestHeaders: { set: { 'X-Set': '1' }, remove: [] } } },
  );
  const browser = await client();
  browser.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`).send('x'.repeat(length));
  await browser.contains('ok');
  assert.match(backend.received.slice(0, 2_000), /\r\nX-Set: 1\r\n(?:[\s\S]*\r\n)?\r\nxxx/);
});

test('a body longer than its length is the next request, and a bad one', async (t) => {
  const { client } = await stage(t, answer());
  const browser = await client();
  const answered = await browser
    .send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n${'A'.repeat(20_000)}`)
    .end();
  assert.match(answered, /^HTTP\/1\.1 200 OK\r\n[\s\S]*okHTTP\/1\.1 400 /);
});
