import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stage } from '../support/stage.ts';
import { assertRefused, refusesEach } from './refusals.ts';

const post = (fields: string, body = ''): string => `POST / HTTP/1.1\r\nHost: a\r\n${fields}\r\n${body}`;
const CHUNKED = 'Transfer-Encoding: chunked\r\n';

refusesEach('Content-Length with Transfer-Encoding is refused (RFC 9112 §6.1)', [
  {
    name: 'CL first',
    bytes: post(`Content-Length: 5\r\n${CHUNKED}`, '0\r\n\r\n'),
    code: 'bad_transfer_encoding',
  },
  {
    name: 'TE first',
    bytes: post(`${CHUNKED}Content-Length: 5\r\n`, '0\r\n\r\n'),
    code: 'bad_transfer_encoding',
  },
  {
    name: 'CL 0',
    bytes: post(`Content-Length: 0\r\n${CHUNKED}`, '0\r\n\r\n'),
    code: 'bad_transfer_encoding',
  },
  {
    name: 'in any case',
    bytes: post('content-LENGTH: 5\r\ntransfer-ENCODING: Chunked\r\n', '0\r\n\r\n'),
    code: 'bad_transfer_encoding',
  },
  {
    name: 'CL nominated in Connection',
    bytes: post(`Connection: content-length\r\nContent-Length: 5\r\n${CHUNKED}`, '0\r\n\r\n'),
    code: 'bad_transfer_encoding',
  },
  {
    name: 'TE nominated in Connection',
    bytes: post(`Connection: transfer-encoding\r\nContent-Length: 5\r\n${CHUNKED}`, '0\r\n\r\n'),
    code: 'bad_transfer_encoding',
  },
]);

refusesEach('Content-Length must be there once, and be digits (RFC 9112 §6.3)', [
  {
    name: 'two that differ',
    bytes: post('Content-Length: 1\r\nContent-Length: 2\r\n', 'ab'),
    code: 'bad_content_length',
  },
  {
    name: 'two alike',
    bytes: post('Content-Length: 2\r\nContent-Length: 2\r\n', 'ab'),
    code: 'bad_content_length',
  },
  {
    name: 'a list of two that differ',
    bytes: post('Content-Length: 1, 2\r\n', 'ab'),
    code: 'bad_content_length',
  },
  { name: 'a list of two alike', bytes: post('Content-Length: 2, 2\r\n', 'ab'), code: 'bad_content_length' },
  ...['', '+2', '-2', '-0', '0x2', '2.0', '2 0', '2;', '2,', ',2', '"2"', 'two', '1e1', '\x0b2', '٢'].map(
    (value) => ({
      name: `the value ${JSON.stringify(value)}`,
      bytes: post(`Content-Length: ${Buffer.from(value).toString('latin1')}\r\n`, 'ab'),
      code: value === '\x0b2' ? 'bad_field' : 'bad_content_length',
    }),
  ),
  {
    name: '2^64 + 2',
    bytes: post('Content-Length: 18446744073709551618\r\n', 'ab'),
    code: 'bad_content_length',
  },
  {
    name: '2^53, which a double cannot count past',
    bytes: post('Content-Length: 9007199254740992\r\n', 'ab'),
    code: 'bad_content_length',
  },
]);

