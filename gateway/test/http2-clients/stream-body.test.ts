import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Exchange } from '../../src/data/exchange.ts';
import { CHUNKED } from '../../src/data/http1/request-head.ts';
import { StreamBody } from '../../src/data/http2/stream-body.ts';

/** What of an exchange a body feeds. */
function recorder(): { readonly exchange: Exchange; text: string; ended: boolean } {
  const record = {
    text: '',
    ended: false,
    exchange: {
      bodyText: (text: string) => {
        record.text += text;
      },
      bodyBytes: (bytes: Buffer, start: number, end: number) => {
        record.text += bytes.toString('latin1', start, end);
      },
      endBody: () => {
        record.ended = true;
      },
    } as unknown as Exchange,
  };
  return record;
}

test('a body without a length becomes chunks, of which none is empty before the last', () => {
  const record = recorder();
  const body = new StreamBody(record.exchange, CHUNKED);
  for (const part of ['', 'abc', '', '0123456789abcdef', ''])
    assert.equal(body.take(Buffer.from(part)), undefined);
  body.trailers = ['x-sum', '1', 'authorization', 'not here'];
  assert.equal(body.end(), undefined);
  assert.equal(record.text, '3\r\nabc\r\n10\r\n0123456789abcdef\r\n0\r\nx-sum: 1\r\n\r\n');
  assert.equal(record.ended, true);
});

test('a body with a length is passed on as it is, and neither more nor less of it', () => {
  const record = recorder();
  const body = new StreamBody(record.exchange, 5);
  assert.equal(body.take(Buffer.from('abc')), undefined);
  assert.equal(body.end(), 'bad_content_length');
  assert.equal(record.ended, false);
  assert.equal(body.take(Buffer.from('def')), 'bad_content_length');
  assert.equal(record.text, 'abc');
});

test('a body that grows beyond what its route takes is refused', () => {
  const record = recorder();
  const body = new StreamBody(record.exchange, CHUNKED);
  body.maxBytes = 4;
  assert.equal(body.take(Buffer.from('abcd')), undefined);
  assert.equal(body.take(Buffer.from('e')), 'body_too_large');
});

test('trailers that frame end the body as malformed', () => {
  const record = recorder();
  const body = new StreamBody(record.exchange, CHUNKED);
  body.trailers = ['content-length', '1'];
  assert.equal(body.end(), 'bad_trailer');
  assert.equal(record.ended, false);
});
