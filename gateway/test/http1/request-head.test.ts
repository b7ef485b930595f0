import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHUNKED, hasOption, parseLength, RequestHead } from '../../src/data/http1/request-head.ts';

const LIMITS = { maxHeadBytes: 16 * 1024, maxTargetBytes: 8 * 1024, maxHeaders: 100 };

function parse(text: string, head = new RequestHead(LIMITS)): RequestHead | string {
  const bytes = Buffer.from(`${text}\0`, 'latin1');
  return head.parse(bytes, 0, text.length) ?? head;
}

function parsed(text: string): RequestHead {
  const head = parse(text);
  assert.ok(typeof head !== 'string', `${JSON.stringify(text)}: ${String(head)}`);
  return head;
}

test('target forms are read into path, query and host (RFC 9112 §3.2)', () => {
  for (const [line, path, query, host, absolute] of [
    ['GET /', '/', '', 'a', false],
    ['GET /x?y', '/x', '?y', 'a', false],
    ['GET /x?', '/x', '?', 'a', false],
    ['GET /x??y?z', '/x', '??y?z', 'a', false],
    ['GET //x', '//x', '', 'a', false],
    ['GET http://b', '/', '', 'b', true],
    ['GET http://b/', '/', '', 'b', true],
    ['GET http://b:1/x?y', '/x', '?y', 'b:1', true],
    ['GET http://b?y', '/', '?y', 'b', true],
    ['GET https://b/x', '/x', '', 'b', true],
    ['GET HTTP://[::1]:1/', '/', '', '[::1]:1', true],
    ['OPTIONS *', '*', '', 'a', false],
    ['OPTIONS http://b', '*', '', 'b', true],
    ['OPTIONS http://b/', '/', '', 'b', true],
    ['CONNECT b:1', '', '', 'b:1', false],
  ] as const) {
    const head = parsed(`${line} HTTP/1.1\r\nHost: a\r\n\r\n`);
    assert.deepEqual([head.path, head.query, head.host, head.absolute], [path, query, host, absolute], line);
  }
});

test('framing is a number of bytes, or chunked', () => {
  for (const [fields, length] of [
    ['', 0],
    ['Content-Length: 0\r\n', 0],
    ['Content-Length: 00012\r\n', 12],
    ['Content-Length: 999999999999999\r\n', 999_999_999_999_999],
    ['Transfer-Encoding: chunked\r\n', CHUNKED],
    ['Transfer-Encoding: CHUNKED\r\n', CHUNKED],
  ] as const) {
    assert.equal(parsed(`POST / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`).bodyLength, length, fields);
  }
});

test('persistence follows the version and Connection (RFC 9112 §9.3)', () => {
  for (const [version, connection, keepAlive] of [
    ['1.1', undefined, true],
    ['1.1', 'keep-alive', true],
    ['1.1', 'close', false],
    ['1.1', 'CLOSE', false],
    ['1.1', 'x, close', false],
    ['1.1', 'close-not', true],
    ['1.0', undefined, false],
    ['1.0', 'keep-alive', true],
    ['1.0', 'Keep-Alive, x', true],
    ['1.0', 'keep-alive, close', false],
    ['1.0', 'not-keep-alive', false],
    ['1.1', '', true],
  ] as const) {
    const line = connection === undefined ? '' : `Connection: ${connection}\r\n`;
    assert.equal(
      parsed(`GET / HTTP/${version}\r\nHost: a\r\n${line}\r\n`).keepAlive,
      keepAlive,
      `${version} ${connection}`,
    );
  }
});

test('Upgrade counts only where Connection names it (RFC 9110 §7.8)', () => {
  for (const [fields, upgrade] of [
    ['Connection: Upgrade\r\nUpgrade: websocket\r\n', 'websocket'],
    ['Upgrade: websocket\r\nConnection: keep-alive, upgrade\r\n', 'websocket'],
    ['Upgrade: websocket\r\n', ''],
    ['Connection: upgrade\r\n', ''],
    ['Connection: upgraded\r\nUpgrade: websocket\r\n', ''],
  ] as const) {
    assert.equal(parsed(`GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`).upgrade, upgrade, fields);
  }
});

test('every prefix of a head is incomplete, and the head then ends where it ends', () => {
  for (const whole of [
    'GET /a?b HTTP/1.1\r\nHost: a\r\nX: 1\r\n\r\n',
    '\r\nPOST http://b/ HTTP/1.0\r\nHost: a\r\nContent-Length: 3\r\n\r\n',
    'GET / HTTP/1.0\r\n\r\n',
  ]) {
    for (let length = 0; length < whole.length; length++) {
      assert.equal(parse(whole.slice(0, length)), 'incomplete', JSON.stringify(whole.slice(0, length)));
    }
    assert.equal(parsed(`${whole}GET `).end, whole.length);
  }
});

test('nothing of a former request is left in the next', () => {
  const head = new RequestHead(LIMITS);
  parse(
    'POST http://b/x?y HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\nConnection: close, upgrade\r\nUpgrade: w\r\n\r\n',
    head,
  );
  assert.deepEqual(
    [head.bodyLength, head.expectContinue, head.keepAlive, head.upgrade, head.absolute],
    [CHUNKED, true, false, 'w', true],
  );
  parse('GET / HTTP/1.1\r\nHost: a\r\n\r\n', head);
  assert.deepEqual(
    [
      head.method,
      head.path,
      head.query,
      head.host,
      head.routeHost,
      head.bodyLength,
      head.expectContinue,
      head.keepAlive,
      head.upgrade,
      head.absolute,
    ],
    ['GET', '/', '', 'a', 'a', 0, false, true, '', false],
  );
  parse('GET / HTTP/1.0\r\n\r\n', head);
  assert.deepEqual([head.host, head.routeHost, head.minorVersion, head.keepAlive], ['', '', 0, false]);
  assert.equal(
    parse('GET / HTTP/1.1\r\nHost:\r\n\r\n', head),
    'bad_host',
    'an empty host is not made valid by the one before',
  );
});

test('a host is routed by its name: lower case, without port and final dot', () => {
  for (const [host, routeHost] of [
    ['A.Example:80', 'a.example'],
    ['a.example.', 'a.example'],
    ['[::1]:80', '[::1]'],
    ['a', 'a'],
  ] as const) {
    assert.equal(parsed(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`).routeHost, routeHost);
    assert.equal(parsed(`GET http://${host}/ HTTP/1.1\r\nHost: x\r\n\r\n`).routeHost, routeHost);
  }
});

test('options of a list are whole words', () => {
  for (const [list, option, found] of [
    ['close', 'close', true],
    ['a,close', 'close', true],
    ['close , a', 'close', true],
    ['a,\tclose\t', 'close', true],
    ['closed', 'close', false],
    ['un-close', 'close', false],
    ['closed, close', 'close', true],
    ['', 'close', false],
  ] as const) {
    assert.equal(hasOption(list, option), found, list);
  }
});

test('a length is digits, as many as can be counted exactly', () => {
  for (const [text, length] of [
    ['0', 0],
    ['007', 7],
    ['999999999999999', 999_999_999_999_999],
    ['9999999999999999', -1],
    ['', -1],
    [' 1', -1],
    ['1 ', -1],
    ['+1', -1],
    ['-1', -1],
    ['1.0', -1],
    ['0x1', -1],
    ['１', -1],
  ] as const) {
    assert.equal(parseLength(text), length, JSON.stringify(text));
  }
});
