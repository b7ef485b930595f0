import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answer, stage } from '../support/stage.ts';

test('a request reaches the backend and its answer the client', async (t) => {
  const { client, backend } = await stage(t, answer());
  const browser = await client();
  browser.send('GET /a?b=c HTTP/1.1\r\nHost: example.com\r\nX-Mine: 1\r\n\r\n');
  const answered = await browser.contains('ok');
  assert.match(
    answered,
    /^HTTP\/1\.1 200 OK\r\nContent-Length: 2\r\nDate: [^\r]+\r\nVia: 1\.1 portway\r\n\r\nok$/,
  );
  assert.match(
    backend.received,
    /^GET \/a\?b=c HTTP\/1\.1\r\nHost: example\.com\r\nX-Mine: 1\r\nVia: 1\.1 portway\r\n/,
  );
});

test('pipelined requests are answered in their order', async (t) => {
  let served = 0;
  const { client } = await stage(t, (connection) => {
    served += 1;
    connection.socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nn${served}`);
  });
  const browser = await client();
  browser.send(
    'GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  );
  const answered = await browser.end();
  assert.deepEqual(answered.match(/n\d/g), ['n1', 'n2', 'n3']);
  assert.equal(answered.match(/Connection: close/g)?.length, 1);
});

test('CL with TE is refused and nothing reaches the backend', async (t) => {
  const { client, backend } = await stage(t, answer());
  const browser = await client();
  browser.send(
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  );
  const answered = await browser.end();
  assert.match(answered, /^HTTP\/1\.1 400 Bad Request\r\n[\s\S]*"code":"bad_transfer_encoding"/);
  assert.equal(backend.connections.length, 0);
});