refusesEach('a Transfer-Encoding but `chunked` is refused (RFC 9112 §6.1)', [
  { name: 'gzip', bytes: post('Transfer-Encoding: gzip\r\n'), code: 'bad_transfer_encoding' },
  { name: 'identity', bytes: post('Transfer-Encoding: identity\r\n'), code: 'bad_transfer_encoding' },
  {
    name: 'chunked not last',
    bytes: post('Transfer-Encoding: chunked, gzip\r\n'),
    code: 'bad_transfer_encoding',
  },
  {
    name: 'gzip, chunked',
    bytes: post('Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n'),
    code: 'unknown_transfer_coding',
    status: 501,
  },
  {
    name: 'chunked, chunked',
    bytes: post('Transfer-Encoding: chunked, chunked\r\n', '0\r\n\r\n'),
    code: 'unknown_transfer_coding',
    status: 501,
  },
  { name: 'two fields', bytes: post(`${CHUNKED}${CHUNKED}`, '0\r\n\r\n'), code: 'bad_transfer_encoding' },
  {
    name: 'two fields, one of them identity',
    bytes: post(`${CHUNKED}Transfer-Encoding: identity\r\n`, '0\r\n\r\n'),
    code: 'bad_transfer_encoding',
  },
  { name: 'empty', bytes: post('Transfer-Encoding:\r\n'), code: 'bad_transfer_encoding' },
  {
    name: 'a parameter',
    bytes: post('Transfer-Encoding: chunked;q=1\r\n', '0\r\n\r\n'),
    code: 'bad_transfer_encoding',
  },
  {
    name: 'quoted',
    bytes: post('Transfer-Encoding: "chunked"\r\n', '0\r\n\r\n'),
    code: 'bad_transfer_encoding',
  },
  {
    name: 'xchunked',
    bytes: post('Transfer-Encoding: xchunked\r\n', '0\r\n\r\n'),
    code: 'bad_transfer_encoding',
  },
  {
    name: 'a comma before',
    bytes: post('Transfer-Encoding: ,chunked\r\n', '0\r\n\r\n'),
    code: 'unknown_transfer_coding',
    status: 501,
  },
  {
    name: 'a comma after',
    bytes: post('Transfer-Encoding: chunked,\r\n', '0\r\n\r\n'),
    code: 'bad_transfer_encoding',
  },
  {
    name: 'a vertical tab before',
    bytes: post('Transfer-Encoding: \x0bchunked\r\n', '0\r\n\r\n'),
    code: 'bad_field',
  },
  {
    name: 'a no-break space before',
    bytes: post('Transfer-Encoding: \xa0chunked\r\n', '0\r\n\r\n'),
    code: 'bad_transfer_encoding',
  },
  {
    name: 'in HTTP/1.0',
    bytes: `POST / HTTP/1.0\r\nHost: a\r\n${CHUNKED}\r\n0\r\n\r\n`,
    code: 'bad_transfer_encoding',
  },
]);

/** Bodies whose chunks are wrong: their head may be on its way by then, but never an end that would complete the request. */
const BAD_CHUNKS: readonly { readonly name: string; readonly body: string }[] = [
  ...[
    '-1',
    '+1',
    '0x1',
    ' 1',
    '1 ',
    '1\t',
    '\t1',
    '',
    '1.',
    '1_0',
    'g',
    '1g',
    ';a',
    '٣',
    '10000000000000000',
    'fffffffffffffffff',
  ].map((size) => ({
    name: `the size ${JSON.stringify(size)}`,
    body: `${Buffer.from(size).toString('latin1')}\r\na\r\n0\r\n\r\n`,
  })),
  { name: 'fourteen digits', body: `${'0'.repeat(13)}1\r\na\r\n0\r\n\r\n` },
  { name: 'a size ended by a bare LF', body: '1\na\r\n0\r\n\r\n' },
  { name: 'a size ended by a bare CR', body: '1\ra\r\n0\r\n\r\n' },
  { name: 'a size ended by CR CR LF', body: '1\r\r\na\r\n0\r\n\r\n' },
  { name: 'an extension ended by a bare LF', body: '1;a\na\r\n0\r\n\r\n' },
  { name: 'an extension with a bare CR', body: '1;a\rb\r\na\r\n0\r\n\r\n' },
  { name: 'an extension with NUL', body: '1;a\0b\r\na\r\n0\r\n\r\n' },
  { name: 'more data than the size says', body: '1\r\nab\r\n0\r\n\r\n' },
  { name: 'less data than the size says', body: '3\r\na\r\n0\r\n\r\n' },
  { name: 'data not ended by CRLF', body: '1\r\na0\r\n\r\n' },
  { name: 'data ended by a bare LF', body: '1\r\na\n0\r\n\r\n' },
  { name: 'data ended by a bare CR', body: '1\r\na\rX0\r\n\r\n' },
  { name: 'a last chunk ended by a bare LF', body: '1\r\na\r\n0\n\r\n' },
  { name: 'the end marked by a bare LF', body: '1\r\na\r\n0\r\n\n' },
  { name: 'a bare CR in the place of the empty line', body: '1\r\na\r\n0\r\n\rX' },
  { name: 'a trailer line without colon', body: '1\r\na\r\n0\r\nX\r\n\r\n' },
  { name: 'a folded trailer', body: '1\r\na\r\n0\r\nX: 1\r\n 2\r\n\r\n' },
  { name: 'a trailer with a space before its colon', body: '1\r\na\r\n0\r\nX : 1\r\n\r\n' },
  { name: 'a trailer ended by a bare LF', body: '1\r\na\r\n0\r\nX: 1\n\r\n' },
  { name: 'a trailer with a control in its value', body: '1\r\na\r\n0\r\nX: \x01\r\n\r\n' },
  { name: 'a length for a trailer', body: '1\r\na\r\n0\r\nContent-Length: 5\r\n\r\n' },
  {
    name: 'a transfer coding for a trailer',
    body: '1\r\na\r\n0\r\nX: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
  },
  { name: '101 trailers', body: `1\r\na\r\n0\r\n${'X: 1\r\n'.repeat(101)}\r\n` },
  { name: 'trailers of more than 16 KiB', body: `1\r\na\r\n0\r\nX: ${'a'.repeat(16 * 1024)}\r\n\r\n` },
  { name: 'extensions of more than 4 KiB', body: `1;${'a'.repeat(4097)}\r\na\r\n0\r\n\r\n` },
  {
    name: 'extensions of more than 4 KiB in many chunks',
    body: `${`1;${'a'.repeat(100)}\r\na\r\n`.repeat(41)}0\r\n\r\n`,
  },
];

