import { test } from 'node:test';
import { accepts, refusesEach } from './refusals.ts';

const HOST = 'Host: a\r\n\r\n';

refusesEach('a malformed method is refused (RFC 9112 §3.1)', [
  { name: 'a line feed for the request line', bytes: `\n${HOST}`, code: 'bad_request_line' },
  { name: 'no method', bytes: ` / HTTP/1.1\r\n${HOST}`, code: 'bad_request_line' },
  { name: 'no token', bytes: `G@T / HTTP/1.1\r\n${HOST}`, code: 'bad_method' },
  { name: 'a colon, as of a header line', bytes: `Host: a HTTP/1.1\r\n${HOST}`, code: 'bad_method' },
  { name: 'NUL in it', bytes: `G\0T / HTTP/1.1\r\n${HOST}`, code: 'bad_method' },
  { name: 'a letter beyond ASCII', bytes: `G\xc9T / HTTP/1.1\r\n${HOST}`, code: 'bad_method' },
  { name: 'a tab after it', bytes: `GET\t/ HTTP/1.1\r\n${HOST}`, code: 'bad_method' },
  { name: 'longer than any method', bytes: `${'A'.repeat(33)} / HTTP/1.1\r\n${HOST}`, code: 'bad_method' },
  { name: 'a TLS hello', bytes: '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', code: 'bad_request_line' },
]);

refusesEach('a malformed target is refused (RFC 9112 §3.2)', [
  { name: 'no target', bytes: `GET HTTP/1.1\r\n${HOST}`, code: 'bad_target' },
  { name: 'nothing between the spaces', bytes: `GET  HTTP/1.1\r\n${HOST}`, code: 'bad_target' },
  { name: 'two spaces before it', bytes: `GET  / HTTP/1.1\r\n${HOST}`, code: 'bad_target' },
  { name: 'a space in it', bytes: `GET /a b HTTP/1.1\r\n${HOST}`, code: 'bad_request_line' },
  { name: 'a tab after it', bytes: `GET /\tHTTP/1.1\r\n${HOST}`, code: 'bad_target' },
  { name: 'NUL in it', bytes: `GET /a\0b HTTP/1.1\r\n${HOST}`, code: 'bad_target' },
  { name: 'DEL in it', bytes: `GET /a\x7fb HTTP/1.1\r\n${HOST}`, code: 'bad_target' },
  { name: 'a bare CR in it', bytes: `GET /a\rb HTTP/1.1\r\n${HOST}`, code: 'bad_target' },
  { name: 'a bare LF in it', bytes: `GET /a\nb HTTP/1.1\r\n${HOST}`, code: 'bad_target' },
  { name: 'a byte beyond ASCII', bytes: `GET /caf\xe9 HTTP/1.1\r\n${HOST}`, code: 'bad_target' },
  { name: 'a fragment', bytes: `GET /a#b HTTP/1.1\r\n${HOST}`, code: 'bad_target' },
  { name: 'a backslash', bytes: `GET /a\\b HTTP/1.1\r\n${HOST}`, code: 'bad_target' },
  { name: 'no slash at its start', bytes: `GET index.html HTTP/1.1\r\n${HOST}`, code: 'bad_target' },
  { name: 'an unknown scheme', bytes: `GET ftp://a/ HTTP/1.1\r\n${HOST}`, code: 'bad_target' },
  { name: 'userinfo in absolute-form', bytes: `GET http://u:p@a/ HTTP/1.1\r\n${HOST}`, code: 'bad_target' },
  { name: 'absolute-form without authority', bytes: `GET http:///a HTTP/1.1\r\n${HOST}`, code: 'bad_target' },
  { name: 'asterisk-form but for OPTIONS', bytes: `GET * HTTP/1.1\r\n${HOST}`, code: 'bad_target' },
  { name: 'authority-form but for CONNECT', bytes: `GET a:80 HTTP/1.1\r\n${HOST}`, code: 'bad_target' },
  { name: 'origin-form with CONNECT', bytes: `CONNECT a HTTP/1.1\r\n${HOST}`, code: 'bad_target' },
]);

