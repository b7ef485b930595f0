import assert from 'node:assert/strict';
import { test } from 'node:test';
import { post, SMUGGLED, worksWithoutGateway } from './attacks.ts';
import { executed, LENIENCIES } from './lenient-backend.ts';

test('the model is as lenient as it must be: without a gateway before it, attacks work', () => {
  const size = SMUGGLED.length.toString(16);
  for (const bytes of [
    post([`Content-Length: ${5 + SMUGGLED.length}`, 'Transfer-Encoding: chunked'], `0\r\n\r\n${SMUGGLED}`),
    post(['Content-Length: 4', 'Transfer-Encoding: chunked'], `${size}\r\n${SMUGGLED}\r\n0\r\n\r\n`),
    post(['Transfer-Encoding: xchunked'], `0\r\n\r\n${SMUGGLED}`),
    post(['Transfer-Encoding : chunked'], `0\r\n\r\n${SMUGGLED}`),
    post(['X: x\nTransfer-Encoding: chunked'], `0\r\n\r\n${SMUGGLED}`),
    post(['X: x\rTransfer-Encoding: chunked'], `0\r\n\r\n${SMUGGLED}`),
    post(['Transfer-Encoding:', ' chunked'], `0\r\n\r\n${SMUGGLED}`),
    post(['Content-Length: 1 2'], `x${SMUGGLED}`),
    post(['Transfer-Encoding: chunked'], `1;a\nx\r\n0\r\n\r\n${SMUGGLED}`),
    `GET /open HTTP/1.1\nHost: a\n\n${SMUGGLED}`,
  ]) {
    assert.ok(worksWithoutGateway(bytes), JSON.stringify(bytes));
  }
});

test('the model reads good requests as everybody does', () => {
  const requests = `${post(['Content-Length: 3'], 'abc')}${post(['Transfer-Encoding: chunked'], '3\r\nabc\r\n0\r\nX: 1\r\n\r\n')}GET /last HTTP/1.1\r\n\r\n`;
  for (const leniency of LENIENCIES)
    assert.deepEqual(executed(requests, leniency), ['POST /open', 'POST /open', 'GET /last']);
  for (const leniency of LENIENCIES)
    assert.deepEqual(executed(requests.slice(0, -1), leniency).length, leniency.bareCr ? 3 : 2);
});
