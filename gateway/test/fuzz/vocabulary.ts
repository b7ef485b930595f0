import type { Random } from './random.ts';

type Choices = readonly [string, ...string[]];

/** What parsers are told apart by. */
export const TOKENS: Choices = [
  ...([
    '\r',
    '\n',
    '\r\n',
    '\r\n\r\n',
    '\n\n',
    '\0',
    ' ',
    '\t',
    ':',
    ',',
    ';',
    '=',
    '"',
    '\\',
    '/',
    '?',
    '#',
    '*',
    '%',
  ] as const),
  ...[
    '\x0b',
    '\x0c',
    '\x1f',
    '\x7f',
    '\x80',
    '\x85',
    '\xa0',
    '\xad',
    '\xff',
    '\b',
    '\x1b',
    '0',
    '00',
    '-',
    '+',
    '_',
    '.',
  ],
  ...[
    'chunked',
    'identity',
    'gzip',
    'close',
    'keep-alive',
    'upgrade',
    '\r\n ',
    '\r\n\t',
    '\r\r\n',
    '\n\r',
    ' :',
    ': ',
    '0x',
  ],
  ...[
    'HTTP/1.1',
    'HTTP/1.0',
    'HTTP/2.0',
    'http/1.1',
    'Content-Length',
    'Transfer-Encoding',
    'Host',
    '0\r\n\r\n',
    '1\r\na\r\n',
  ],
];

/** Lines that frame, or seem to. */
export const FRAMING_LINES: Choices = [
  'Content-Length: 0\r\n',
  'Content-Length: 5\r\n',
  'Content-Length: 05\r\n',
  'Content-Length: +5\r\n',
  'Content-Length: -1\r\n',
  'Content-Length: 5, 5\r\n',
  'Content-Length: 5 5\r\n',
  'Content-Length: 0x5\r\n',
  'Content-Length:\r\n',
  'Content-Length: 18446744073709551616\r\n',
  'Content-Length: 9007199254740993\r\n',
  'Content-Length : 5\r\n',
  'Content_Length: 5\r\n',
  'content-length:5\r\n',
  'Transfer-Encoding: chunked\r\n',
  'transfer-encoding:chunked\r\n',
  'Transfer-Encoding: Chunked \r\n',
  'Transfer-Encoding:\tchunked\r\n',
  'Transfer-Encoding: chunked, identity\r\n',
  'Transfer-Encoding: identity, chunked\r\n',
  'Transfer-Encoding: gzip, chunked\r\n',
  'Transfer-Encoding: chunked, chunked\r\n',
  'Transfer-Encoding: identity\r\n',
  'Transfer-Encoding: xchunked\r\n',
  'Transfer-Encoding: chunked;q=1\r\n',
  'Transfer-Encoding: "chunked"\r\n',
  'Transfer-Encoding:\r\n chunked\r\n',
  'Transfer-Encoding: , chunked\r\n',
  'Transfer-Encoding: chunked,\r\n',
  'Transfer-Encoding:\x0bchunked\r\n',
  'Transfer_Encoding: chunked\r\n',
  'Transfer-Encoding\x00: chunked\r\n',
  'X: y\nTransfer-Encoding: chunked\r\n',
];

/** Lines that the gateway acts on, or that other readers do. */
export const FIELD_LINES: Choices = [
  ...(['Host: b\r\n', 'Host: a:80\r\n', 'Connection: close\r\n', 'Connection: keep-alive\r\n'] as const),
  'Connection: close, keep-alive\r\n',
  'Connection: upgrade\r\nUpgrade: websocket\r\n',
  'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n',
  'Connection: host, content-length, cookie, x-mine\r\n',
  'Connection: , ,close,\r\n',
  'Connection: te\r\nTE: trailers, gzip\r\n',
  'Upgrade: x\r\n',
  'Proxy-Connection: close\r\n',
  'Proxy-Connection: keep-alive\r\n',
  'Keep-Alive: timeout=5, max=3\r\n',
  'Expect: 100-continue\r\n',
  'Expect: 100-Continue\r\n',
  'Max-Forwards: 3\r\n',
  'Max-Forwards: x\r\n',
  'Max-Forwards: 1e3\r\n',
  'Trailer: X-Sum\r\n',
  'X-Mine: 1\r\n',
  'x-mine:\t \r\n',
  'X-Mine: \x80\xff \t z  \r\n',
  'Cookie: a=b; c="d"\r\n',
  'X-Forwarded-For: 203.0.113.9, 10.0.0.1\r\n',
  'X_Forwarded_For: 1.2.3.4\r\n',
  'X-Forwarded-Host: evil\r\n',
  'X-Real-IP: 1.2.3.4\r\n',
  'Forwarded: for=1.2.3.4;host="x"\r\n',
  'X-Request-Id: abc-123\r\n',
  'X-Request-Id: a b\r\n',
  'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n',
  'Via: 1.0 fred\r\n',
  'Date: Mon, 01 Jan 2024 00:00:00 GMT\r\n',
  'Accept: */*\r\n',
  'Set-Cookie: a=b\r\n',
  'Proxy-Authorization: Basic eA==\r\n',
  "!#$%&'*+-.^_`|~: x\r\n",
  'X-Empty:\r\n',
];

const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789-_.~!';

/** `length` letters that are fine anywhere. */
export function letters(random: Random, length: number): string {
  let text = '';
  for (let i = 0; i < length; i++) text += LETTERS[random.below(LETTERS.length)] ?? 'a';
  return text;
}

/** Field lines, mostly of the known ones; now and then many, or very long ones. */
export function fieldLines(random: Random): string {
  let text = '';
  for (let i = random.below(6); i > 0; i--) {
    const known = random.pick([FIELD_LINES, FIELD_LINES, FIELD_LINES, FRAMING_LINES]);
    text += random.oneIn(4)
      ? `${letters(random, 1 + random.below(12))}: ${letters(random, random.below(30))}\r\n`
      : random.pick(known);
  }
  if (random.oneIn(150)) text += 'A: b\r\n'.repeat(90 + random.below(15));
  if (random.oneIn(300)) text += `Long: ${'x'.repeat(16_100 + random.below(400))}\r\n`;
  return text;
}
