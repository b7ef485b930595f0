import type { Random } from './random.ts';
import { fieldLines, letters } from './vocabulary.ts';

type Choices = readonly [string, ...string[]];

const METHODS: Choices = [
  ...([
    'GET',
    'GET',
    'GET',
    'POST',
    'POST',
    'POST',
    'PUT',
    'HEAD',
    'DELETE',
    'OPTIONS',
    'PATCH',
    'TRACE',
    'CONNECT',
  ] as const),
  ...[
    'M-SEARCH',
    'PRI',
    'SOURCE',
    'DESCRIBE',
    'FOO',
    'get',
    'GE',
    'GETT',
    "!#$%&'*+-.^_`|~",
    'QUERY',
    'A'.repeat(33),
  ],
];
const TARGETS: Choices = [
  ...([
    '/',
    '/',
    '/a/b?c=d',
    '/%2e%2e/%00',
    '/a//b/../c',
    '/?',
    '/;x',
    '*',
    '/a?b?c',
    '/\x80',
    '/#x',
    '/a\\b',
  ] as const),
  ...[
    'http://a/',
    'http://b:80/x?y',
    'HTTP://A?x',
    'https://[::1]:8/z',
    'http://u@a/',
    'http:///x',
    'ftp://a/',
    'a:443',
    '//a/b',
  ],
  ...[
    '/"<>^`{|}',
    "/!$&'()*+,;=:@-._~",
    'http://a',
    'http://a?b',
    "http://a!$&'()*+,;=b/",
    'http://a%41/',
    '?x',
    'a',
    '',
  ],
];
const VERSIONS: Choices = [
  ...([
    'HTTP/1.1',
    'HTTP/1.1',
    'HTTP/1.1',
    'HTTP/1.1',
    'HTTP/1.1',
    'HTTP/1.1',
    'HTTP/1.0',
    'HTTP/1.0',
    'HTTP/0.9',
  ] as const),
  ...['HTTP/2.0', 'HTTP/1.2', 'http/1.1', 'HTTP/1.1 ', 'HTTP/01.1', 'HTTP/1.10', 'ICE/1.0', 'RTSP/1.0', ''],
];
const HOSTS: Choices = [
  ...([
    'a',
    'a',
    'a',
    'a',
    'example.com:8080',
    '[::1]:80',
    'A.b',
    '',
    'a b',
    'a,b',
    'a/b',
    'u@a',
    'a:',
    'a:x',
    '%61',
  ] as const),
  ...["!$&'()*+,;=", '[x]', 'a:80:80', '\x80', 'a\tb', '[::1', '-_.~'],
];
const STATUS_LINES: Choices = [
  ...([
    'HTTP/1.1 200 OK',
    'HTTP/1.1 200 OK',
    'HTTP/1.1 200 OK',
    'HTTP/1.1 200 OK',
    'HTTP/1.0 200 OK',
    'HTTP/1.1 204 No Content',
  ] as const),
  ...[
    'HTTP/1.1 304 Not Modified',
    'HTTP/1.1 100 Continue',
    'HTTP/1.1 103 Early Hints',
    'HTTP/1.1 101 Switching Protocols',
  ],
  ...[
    'HTTP/1.1 200',
    'HTTP/1.1 200 ',
    'HTTP/1.1 500 \x80\xff\t!',
    'HTTP/1.1 599 x',
    'HTTP/1.1 600 x',
    'HTTP/1.1 099 x',
    'HTTP/1.1 20 x',
  ],
  ...[
    'HTTP/1.1 2000 x',
    'HTTP/2.0 200 OK',
    'HTTP/0.9 200 OK',
    'http/1.1 200 OK',
    'HTTP/1.1  200 OK',
    'HTTP/1.1\t200 OK',
    'HTTP/1.1 200\tOK',
  ],
  ...[
    'HTTP/1.1 206 Partial',
    'HTTP/1.1 404 Not Found',
    'HTTP/1.1 302 Found',
    'HTTP/1.1 205 Reset',
    'HTTP/1.0 404',
    'HTTP/1.0 100 x',
  ],
];
const SIZES: Choices = [
  ...([
    '5',
    '5',
    '5',
    '5',
    '05',
    '0005',
    '5;a',
    '5;a=b',
    '5;a="b;c"',
    '5;a="b\\"c"',
    '5; a=b',
    '5 ;a',
    '5;',
    '5;a=',
    '5;;a',
  ] as const),
  ...[
    '5;a=b;c=d',
    '5\t',
    ' 5',
    '+5',
    '-5',
    '0x5',
    '5h',
    'G',
    '',
    '5;a="',
    '5;a="\\',
    '5;\x80',
    '5;a=\x80',
    '5;a="\x80"',
    '5;a b',
  ],
  ...[
    '0000000000005',
    '00000000000000005',
    '5;a=b"c',
    '5;"a"',
    '5;a="b"c',
    '5;=b',
    '5.',
    '5,5',
    '5;a="\x00"',
    '5;a=b,c',
  ],
  ...[
    'FFFFFFFFFFFFF',
    'FFFFFFFFFFFFFFFF',
    '10000000000000005',
    '5;a\\',
    '5;a="b"\t;c',
    '5;a="b" ;c',
    '5;a=;b',
  ],
];
const TRAILERS: Choices = [
  ...([
    'X-Sum: 1\r\n',
    'X-Sum: 1\r\n',
    'X-Sum:1 \r\n',
    'Content-Length: 5\r\n',
    'Transfer-Encoding: chunked\r\n',
    'Host: b\r\n',
  ] as const),
  ...[
    'Connection: close\r\n',
    'Connection: upgrade\r\nUpgrade: x\r\n',
    'Authorization: x\r\n',
    'Content_Length: 5\r\n',
    'X : y\r\n',
    'X\r\n',
  ],
  ...[
    'Trailer: X\r\n',
    ' X: y\r\n',
    'X: a\r\n b\r\n',
    'X-Sum: \x80\r\n',
    'X: \0\r\n',
    'Set-Cookie: a\r\n',
    'x-forwarded-for: 1\r\n',
    'Proxy-Connection: close\r\n',
  ],
];

