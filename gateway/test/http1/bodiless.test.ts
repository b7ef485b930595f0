import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answer, stage } from '../support/stage.ts';
import { splitHead } from './refusals.ts';

interface Bodiless {
  readonly name: string;
  readonly method: string;
  readonly response: string;
  /** Fields that must be in the client's answer, and some that must not. */
  readonly with?: RegExp;
  readonly without?: RegExp;
  /** Whether the backend's connection can be used again; it can when left out. */
  readonly reused?: false;
}

const CASES: readonly Bodiless[] = [
  {
    name: 'HEAD with a length',
    method: 'HEAD',
    response: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n',
    with: /\r\nContent-Length: 5\r\n/,
  },
  {
    name: 'HEAD with chunked',
    method: 'HEAD',
    response: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
    without: /Content-Length/i,
  },
  {
    name: 'HEAD with neither',
    method: 'HEAD',
    response: 'HTTP/1.1 200 OK\r\n\r\n',
    without: /Content-Length|Transfer-Encoding/i,
  },
  {
    name: 'HEAD of an error',
    method: 'HEAD',
    response: 'HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\n',
    with: /\r\nContent-Length: 9\r\n/,
  },
  {
    name: '204',
    method: 'GET',
    response: 'HTTP/1.1 204 No Content\r\n\r\n',
    without: /Content-Length|Transfer-Encoding/i,
  },
  {
    name: '204 with a length',
    method: 'GET',
    response: 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n',
    without: /Content-Length|Transfer-Encoding/i,
    reused: false,
  },
  {
    name: '204 with chunked',
    method: 'POST',
    response: 'HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n',
    without: /Content-Length|Transfer-Encoding/i,
    reused: false,
  },
  {
    name: '304 with a length',
    method: 'GET',
    response: 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: "x"\r\n\r\n',
    with: /\r\nContent-Length: 5\r\nETag: "x"\r\n/,
  },
  {
    name: '304 with chunked',
    method: 'GET',
    response: 'HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n',
    without: /Transfer-Encoding/i,
  },
];

for (const { name, method, response, with: present, without, reused = true } of CASES) {
  test(`${name}: there is no body, and the connections can${reused ? '' : 'not both'} be used again (RFC 9112 §6.3)`, async (t) => {
    const { client, backend } = await stage(t, answer(response));
    const browser = await client();
    for (let turn = 1; turn <= 2; turn++) {
      browser.received = '';
      browser.send(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`);
      const [head, body] = splitHead(await browser.contains('\r\n\r\n'));
      if (present !== undefined) assert.match(`${head}\r\n`, present);
      if (without !== undefined) assert.doesNotMatch(head, without);
      assert.doesNotMatch(head, /Connection/);
      assert.equal(body, '');
    }
    assert.equal(backend.connections.length, reused ? 1 : 2);
  });
}

test('a body where there must be none goes no further, and ends the backend connection', async (t) => {
  for (const [method, response] of [
    ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'],
    ['GET', 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello'],
    ['GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello'],
    ['HEAD', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'],
  ] as const) {
    await t.test(`${method}, ${response.slice(9, 12)}`, async (row) => {
      const { client, backend } = await stage(row, answer(response));
      const browser = await client();
      for (let turn = 0; turn < 2; turn++) {
        browser.received = '';
        browser.send(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`);
        const [, body] = splitHead(await browser.contains('\r\n\r\n'));
        assert.equal(body, '');
      }
      assert.equal(backend.connections.length, 2);
    });
  }
});

test('HEAD and failures of the gateway itself: the fields of the problem, without its body', async (t) => {
  const { client } = await stage(t, answer(), { route: { path: '/only', name: '/only' } });
  const browser = await client();
  browser.send(
    'HEAD / HTTP/1.1\r\nHost: a\r\n\r\nHEAD /only HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  );
  const answered = await browser.end();
  assert.match(
    answered,
    /^HTTP\/1\.1 404 Not Found\r\n[\s\S]*?\r\nContent-Length: [1-9]\d*\r\n[\s\S]*?\r\n\r\nHTTP\/1\.1 200 OK\r\n/,
  );
});

test('a body of a GET, DELETE or OPTIONS is a body like any other', async (t) => {
  for (const method of ['GET', 'DELETE', 'OPTIONS', 'HEAD']) {
    await t.test(method, async (row) => {
      const { client, backend } = await stage(row, (connection) => {
        if (connection.received.endsWith('\r\n\r\nabc'))
          connection.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
      });
      const browser = await client();
      await browser
        .send(`${method} /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc`)
        .contains('200 OK');
      assert.match(backend.received, /\r\nContent-Length: 3\r\n[\s\S]*\r\n\r\nabc$/);
    });
  }
});
