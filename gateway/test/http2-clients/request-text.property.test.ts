import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RequestHead } from '../../src/data/http1/request-head.ts';
import { RequestText } from '../../src/data/http2/request-text.ts';
import { trailerLines } from '../../src/data/http2/request-trailers.ts';

const LIMITS = { maxHeadBytes: 16 * 1024, maxTargetBytes: 8 * 1024, maxHeaders: 100 };
const NASTY = [
  '\r',
  '\n',
  '\r\n',
  '\0',
  ' ',
  '\t',
  ':',
  ': ',
  ',',
  'HTTP/1.1',
  '\r\n\r\n',
  '\x7f',
  '\xff',
  'A',
  'host',
];

/** Text of tame and of nasty pieces. */
const text = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom('a', 'b', '-', '1', '/', '.') },
      fc.constantFrom(...NASTY),
    ),
    {
      maxLength: 6,
    },
  )
  .map((pieces) => pieces.join(''));
const name = fc.oneof(
  text,
  fc.constantFrom(
    'x',
    'cookie',
    'host',
    'content-length',
    'transfer-encoding',
    'te',
    'connection',
    'upgrade',
    'expect',
  ),
);
const field = fc.tuple(
  name,
  fc.oneof(text, fc.constantFrom('0', '5', 'trailers', 'chunked', 'a.example', '100-continue')),
);
const pseudo = fc.record({
  ':method': fc.oneof({ weight: 4, arbitrary: fc.constantFrom('GET', 'POST', 'OPTIONS', 'CONNECT') }, text),
  ':path': fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom('/', '/a?b', '*') },
    text.map((rest) => `/${rest}`),
  ),
  ':authority': fc.oneof({ weight: 4, arbitrary: fc.constant('a.example') }, text),
});

function read(
  raw: readonly string[],
  complete: boolean,
): { failure: string | undefined; head: RequestHead; text: RequestText } {
  const head = new RequestHead(LIMITS);
  const requestText = new RequestText(LIMITS);
  const failure = requestText.read(
    raw,
    complete,
    head,
    Buffer.alloc(64 * 1024),
    () => 'AAAAAAAAAAAAAAAAAAAAAA==',
  );
  return { failure, head, text: requestText };
}

const tokens = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const values = /^(?![ \t])[\t\x20-\x7e\x80-\xff]*(?<![ \t])$/;

test('what is read is field for field what was sent, or the request is refused', () => {
  let accepted = 0;
  fc.assert(
    fc.property(pseudo, fc.array(field, { maxLength: 4 }), fc.boolean(), (start, fields, complete) => {
      const raw = [':scheme', 'http', ...Object.entries(start).flat(), ...fields.flat()];
      const { failure, head } = read(raw, complete);
      if (failure !== undefined) return;
      accepted += 1;
      assert.equal(head.method, start[':method']);
      assert.equal(head.host, start[':authority']);
      if (head.method !== 'CONNECT') assert.equal(head.path + head.query, start[':path']);
      const sent = fields.filter(([sentName]) => sentName !== 'cookie' && sentName !== 'host');
      const got = Array.from({ length: head.fields.count }, (_, i) => [
        head.fields.name(i),
        head.fields.value(i),
      ]);
      assert.deepEqual(got.slice(1, 1 + sent.length), sent);
      for (const [sentName, value] of fields) {
        assert.match(sentName, tokens);
        assert.match(value, values);
      }
      for (const [own] of got.slice(1 + sent.length))
        assert.match(String(own), /^(?:cookie|transfer-encoding|content-length)$/);
    }),
    { numRuns: 4_000 },
  );
  assert.ok(accepted > 100, `${accepted} were accepted`);
});

test('white space around one of several cookies is refused like that around any value', () => {
  const start = [':scheme', 'http', ':method', 'GET', ':path', '/', ':authority', 'a.example'];
  for (const padded of ['a ', ' a', 'a\t'])
    assert.equal(read([...start, 'cookie', padded, 'cookie', 'b'], true).failure, 'bad_field');
  assert.equal(read([...start, 'cookie', 'a', 'cookie', 'b'], true).failure, undefined);
});