/** One to four requests in a row. */
export function requests(random: Random): string {
  let text = '';
  for (let i = random.oneIn(4) ? 1 + random.below(4) : 1; i > 0; i--) text += request(random);
  return text;
}

function request(random: Random): string {
  const target = random.oneIn(200) ? `/${letters(random, 8_180 + random.below(20))}` : random.pick(TARGETS);
  const method = random.oneIn(30) ? letters(random, 1 + random.below(34)) : random.pick(METHODS);
  const line = `${random.oneIn(40) ? '\r\n' : ''}${method} ${usual(random, target, '/')} ${usual(random, random.pick(VERSIONS), 'HTTP/1.1')}\r\n`;
  const host = random.oneIn(25) ? '' : `Host: ${usual(random, random.pick(HOSTS), 'a')}\r\n`;
  return line + framed(random, host + usual(random, fieldLines(random), ''));
}

/** An interim response or two now and then, and a final one. */
export function responses(random: Random): string {
  let text = '';
  while (random.oneIn(8))
    text += `HTTP/1.1 ${random.pick(['100', '103', '102', '199'])} x\r\n${random.oneIn(3) ? fieldLines(random) : ''}\r\n`;
  return `${text}${random.pick(STATUS_LINES)}\r\n${framed(random, usual(random, fieldLines(random), ''))}`;
}

/** A valid head and a chunked body; what follows it is the next message. */
export function bodies(random: Random): string {
  const head = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
  const next = random.oneIn(3) ? 'GET /next HTTP/1.1\r\nHost: a\r\n\r\n' : '';
  return head + chunked(random) + next;
}

/** Odd things more often alone than together, or everything would be refused for the first of them. */
function usual(random: Random, odd: string, plain: string): string {
  return random.oneIn(2) ? odd : plain;
}

function framed(random: Random, fields: string): string {
  switch (random.below(4)) {
    case 0:
      return `${fields}\r\n`;
    case 1: {
      const body = letters(random, random.below(20));
      const length = random.oneIn(12) ? random.below(25) : body.length;
      return `${fields}Content-Length: ${length}\r\n\r\n${body}`;
    }
    case 2:
      return `Transfer-Encoding: chunked\r\n${fields}\r\n${chunked(random)}`;
    default:
      return `${fields}\r\n${random.oneIn(2) ? letters(random, random.below(20)) : chunked(random)}`;
  }
}

function chunked(random: Random): string {
  let text = '';
  for (let i = random.below(5); i > 0; i--) text += chunk(random);
  const last = random.oneIn(12)
    ? random.pick(['00', '0;a=b', '0 ', '000000000000000', '-0', '0;a="b"'])
    : '0';
  const trailers = random.oneIn(3)
    ? random.pick(TRAILERS) + (random.oneIn(3) ? random.pick(TRAILERS) : '')
    : '';
  return `${text}${last}\r\n${trailers}\r\n`;
}

function chunk(random: Random): string {
  if (random.oneIn(3)) return `${random.pick(SIZES)}\r\nabcde\r\n`;
  if (random.oneIn(100)) return `1;${letters(random, 2_000 + random.below(3_000))}\r\na\r\n`;
  const data = letters(random, 1 + random.below(random.oneIn(20) ? 300 : 20));
  const size = data.length.toString(16);
  return `${random.oneIn(4) ? size.toUpperCase() : size}\r\n${data}\r\n`;
}