test('a broken chunk is refused and ends the request to the backend unfinished (RFC 9112 §7.1)', async (t) => {
  for (const { name, body } of BAD_CHUNKS) {
    await t.test(name, async (row) => {
      const { client, backend } = await stage(row);
      const browser = await client();
      const answered = await browser
        .send(post(CHUNKED, `${body}GET /second HTTP/1.1\r\nHost: a\r\n\r\n`))
        .end();
      assertRefused(answered, 400, 'bad_chunk');
      await backend.until(({ connections }) => connections.every(({ closed, ended }) => closed || ended));
      assert.doesNotMatch(backend.received, /\r\n0\r\n/);
      assert.doesNotMatch(backend.received, /second/);
    });
  }
});

test('chunks are read whatever their form, and written anew', async (t) => {
  const rows = [
    { name: 'as we write them', body: '3\r\nabc\r\n0\r\n\r\n', forwarded: '3\r\nabc\r\n0\r\n\r\n' },
    {
      name: 'upper-case hex',
      body: 'A\r\n0123456789\r\n0\r\n\r\n',
      forwarded: 'A\r\n0123456789\r\n0\r\n\r\n',
    },
    { name: 'leading zeros', body: '003\r\nabc\r\n0\r\n\r\n', forwarded: '3\r\nabc\r\n0\r\n\r\n' },
    {
      name: 'a last chunk of many zeros',
      body: '3\r\nabc\r\n000\r\n\r\n',
      forwarded: '3\r\nabc\r\n0\r\n\r\n',
    },
    {
      name: 'extensions, which go no further',
      body: '3;a=b;c="d"\r\nabc\r\n0;e\r\n\r\n',
      forwarded: '3\r\nabc\r\n0\r\n\r\n',
    },
    {
      name: 'thirteen digits',
      body: `${'0'.repeat(12)}3\r\nabc\r\n0\r\n\r\n`,
      forwarded: '3\r\nabc\r\n0\r\n\r\n',
    },
    {
      name: 'what looks like an end in the data',
      body: '5\r\n0\r\n\r\n\r\n0\r\n\r\n',
      forwarded: '5\r\n0\r\n\r\n\r\n0\r\n\r\n',
    },
    { name: 'no data at all', body: '0\r\n\r\n', forwarded: '0\r\n\r\n' },
    { name: 'a trailer', body: '0\r\nX-Sum: 1\r\n\r\n', forwarded: '0\r\nX-Sum: 1\r\n\r\n' },
  ];
  for (const { name, body, forwarded } of rows) {
    await t.test(name, async (row) => {
      const { client, backend } = await stage(row, (connection) => {
        if (connection.received.endsWith(`\r\n\r\n${forwarded}`))
          connection.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      });
      const browser = await client();
      await browser.send(post(CHUNKED, body)).contains('\r\n\r\nok');
      assert.match(backend.received, /\r\nTransfer-Encoding: chunked\r\n/);
      assert.doesNotMatch(backend.received, /Content-Length/i);
    });
  }
});
