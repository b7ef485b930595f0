import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { ResponseHead } from '../../src/data/http1/response-head.ts';
import { type AnswerFacts, AnswerReader } from '../../src/data/http2/backend-answer.ts';
import { requestFields } from '../../src/data/http2/backend-request.ts';

// what node:http2 itself would not let through

const FACTS: AnswerFacts = { ended: false, toHead: false, grpc: false, webSocketKey: '' };

function read(fields: readonly (readonly [string, string])[], facts: Partial<AnswerFacts> = {}) {
  const head = new ResponseHead();
  const failure = new AnswerReader(head).read(fields.flat(), { ...FACTS, ...facts });
  return failure ?? head;
}

test('a name or value that could be taken for more than one line is refused', () => {
  const bad: readonly (readonly [string, string])[] = [
    ['a', '1\r\nset-cookie: x'],
    ['a', '1\nset-cookie: x'],
    ['a', '1\rb'],
    ['a', '1\0'],
    ['a', '\x01'],
    ['a\r\nb', '1'],
    ['a b', '1'],
    ['a:b', '1'],
    ['', '1'],
    ['Upper', '1'],
    [':path', '/'],
    ['connection', 'close'],
    ['transfer-encoding', 'chunked'],
  ];
  for (const field of bad)
    assert.equal(read([[':status', '200'], field]), 'bad_response', JSON.stringify(field));
});

test('a status is three digits, there once, and no 101', () => {
  for (const status of ['', '20', '2000', '099', '600', '101', 'abc', ' 200'])
    assert.equal(read([[':status', status]]), 'bad_response', status);
  assert.equal(read([]), 'bad_response');
  assert.equal(
    read([
      [':status', '200'],
      [':status', '200'],
    ]),
    'bad_response',
  );
});

test('whatever the fields are, the head says the same of them or is refused', () => {
  const text = fc.string({
    unit: fc.constantFrom('a', 'b', '-', ':', ' ', '\t', '\r', '\n', '\0', 'é', 'A'),
    maxLength: 6,
  });
  fc.assert(
    fc.property(fc.array(fc.tuple(text, text), { maxLength: 4 }), (fields) => {
      const head = read([[':status', '200'], ...fields], { ended: true });
      if (typeof head === 'string') return;
      assert.equal(head.fields.count, fields.length + 1);
      for (const [i, [name, value]] of fields.entries()) {
        assert.equal(head.fields.name(i), name);
        assert.equal(head.fields.value(i), value.replace(/^[ \t]+|[ \t]+$/g, ''));
      }
    }),
  );
});

test('a request head becomes fields, less those of its connection', () => {
  const head =
    'PUT /a?b HTTP/1.1\r\nHost: x:1\r\nTransfer-Encoding: chunked\r\nX-Empty: \r\nTE: trailers\r\nConnection: TE\r\n\r\n';
  assert.deepEqual(requestFields(head, 'https', 'b:2'), {
    chunked: true,
    fields: [
      ':method',
      'PUT',
      ':scheme',
      'https',
      ':authority',
      'x:1',
      ':path',
      '/a?b',
      'x-empty',
      '',
      'te',
      'trailers',
    ],
  });
  const bare = requestFields('GET / HTTP/1.1\r\nHost: \r\n\r\n', 'http', 'b:2');
  assert.deepEqual(bare.fields.slice(4, 6), [':authority', 'b:2']);
});
