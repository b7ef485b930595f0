import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answer, stage } from '../support/stage.ts';
import { brokenOff, splitHead } from './refusals.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

test('an answer that ends with its connection becomes chunked, and the client’s connection goes on', async (t) => {
  for (const version of ['1.0', '1.1']) {
    await t.test(`HTTP/${version}`, async (row) => {
      const { client, backend } = await stage(row, (connection) => {
        connection.socket.end(`HTTP/${version} 200 OK\r\nX: 1\r\n\r\nhello`);
      });
      const browser = await client();
      for (let turn = 1; turn <= 2; turn++) {
        browser.received = '';
        const [head, body] = splitHead(await browser.send(GET).contains('\r\n0\r\n\r\n'));
        assert.match(head, /^HTTP\/1\.1 200 OK\r\nX: 1\r\nTransfer-Encoding: chunked\r\n/);
        assert.equal(body, '5\r\nhello\r\n0\r\n\r\n');
        assert.equal(backend.connections.length, turn);
      }
    });
  }
});

test('an empty answer that ends with its connection is an empty chunked one', async (t) => {
  const { client } = await stage(t, (connection) => connection.socket.end('HTTP/1.1 200 OK\r\n\r\n'));
  const browser = await client();
  assert.equal(splitHead(await browser.send(GET).contains('0\r\n\r\n'))[1], '0\r\n\r\n');
});

test('an answer that should end with its connection, but ends with a reset, is broken off', async (t) => {
  const { client, backend } = await stage(t, (connection) => {
    connection.socket.write('HTTP/1.1 200 OK\r\n\r\nhello');
  });
  const browser = await client();
  await browser.send(GET).contains('hello');
  backend.connections[0]?.socket.resetAndDestroy();
  assert.doesNotMatch(await brokenOff(browser), /\r\n0\r\n/);
});

test('chunks reach the client as they came, extensions and leading zeros aside', async (t) => {
  const chunked =
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n006;x="y"\r\n world\r\n0;z\r\n\r\n';
  const { client, backend } = await stage(t, answer(chunked));
  const browser = await client();
  for (let turn = 0; turn < 2; turn++) {
    browser.received = '';
    const [head, body] = splitHead(await browser.send(GET).contains('\r\n0\r\n\r\n'));
    assert.match(head, /\r\nTransfer-Encoding: chunked\r\n/);
    assert.doesNotMatch(head, /Content-Length/i);
    assert.equal(body, '5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n');
  }
  assert.equal(backend.connections.length, 1);
});

test('a backend connection is used again only when its answer lets it', async (t) => {
  for (const [name, head, uses] of [
    ['HTTP/1.1', 'HTTP/1.1 200 OK\r\n', 1],
    ['HTTP/1.1 with Connection: close', 'HTTP/1.1 200 OK\r\nConnection: close\r\n', 2],
    ['HTTP/1.1 with close among others', 'HTTP/1.1 200 OK\r\nConnection: x, Close\r\n', 2],
    ['HTTP/1.1 with both', 'HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nConnection: close\r\n', 2],
    ['HTTP/1.0', 'HTTP/1.0 200 OK\r\n', 2],
    ['HTTP/1.0 with keep-alive', 'HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n', 1],
  ] as const) {
    await t.test(name, async (row) => {
      const { client, backend } = await stage(row, answer(`${head}Content-Length: 2\r\n\r\nok`));
      const browser = await client();
      for (let turn = 0; turn < 2; turn++) {
        browser.received = '';
        const answered = await browser.send(GET).contains('\r\n\r\nok');
        assert.doesNotMatch(answered, /Connection/, 'the backend’s wish is not the client’s');
      }
      assert.equal(backend.connections.length, uses);
    });
  }
});

test('a status line without reason is written with its space, an odd one as it came (RFC 9112 §4)', async (t) => {
  for (const [line, expected] of [
    ['HTTP/1.1 200', 'HTTP/1.1 200 '],
    ['HTTP/1.1 200 ', 'HTTP/1.1 200 '],
    ['HTTP/1.0 200', 'HTTP/1.1 200 '],
    ['HTTP/1.1 299 Very  odd\t\xe9', 'HTTP/1.1 299 Very  odd\t\xe9'],
    ['HTTP/1.1 599 X', 'HTTP/1.1 599 X'],
  ] as const) {
    await t.test(JSON.stringify(line), async (row) => {
      const { client } = await stage(row, answer(`${line}\r\nContent-Length: 2\r\n\r\nok`));
      const browser = await client();
      const answered = await browser.send(GET).contains('\r\n\r\nok');
      assert.equal(answered.slice(0, answered.indexOf('\r\n')), expected);
    });
  }
});

test('an answer without any field is complete with its status line', async (t) => {
  const { client } = await stage(t, answer('HTTP/1.1 204 No Content\r\n\r\n'));
  const browser = await client();
  assert.match(
    await browser.send(GET).contains('\r\n\r\n'),
    /^HTTP\/1\.1 204 No Content\r\nDate: [^\r]+\r\nVia: 1\.1 portway\r\n\r\n$/,
  );
});