test('trailers are field for field what was sent, or refused', () => {
  let accepted = 0;
  fc.assert(
    fc.property(fc.array(field, { maxLength: 4 }), (fields) => {
      const lines = trailerLines(fields.flat());
      if (lines === undefined) return;
      accepted += 1;
      const got = lines.split('\r\n').filter((line) => line !== '');
      const sent = fields.map(([sentName, value]) => `${sentName}: ${value}`);
      for (const line of got) assert.ok(sent.includes(line), JSON.stringify(line));
      for (const [sentName, value] of fields) {
        assert.match(sentName, tokens);
        assert.match(value, values);
      }
    }),
    { numRuns: 4_000 },
  );
  assert.ok(accepted > 100, `${accepted} were accepted`);
});

for (const [what, raw, expected] of [
  [
    'the shortest request',
    [':method', 'GET', ':scheme', 'https', ':path', '/', ':authority', 'a'],
    undefined,
  ],
  ['Host for :authority', [':method', 'GET', ':scheme', 'http', ':path', '/', 'host', 'a'], undefined],
  [
    'Host beside an equal :authority',
    [':method', 'GET', ':scheme', 'http', ':path', '/', ':authority', 'A:1', 'host', 'a:1'],
    undefined,
  ],
  ['two Host', [':method', 'GET', ':scheme', 'http', ':path', '/', 'host', 'a', 'host', 'a'], 'bad_host'],
  ['no host', [':method', 'GET', ':scheme', 'http', ':path', '/'], 'bad_host'],
  ['userinfo', [':method', 'GET', ':scheme', 'http', ':path', '/', ':authority', 'u@a'], 'bad_host'],
  [
    'another scheme',
    [':method', 'GET', ':scheme', 'ftp', ':path', '/', ':authority', 'a'],
    'bad_pseudo_field',
  ],
  [
    'a pseudo-header field at the end',
    [':method', 'GET', ':scheme', 'http', ':path', '/', 'x', 'y', ':authority', 'a'],
    'bad_pseudo_field',
  ],
  [
    'a method twice',
    [':method', 'GET', ':method', 'GET', ':scheme', 'http', ':path', '/', ':authority', 'a'],
    'bad_pseudo_field',
  ],
  [
    'absolute form',
    [':method', 'GET', ':scheme', 'http', ':path', 'http://b/', ':authority', 'a'],
    'bad_target',
  ],
  ['OPTIONS *', [':method', 'OPTIONS', ':scheme', 'http', ':path', '*', ':authority', 'a'], undefined],
  ['CONNECT', [':method', 'CONNECT', ':authority', 'a.example:443'], undefined],
  ['CONNECT without a port', [':method', 'CONNECT', ':authority', 'a.example'], 'bad_target'],
  ['CONNECT with a path', [':method', 'CONNECT', ':authority', 'a:443', ':path', '/'], 'bad_pseudo_field'],
  [
    'a WebSocket',
    [':method', 'CONNECT', ':protocol', 'websocket', ':scheme', 'https', ':path', '/c', ':authority', 'a'],
    undefined,
  ],
  [
    'another protocol',
    [':method', 'CONNECT', ':protocol', 'ip', ':scheme', 'https', ':path', '/c', ':authority', 'a'],
    'unknown_protocol',
  ],
  [
    'upper case',
    [':method', 'GET', ':scheme', 'http', ':path', '/', ':authority', 'a', 'X', 'y'],
    'bad_field',
  ],
  [
    'upgrade',
    [':method', 'GET', ':scheme', 'http', ':path', '/', ':authority', 'a', 'upgrade', 'h2c'],
    'bad_field',
  ],
  ['TE', [':method', 'GET', ':scheme', 'http', ':path', '/', ':authority', 'a', 'te', 'gzip'], 'bad_field'],
  [
    'a length without a body',
    [':method', 'GET', ':scheme', 'http', ':path', '/', ':authority', 'a', 'content-length', '1'],
    'bad_content_length',
  ],
] as const) {
  test(`${what}: ${expected ?? 'taken'}`, () => {
    assert.equal(read(raw, true).failure, expected);
  });
}

test('a WebSocket becomes an Upgrade with a key of ours, whatever key its client sent', () => {
  const raw = [
    ':method',
    'CONNECT',
    ':protocol',
    'websocket',
    ':scheme',
    'https',
    ':path',
    '/c',
    ':authority',
    'a',
  ];
  const { head, text } = read([...raw, 'sec-websocket-key', 'theirs', 'sec-websocket-version', '13'], false);
  assert.equal(text.kind, 'web-socket');
  assert.equal(head.method, 'GET');
  assert.equal(head.upgrade, 'websocket');
  assert.equal(
    head.fields.text.match(/sec-websocket-key: (.*)\r\n/g)?.join(),
    'sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n',
  );
});
