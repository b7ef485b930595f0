import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stage } from '../../support/stage.ts';
import { neverSmuggled, post, SMUGGLED } from './attacks.ts';
import { LENIENCIES } from './lenient-backend.ts';

// Kettle 2025, "HTTP/1.1 must die": an Expect that only one reader understands makes the other forget the body (0.CL, CL.0).
const forgetful = LENIENCIES.map((leniency) => ({ ...leniency, ignoresBodyOnExpect: true }));
const length = `Content-Length: ${SMUGGLED.length}`;

neverSmuggled(
  'an obfuscated Expect is refused',
  [
    'y 100-continue',
    '100-continue y',
    ' 100-continu',
    '100-continue, 100-continue',
    '\x85100-continue',
    '100-continue;',
    '"100-continue"',
    '',
  ].map((value) => ({
    name: JSON.stringify(value),
    bytes: post([`Expect: ${value}`, length], SMUGGLED),
    code: 'bad_expect',
    status: 417,
  })),
  forgetful,
);

neverSmuggled(
  'an Expect hidden from strict readers is refused',
  [
    'Expect : 100-continue',
    ' Expect: 100-continue',
    'Expect\n: 100-continue',
    'X: x\nExpect: 100-continue',
  ].map((line) => ({
    name: JSON.stringify(line),
    bytes: post([line, length], SMUGGLED),
    code: 'bad_field',
  })),
  forgetful,
);

test('a body behind an Expect that the backend answers at once is never the next request on its connection', async (t) => {
  const { client, backend } = await stage(t, (connection) => {
    if (connection.received.includes('\r\n\r\n'))
      connection.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  });
  const browser = await client();
  browser.send(post(['Expect: 100-continue', `Content-Length: ${SMUGGLED.length + 1}`], ''));
  await browser.contains('ok');
  browser.send(SMUGGLED);
  await browser.end();
  const next = await client();
  await next.send('GET /next HTTP/1.1\r\nHost: a\r\n\r\n').contains('ok');
  assert.doesNotMatch(backend.received, /smuggled/);
  assert.equal(backend.connections.length, 2, 'the first is not used again');
});