refusesEach('a malformed or unknown version is refused (RFC 9112 §2.3)', [
  { name: 'HTTP/0.9 simple request', bytes: 'GET /\r\n', code: 'bad_target' },
  { name: 'HTTP/0.9', bytes: `GET / HTTP/0.9\r\n${HOST}`, code: 'bad_version', status: 505 },
  { name: 'HTTP/1.2', bytes: `GET / HTTP/1.2\r\n${HOST}`, code: 'bad_version', status: 505 },
  { name: 'HTTP/2.0', bytes: `GET / HTTP/2.0\r\n${HOST}`, code: 'bad_version', status: 505 },
  {
    name: 'the preface of HTTP/2',
    bytes: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    code: 'bad_version',
    status: 505,
  },
  { name: 'in lower case', bytes: `GET / http/1.1\r\n${HOST}`, code: 'bad_request_line' },
  { name: 'HTTP/1', bytes: `GET / HTTP/1\r\n${HOST}`, code: 'bad_request_line' },
  { name: 'HTTP/1.10', bytes: `GET / HTTP/1.10\r\n${HOST}`, code: 'bad_request_line' },
  { name: 'HTTP/01.1', bytes: `GET / HTTP/01.1\r\n${HOST}`, code: 'bad_request_line' },
  { name: 'HTTP/1,1', bytes: `GET / HTTP/1,1\r\n${HOST}`, code: 'bad_request_line' },
  { name: 'another protocol', bytes: `GET / RTSP/1.0\r\n${HOST}`, code: 'bad_request_line' },
  { name: 'a space after it', bytes: `GET / HTTP/1.1 \r\n${HOST}`, code: 'bad_request_line' },
  { name: 'two spaces before it', bytes: `GET /  HTTP/1.1\r\n${HOST}`, code: 'bad_request_line' },
  { name: 'ended by a bare LF', bytes: `GET / HTTP/1.1\n${HOST}`, code: 'bad_request_line' },
  { name: 'ended by a bare CR', bytes: `GET / HTTP/1.1\r${HOST}`, code: 'bad_request_line' },
  { name: 'ended by CR CR LF', bytes: `GET / HTTP/1.1\r\r\n${HOST}`, code: 'bad_request_line' },
]);

refusesEach('only one empty line may precede a request line (RFC 9112 §2.2)', [
  { name: 'two empty lines', bytes: `\r\n\r\nGET / HTTP/1.1\r\n${HOST}`, code: 'bad_request_line' },
  { name: 'a bare LF', bytes: `\nGET / HTTP/1.1\r\n${HOST}`, code: 'bad_request_line' },
  { name: 'a bare CR', bytes: `\rGET / HTTP/1.1\r\n${HOST}`, code: 'bad_request_line' },
  { name: 'white space', bytes: ` GET / HTTP/1.1\r\n${HOST}`, code: 'bad_request_line' },
]);

test('an unusual but well-formed request line passes', (t) =>
  accepts(t, [
    {
      name: 'after an empty line',
      bytes: `\r\nGET / HTTP/1.1\r\n${HOST}`,
      forwarded: /^GET \/ HTTP\/1\.1\r\n/,
    },
    {
      name: 'an unknown method',
      bytes: `PURGE!#$%&'*+-.^_\`|~09 / HTTP/1.1\r\n${HOST}`,
      forwarded: /^PURGE!#\$%&'\*\+-\.\^_`\|~09 \/ /,
    },
    {
      name: 'a method in lower case, which is another method',
      bytes: `get / HTTP/1.1\r\n${HOST}`,
      forwarded: /^get \/ /,
    },
    {
      name: 'a query with a second question mark',
      bytes: `GET /a?b?c=/../%0d%0a HTTP/1.1\r\n${HOST}`,
      forwarded: /^GET \/a\?b\?c=\/\.\.\/%0d%0a HTTP\/1\.1\r\n/,
    },
    { name: 'an empty query', bytes: `GET /a? HTTP/1.1\r\n${HOST}`, forwarded: /^GET \/a\? HTTP\/1\.1\r\n/ },
  ]));
