import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answer, stage } from '../support/stage.ts';
import { assertRefused, refusesEach } from './refusals.ts';

const HEAD_BYTES = 16 * 1024;
const TARGET_BYTES = 8 * 1024;

/** A request head of exactly `bytes` bytes. */
function headOf(bytes: number): string {
  const start = 'GET / HTTP/1.1\r\nHost: a\r\nX: ';
  return `${start}${'a'.repeat(bytes - start.length - 4)}\r\n\r\n`;
}

/** A request with `count` fields, Host among them. */
function fields(count: number): string {
  return `GET / HTTP/1.1\r\nHost: a\r\n${'X: 1\r\n'.repeat(count - 1)}\r\n`;
}

const target = (bytes: number): string => `GET /${'a'.repeat(bytes - 1)} HTTP/1.1\r\nHost: a\r\n\r\n`;

refusesEach('one byte, field or target character beyond the limit is refused', [
  { name: 'a head of 16 KiB and a byte', bytes: headOf(HEAD_BYTES + 1), code: 'head_too_large', status: 431 },
  { name: 'a head far too large', bytes: headOf(4 * HEAD_BYTES), code: 'head_too_large', status: 431 },
  {
    name: 'a head without end',
    bytes: `GET / HTTP/1.1\r\nHost: a\r\n${'X: 1\r\n'.repeat(50)}X: ${'a'.repeat(HEAD_BYTES)}`,
    code: 'head_too_large',
    status: 431,
  },
  {
    name: 'a head of small fields without end',
    bytes: `GET / HTTP/1.1\r\nHost: a\r\n${`X: ${'a'.repeat(300)}\r\n`.repeat(60)}X: `,
    code: 'head_too_large',
    status: 431,
  },
  { name: '101 fields', bytes: fields(101), code: 'too_many_fields', status: 431 },
  {
    name: 'a target of 8 KiB and a byte',
    bytes: target(TARGET_BYTES + 1),
    code: 'target_too_long',
    status: 414,
  },
  {
    name: 'a target without end',
    bytes: `GET /${'a'.repeat(HEAD_BYTES)}`,
    code: 'target_too_long',
    status: 414,
  },
  { name: 'a method without end', bytes: 'A'.repeat(HEAD_BYTES), code: 'bad_method' },
]);

test('what is exactly at the limit passes', async (t) => {
  for (const [name, bytes] of [
    ['a head of 16 KiB', headOf(HEAD_BYTES)],
    ['100 fields', fields(100)],
    ['a target of 8 KiB', target(TARGET_BYTES)],
  ] as const) {
    await t.test(name, async (row) => {
      const { client } = await stage(row, answer());
      const browser = await client();
      assert.match(await browser.send(bytes).contains('ok'), /^HTTP\/1\.1 200 /);
    });
  }
});

test('the limits are the listener’s own', async (t) => {
  const { client } = await stage(t, answer(), {
    listener: { maxHeaders: 2, maxHeadBytes: 64, maxTargetBytes: 5 },
  });
  for (const [bytes, status, code] of [
    [fields(3), 431, 'too_many_fields'],
    [headOf(65), 431, 'head_too_large'],
    [target(6), 414, 'target_too_long'],
  ] as const) {
    const browser = await client();
    assertRefused(await browser.send(bytes).end(), status, code);
  }
});

test('the limit on a head holds for each request of a connection, however its bytes arrive', async (t) => {
  const { client } = await stage(t, answer());
  const browser = await client();
  browser.send(headOf(HEAD_BYTES));
  await browser.contains('ok');
  browser.received = '';
  for (let sent = 0; sent < 2 * HEAD_BYTES && !browser.ended; sent += 1024)
    browser.send(headOf(2 * HEAD_BYTES).slice(sent, sent + 1024));
  assertRefused(await browser.end(), 431, 'head_too_large');
});

const route = { maxBodyBytes: 10 };

test('a declared length beyond the limit is refused before anything is sent to a backend', async (t) => {
  const { client, backend } = await stage(t, answer(), { route });
  const browser = await client();
  browser.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n01234567890');
  assertRefused(await browser.end(), 413, 'body_too_large');
  assert.equal(backend.connections.length, 0);
});

test('after a body that is too large, but came whole, the connection goes on', async (t) => {
  const { client } = await stage(t, answer(), { route });
  const browser = await client();
  browser.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n01234567890');
  assert.match(await browser.contains('"body_too_large"'), /^HTTP\/1\.1 413 /);
  await browser.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n').contains('ok');
});

test('a client that waits for 100 is told 413 instead', async (t) => {
  const { client, backend } = await stage(t, answer(), { route });
  const browser = await client();
  browser.send('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n');
  assertRefused(await browser.end(), 413, 'body_too_large');
  assert.equal(backend.connections.length, 0);
});

test('a chunked body is counted by its data, and never completed beyond the limit', async (t) => {
  for (const chunks of ['b\r\n01234567890\r\n0\r\n\r\n', `${'1\r\na\r\n'.repeat(11)}0\r\n\r\n`]) {
    await t.test(JSON.stringify(chunks.slice(0, 8)), async (row) => {
      const { client, backend } = await stage(row, undefined, { route });
      const browser = await client();
      browser.send(`POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`);
      assertRefused(await browser.end(), 413, 'body_too_large');
      await backend.until(({ connections }) => connections.every(({ closed, ended }) => closed || ended));
      assert.doesNotMatch(backend.received, /\r\n0\r\n\r\n$/);
    });
  }
});

test('a body of exactly the limit passes, with length and chunked', async (t) => {
  for (const [name, bytes, end] of [
    ['length', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789', '\r\n\r\n0123456789'],
    [
      'chunked',
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\n\r\n',
      '\r\n0\r\n\r\n',
    ],
  ] as const) {
    await t.test(name, async (row) => {
      const { client } = await stage(
        row,
        (connection) => {
          if (connection.received.endsWith(end)) connection.socket.write('HTTP/1.1 204 No Content\r\n\r\n');
        },
        { route },
      );
      const browser = await client();
      await browser.send(bytes).contains('HTTP/1.1 204 ');
    });
  }
});
