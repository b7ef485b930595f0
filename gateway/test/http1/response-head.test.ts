import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHUNKED } from '../../src/data/http1/request-head.ts';
import { ResponseHead, UNTIL_CLOSE } from '../../src/data/http1/response-head.ts';

function parse(text: string, head = new ResponseHead()): ResponseHead | string {
  const bytes = Buffer.from(`${text}\0`, 'latin1');
  return head.parse(bytes, 0, text.length) ?? head;
}

function parsed(text: string): ResponseHead {
  const head = parse(text);
  assert.ok(typeof head !== 'string', `${JSON.stringify(text)}: ${String(head)}`);
  return head;
}

test('status, reason and version are read', () => {
  for (const [line, status, reason, minorVersion] of [
    ['HTTP/1.1 200 OK', 200, 'OK', 1],
    ['HTTP/1.1 200 ', 200, '', 1],
    ['HTTP/1.1 200', 200, '', 1],
    ['HTTP/1.0 404 Not Found', 404, 'Not Found', 0],
    ['HTTP/1.1 599 \xe9', 599, '\xe9', 1],
    ['HTTP/1.1 100  x ', 100, ' x ', 1],
  ] as const) {
    const head = parsed(`${line}\r\n\r\n`);
    assert.deepEqual([head.status, head.reason, head.minorVersion], [status, reason, minorVersion], line);
  }
});

test('framing is a number of bytes, chunked, or the end of the connection (RFC 9112 §6.3)', () => {
  for (const [fields, length] of [
    ['', UNTIL_CLOSE],
    ['Content-Length: 0\r\n', 0],
    ['Content-Length: 12\r\n', 12],
    ['Transfer-Encoding: Chunked\r\n', CHUNKED],
  ] as const) {
    assert.equal(parsed(`HTTP/1.1 200 OK\r\n${fields}\r\n`).bodyLength, length, fields);
  }
});

test('persistence follows the version and Connection', () => {
  for (const [version, connection, keepAlive] of [
    ['1.1', undefined, true],
    ['1.1', 'close', false],
    ['1.1', 'keep-alive, Close', false],
    ['1.0', undefined, false],
    ['1.0', 'Keep-Alive', true],
    ['1.0', 'keep-alive', true],
    ['1.0', 'x', false],
  ] as const) {
    const line = connection === undefined ? '' : `Connection: ${connection}\r\n`;
    assert.equal(
      parsed(`HTTP/${version} 200 OK\r\nContent-Length: 0\r\n${line}\r\n`).keepAlive,
      keepAlive,
      `${version} ${connection}`,
    );
  }
});

test('every prefix of a head is incomplete, and the head then ends where it ends', () => {
  for (const whole of [
    'HTTP/1.1 200 OK\r\nX: 1\r\nContent-Length: 3\r\n\r\n',
    'HTTP/1.0 204\r\n\r\n',
    'HTTP/1.1 103 \r\nLink: x\r\n\r\n',
  ]) {
    for (let length = 0; length < whole.length; length++) {
      assert.equal(parse(whole.slice(0, length)), 'incomplete', JSON.stringify(whole.slice(0, length)));
    }
    assert.equal(parsed(`${whole}abc`).end, whole.length);
  }
});

test('what cannot become a status line is seen at its first wrong byte', () => {
  for (const text of ['G', 'HTTP/2', 'HTTP/1,', 'http', '\r\n', ' ', '<'])
    assert.equal(parse(text), 'malformed', text);
});

test('a head may have 64 KiB and 500 fields, and no more', () => {
  const start = 'HTTP/1.1 200 OK\r\nX: ';
  const sized = (bytes: number): string => `${start}${'a'.repeat(bytes - start.length - 4)}\r\n\r\n`;
  parsed(sized(64 * 1024));
  assert.equal(parse(sized(64 * 1024 + 1)), 'too-large');
  assert.equal(parse(sized(64 * 1024 + 10).slice(0, 64 * 1024 + 1)), 'too-large');
  parsed(`HTTP/1.1 200 OK\r\n${'X: 1\r\n'.repeat(500)}\r\n`);
  assert.equal(parse(`HTTP/1.1 200 OK\r\n${'X: 1\r\n'.repeat(501)}\r\n`), 'too-large');
});

test('nothing of a former answer is left in the next', () => {
  const head = new ResponseHead();
  parse('HTTP/1.0 404 Gone\r\nTransfer: x\r\nConnection: close\r\nContent-Length: 4\r\n\r\n', head);
  parse('HTTP/1.1 200\r\n\r\n', head);
  assert.deepEqual(
    [head.status, head.reason, head.minorVersion, head.bodyLength, head.keepAlive, head.fields.count],
    [200, '', 1, UNTIL_CLOSE, true, 0],
  );
});
