import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RawConnection } from '../support/raw-backend.ts';
import { OK, stage } from '../support/stage.ts';
import { brokenOff, splitHead } from './refusals.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

/** Answers the first request ever with `first`, all others with OK. */
function onceThenOk(first: string): (connection: RawConnection, data: string) => void {
  let answered = 0;
  return (connection, data) => {
    if (!data.endsWith('\r\n\r\n')) return;
    answered += 1;
    connection.socket.write(answered === 1 ? first : OK, 'latin1');
  };
}

interface BadResponse {
  readonly name: string;
  readonly response: string;
  readonly code?: string;
}

const head = (fields: string, body = ''): string => `HTTP/1.1 200 OK\r\n${fields}\r\n${body}`;
const line = (statusLine: string): string => `${statusLine}\r\nContent-Length: 2\r\n\r\nok`;

const BAD: readonly BadResponse[] = [
  { name: 'CL with TE', response: head('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n') },
  { name: 'TE with CL', response: head('Transfer-Encoding: chunked\r\nContent-Length: 5\r\n', '0\r\n\r\n') },
  { name: 'two lengths that differ', response: head('Content-Length: 2\r\nContent-Length: 3\r\n', 'ok') },
  { name: 'two lengths alike', response: head('Content-Length: 2\r\nContent-Length: 2\r\n', 'ok') },
  ...['', '+2', '-2', '0x2', '2, 2', '2 2', '1e3', '99999999999999999999'].map((length) => ({
    name: `the length ${JSON.stringify(length)}`,
    response: head(`Content-Length: ${length}\r\n`, 'ok'),
  })),
  ...[
    'gzip',
    'identity',
    'gzip, chunked',
    'chunked, chunked',
    'chunked, gzip',
    'xchunked',
    'chunked;a',
    '',
    '\x0bchunked',
  ].map((coding) => ({
    name: `Transfer-Encoding: ${JSON.stringify(coding)}`,
    response: head(`Transfer-Encoding: ${coding}\r\n`, '2\r\nok\r\n0\r\n\r\n'),
  })),
  {
    name: 'two Transfer-Encodings',
    response: head('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
  },
  {
    name: 'Transfer-Encoding in HTTP/1.0',
    response: 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  },
  ...[
    'HTTP/2.0 200 OK',
    'HTTP/1.2 200 OK',
    'HTTP/0.9 200 OK',
    'http/1.1 200 OK',
    'HTTP/1.1  200 OK',
    'HTTP/1.1\t200 OK',
    'HTTP/1.1 20 OK',
    'HTTP/1.1 2000 OK',
    'HTTP/1.1 099 OK',
    'HTTP/1.1 600 OK',
    'HTTP/1.1 2x0 OK',
    'HTTP/1.1 -20 OK',
    'HTTP/1.1 200\tOK',
    'HTTP/1.1 200OK',
    'HTTP/1.1 200 O\0K',
    'HTTP/1.1 200 O\rK',
    'HTTP/1.1 200 O\x7fK',
    'ICY 200 OK',
    ' HTTP/1.1 200 OK',
    '\r\nHTTP/1.1 200 OK',
    'GET / HTTP/1.1',
    '<html>',
  ].map((statusLine) => ({
    name: `the status line ${JSON.stringify(statusLine)}`,
    response: line(statusLine),
  })),
  { name: 'a status line ended by a bare LF', response: 'HTTP/1.1 200 OK\nContent-Length: 2\r\n\r\nok' },
  { name: 'a field ended by a bare LF', response: head('X: 1\nContent-Length: 2\r\n', 'ok') },
  { name: 'a field ended by a bare CR', response: head('X: 1\rContent-Length: 2\r\n', 'ok') },
  { name: 'a head of bare LFs', response: 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok' },
  { name: 'a folded field', response: head('X: 1\r\n 2\r\nContent-Length: 2\r\n', 'ok') },
  { name: 'a space before the colon', response: head('Content-Length : 2\r\n', 'ok') },
  { name: 'a field without name', response: head(': 2\r\nContent-Length: 2\r\n', 'ok') },
  { name: 'a field without colon', response: head('X\r\nContent-Length: 2\r\n', 'ok') },
  { name: 'NUL in a value', response: head('X: \0\r\nContent-Length: 2\r\n', 'ok') },
  {
    name: 'garbage after an interim answer',
    response: 'HTTP/1.1 100 Continue\r\n\r\ngarbage that is no status line\r\n\r\n',
  },
  {
    name: 'an interim answer with a body',
    response:
      'HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
  },
  {
    name: 'a head of more than 64 KiB',
    response: head(`X: ${'a'.repeat(65 * 1024)}\r\n`),
    code: 'response_head_too_large',
  },
  {
    name: 'a head without end',
    response: `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(70 * 1024)}`,
    code: 'response_head_too_large',
  },
  { name: 'more than 500 fields', response: head('X: 1\r\n'.repeat(501)), code: 'response_head_too_large' },
  {
    name: 'a reason without end',
    response: `HTTP/1.1 200 ${'a'.repeat(70 * 1024)}`,
    code: 'response_head_too_large',
  },
  {
    name: '101 that nobody asked for',
    response: 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    code: 'bad_upgrade',
  },
];

for (const { name, response, code = 'bad_response' } of BAD) {
  test(`${name} from a backend is a 502, and its connection is never used again`, async (t) => {
    const { client, backend } = await stage(t, onceThenOk(response));
    const browser = await client();
    const [answered, body] = splitHead(await browser.send(GET).contains(`"code":"${code}"`));
    assert.match(answered.replace(/^HTTP\/1\.1 1\d\d [\s\S]*?\r\n\r\n/, ''), /^HTTP\/1\.1 (502|100|103) /);
    assert.match(`${answered}${body}`, new RegExp(`Proxy-Status: portway; error=[a-z_]+; details="${code}"`));
    await backend.until(
      ({ connections }) => connections[0]?.closed === true || connections[0]?.ended === true,
    );
    browser.received = '';
    assert.match(await browser.send(GET).contains('\r\n\r\nok'), /^HTTP\/1\.1 200 OK\r\n/);
    assert.equal(backend.connections.length, 2);
  });
}

const BEYOND: readonly { readonly name: string; readonly method?: string; readonly response: string }[] = [
  { name: 'bytes beyond Content-Length', response: `${OK}extra` },
  {
    name: 'a second answer (response splitting)',
    response: `${OK}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`,
  },
  {
    name: 'bytes after the last chunk',
    response:
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil',
  },
  { name: 'an empty line', response: `${OK}\r\n` },
];

for (const { name, response } of BEYOND) {
  test(`${name} after an answer: the answer stands, the rest is nobody’s, the connection ends`, async (t) => {
    const { client, backend } = await stage(t, onceThenOk(response));
    const browser = await client();
    const answered = await browser.send(GET).contains('ok');
    assert.doesNotMatch(answered, /extra|evil/);
    await backend.until(
      ({ connections }) => connections[0]?.closed === true || connections[0]?.ended === true,
    );
    browser.received = '';
    assert.match(await browser.send(GET).contains('ok'), /^HTTP\/1\.1 200 OK\r\n/);
    assert.doesNotMatch(browser.received, /extra|evil/);
    assert.equal(backend.connections.length, 2);
  });
}

test('bytes on an idle connection end it before the next request could take them for its answer', async (t) => {
  const { client, backend } = await stage(t, onceThenOk(OK));
  const browser = await client();
  await browser.send(GET).contains('ok');
  backend.connections[0]?.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil');
  await backend.until(({ connections }) => connections[0]?.closed === true || connections[0]?.ended === true);
  browser.received = '';
  assert.match(await browser.send(GET).contains('ok'), /^HTTP\/1\.1 200 OK\r\n/);
  assert.equal(backend.connections.length, 2);
});

const CUT: readonly { readonly name: string; readonly response: string }[] = [
  { name: 'in a body with length', response: 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello' },
  {
    name: 'before the first byte of a body with length',
    response: 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n',
  },
  { name: 'in a chunk', response: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\nhello' },
  { name: 'between chunks', response: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n' },
  {
    name: 'in a chunk size',
    response: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1',
  },
  {
    name: 'after the last chunk’s size',
    response: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n',
  },
  {
    name: 'in the trailers',
    response: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: 1\r\n',
  },
];

for (const { name, response } of CUT) {
  for (const how of ['FIN', 'RST'] as const) {
    test(`a backend that dies ${name} (${how}): the client sees a broken answer, never a complete one`, async (t) => {
      const { client, backend } = await stage(t, (connection) => {
        connection.socket.write(response);
      });
      const browser = await client();
      await browser.send(GET).contains('\r\n\r\n');
      if (response.includes('hello')) await browser.contains('hello');
      const socket = backend.connections[0]?.socket;
      if (how === 'FIN') socket?.end();
      else socket?.resetAndDestroy();
      const received = await brokenOff(browser);
      assert.doesNotMatch(received, /\r\n0\r\n/);
      assert.equal(backend.connections.length, 1);
    });
  }
}

test('a broken chunk in an answer breaks it off', async (t) => {
  for (const chunks of [
    '5\r\nhelloX',
    '5\r\nhello\n',
    '-1\r\n',
    '5 \r\nhello\r\n',
    '5\nhello\n0\n\n',
    '0\r\nX : 1\r\n\r\n',
    '0\r\n\n',
  ]) {
    await t.test(JSON.stringify(chunks), async (row) => {
      const { client, backend } = await stage(row, (connection) => {
        connection.socket.write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n${chunks}`);
      });
      const browser = await client();
      const received = await brokenOff(browser.send(GET));
      assert.doesNotMatch(received, /\r\n0\r\n/);
      await backend.until(
        ({ connections }) => connections[0]?.closed === true || connections[0]?.ended === true,
      );
    });
  }
});

test('a backend that closes without an answer is a 502', async (t) => {
  for (const partial of ['', 'HTTP/1.1 200 OK\r\nContent-Le']) {
    await t.test(JSON.stringify(partial), async (row) => {
      const { client } = await stage(row, (connection) => connection.socket.end(partial));
      const browser = await client();
      const answered = await browser
        .send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n')
        .contains('"backend_closed"');
      assert.match(answered, /^HTTP\/1\.1 502 Bad Gateway\r\n/);
    });
  }
});
