import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answer, stage } from '../support/stage.ts';
import { brokenOff, splitHead } from './refusals.ts';

test('an HTTP/1.0 client needs no Host and is closed after its answer', async (t) => {
  const { client, backend } = await stage(t, answer());
  const browser = await client();
  const [head, body] = splitHead(await browser.send('GET / HTTP/1.0\r\n\r\n').end());
  assert.match(head, /^HTTP\/1\.1 200 OK\r\n/);
  assert.match(head, /\r\nConnection: close$/);
  assert.equal(body, 'ok');
  assert.match(backend.received, /^GET \/ HTTP\/1\.1\r\nHost: \r\n/);
  assert.match(backend.received, /\r\nVia: 1\.0 portway\r\n/);
});

test('an HTTP/1.0 client that asks for keep-alive gets it, and is told', async (t) => {
  const { client } = await stage(t, answer());
  const browser = await client();
  for (const option of ['keep-alive', 'Keep-Alive', 'x, KEEP-ALIVE']) {
    browser.received = '';
    browser.send(`GET / HTTP/1.0\r\nConnection: ${option}\r\n\r\n`);
    assert.match(await browser.contains('ok'), /\r\nConnection: keep-alive\r\n\r\nok$/);
  }
  browser.received = '';
  assert.match(await browser.send('GET / HTTP/1.0\r\n\r\n').end(), /\r\nConnection: close\r\n\r\nok$/);
});

test('close wins over keep-alive, whatever the order and the version', async (t) => {
  const { client } = await stage(t, answer());
  for (const version of ['1.0', '1.1']) {
    for (const option of [
      'keep-alive, close',
      'close, keep-alive',
      'Close',
      'keep-alive\r\nConnection: CLOSE',
    ]) {
      const browser = await client();
      browser.send(`GET / HTTP/${version}\r\nHost: a\r\nConnection: ${option}\r\n\r\n`);
      assert.match(await browser.end(), /\r\nConnection: close\r\n\r\nok$/);
    }
  }
});

test('a chunked answer reaches an HTTP/1.0 client without chunks, ended by the end of the connection', async (t) => {
  const chunked =
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n04\r\ndefg\r\n0\r\nX-Sum: 1\r\n\r\n';
  const { client } = await stage(t, answer(chunked));
  const browser = await client();
  const [head, body] = splitHead(
    await browser.send('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n').end(),
  );
  assert.equal(body, 'abcdefg');
  assert.match(head, /\r\nConnection: close$/);
  assert.doesNotMatch(head, /Transfer-Encoding|Content-Length/i);
  assert.equal(browser.error, undefined);
});

test('a chunked answer that breaks off resets the connection of an HTTP/1.0 client: an end would look complete', async (t) => {
  const { client } = await stage(t, (connection) => {
    connection.socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
    connection.socket.end();
  });
  const browser = await client();
  await brokenOff(browser.send('GET / HTTP/1.0\r\n\r\n'));
});

test('an answer that ends with its connection reaches an HTTP/1.0 client as it is', async (t) => {
  const { client } = await stage(t, (connection) => {
    connection.socket.end('HTTP/1.0 200 OK\r\n\r\nabc');
  });
  const browser = await client();
  const [head, body] = splitHead(await browser.send('GET / HTTP/1.0\r\n\r\n').end());
  assert.equal(body, 'abc');
  assert.match(head, /^HTTP\/1\.1 200 OK\r\n/);
  assert.match(head, /\r\nVia: 1\.0 portway\r\n/);
});

test('no interim answer reaches an HTTP/1.0 client (RFC 9110 §15.2), and its Expect goes no further', async (t) => {
  const { client, backend } = await stage(t, (connection) => {
    connection.socket.write('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n');
    connection.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  });
  const browser = await client();
  const answered = await browser
    .send('POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\na')
    .end();
  assert.match(answered, /^HTTP\/1\.1 200 OK\r\n/);
  assert.doesNotMatch(answered, / 10[03] /);
  assert.doesNotMatch(backend.received, /Expect/);
});

test('a body of an HTTP/1.0 request has the length it declares, and no other', async (t) => {
  const { client, backend } = await stage(t, answer());
  const browser = await client();
  await browser
    .send('POST / HTTP/1.0\r\nContent-Length: 3\r\nConnection: keep-alive\r\n\r\nabc')
    .contains('ok');
  assert.match(backend.received, /\r\nContent-Length: 3\r\n[\s\S]*\r\n\r\nabc$/);
});

test('an Upgrade of an HTTP/1.0 client is not passed on (RFC 9110 §7.8)', async (t) => {
  const { client, backend } = await stage(t, answer());
  const browser = await client();
  await browser.send('GET / HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n').end();
  assert.doesNotMatch(backend.received, /Upgrade/i);
});
