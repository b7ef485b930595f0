import { test } from 'node:test';
import { accepts, refusesEach } from './refusals.ts';

const get = (fields: string): string => `GET / HTTP/1.1\r\n${fields}\r\n`;

refusesEach('Host must be there once and be valid (RFC 9112 §3.2)', [
  { name: 'missing', bytes: get('X: 1\r\n'), code: 'bad_host' },
  { name: 'empty, on the first request of all', bytes: get('Host:\r\n'), code: 'bad_host' },
  { name: 'only spaces', bytes: get('Host:   \r\n'), code: 'bad_host' },
  { name: 'two different', bytes: get('Host: a\r\nHost: b\r\n'), code: 'bad_host' },
  { name: 'two alike', bytes: get('Host: a\r\nHost: a\r\n'), code: 'bad_host' },
  {
    name: 'two, one of them in another case',
    bytes: get('Host: a\r\nX: 1\r\nhOST: a\r\n'),
    code: 'bad_host',
  },
  { name: 'a list', bytes: get('Host: a, b\r\n'), code: 'bad_host' },
  { name: 'a path', bytes: get('Host: a/b\r\n'), code: 'bad_host' },
  { name: 'userinfo', bytes: get('Host: u@a\r\n'), code: 'bad_host' },
  { name: 'a space', bytes: get('Host: a b\r\n'), code: 'bad_host' },
  { name: 'a port that is no number', bytes: get('Host: a:b\r\n'), code: 'bad_host' },
  { name: 'two ports', bytes: get('Host: a:1:2\r\n'), code: 'bad_host' },
  { name: 'only a port', bytes: get('Host: :80\r\n'), code: 'bad_host' },
  { name: 'an unclosed bracket', bytes: get('Host: [::1\r\n'), code: 'bad_host' },
  { name: 'a bare IPv6 address', bytes: get('Host: ::1\r\n'), code: 'bad_host' },
  { name: 'a bad percent-encoding', bytes: get('Host: a%zz\r\n'), code: 'bad_host' },
  { name: 'a quote', bytes: get('Host: a"b\r\n'), code: 'bad_host' },
  { name: 'a byte beyond ASCII', bytes: get('Host: caf\xe9\r\n'), code: 'bad_host' },
  { name: 'a question mark', bytes: get('Host: a?b\r\n'), code: 'bad_host' },
  {
    name: 'missing, with an absolute-form target',
    bytes: 'GET http://a/ HTTP/1.1\r\n\r\n',
    code: 'bad_host',
  },
  { name: 'two in HTTP/1.0', bytes: 'GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n', code: 'bad_host' },
  { name: 'empty in HTTP/1.0', bytes: 'GET / HTTP/1.0\r\nHost:\r\n\r\n', code: 'bad_host' },
]);

test('each valid form of Host passes unchanged', (t) =>
  accepts(
    t,
    [
      'a',
      'A.Example',
      'a.example.',
      'a:8080',
      'a:',
      '127.0.0.1:80',
      '[::1]',
      '[::1]:80',
      'a_b',
      'a%20b',
      'xn--caf-dma',
    ].map((host) => ({
      name: host,
      bytes: get(`Host: ${host}\r\n`),
      forwarded: new RegExp(`\\r\\nHost: ${host.replace(/[[\].]/g, '\\$&')}\\r\\n`),
    })),
  ));

test('a host that was valid does not vouch for one that is empty', (t) =>
  accepts(t, [
    {
      name: 'on the same connection',
      bytes: 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n',
      forwarded: /^GET \/ HTTP\/1\.1\r\nHost: \r\n/,
    },
  ]));
