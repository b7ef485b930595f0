import { test } from 'node:test';
import { accepts, refusesEach } from './refusals.ts';

const get = (fields: string): string => `GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;
const CONTROLS = [...Array(32).keys(), 127].filter((code) => code !== 9 && code !== 10 && code !== 13);
const hex = (code: number): string => `0x${code.toString(16).padStart(2, '0')}`;

refusesEach('a malformed field line is refused (RFC 9112 §5)', [
  { name: 'a space before the colon', bytes: get('X : 1\r\n'), code: 'bad_field' },
  { name: 'a tab before the colon', bytes: get('X\t: 1\r\n'), code: 'bad_field' },
  { name: 'no colon', bytes: get('X 1\r\n'), code: 'bad_field' },
  { name: 'only a name', bytes: get('X\r\n'), code: 'bad_field' },
  { name: 'no name', bytes: get(': 1\r\n'), code: 'bad_field' },
  { name: 'a space in the name', bytes: get('X Y: 1\r\n'), code: 'bad_field' },
  { name: 'a delimiter in the name', bytes: get('X(Y): 1\r\n'), code: 'bad_field' },
  { name: 'a byte beyond ASCII in the name', bytes: get('X\xe9: 1\r\n'), code: 'bad_field' },
  { name: 'a folded line (obs-fold), space', bytes: get('X: 1\r\n 2\r\n'), code: 'bad_field' },
  { name: 'a folded line (obs-fold), tab', bytes: get('X: 1\r\n\t2\r\n'), code: 'bad_field' },
  { name: 'a folded line of only a space', bytes: get('X: 1\r\n \r\n'), code: 'bad_field' },
  {
    name: 'white space before the first field',
    bytes: 'GET / HTTP/1.1\r\n Host: a\r\n\r\n',
    code: 'bad_field',
  },
  { name: 'a bare LF at the end of a line', bytes: get('X: 1\nY: 2\r\n'), code: 'bad_field' },
  { name: 'a bare CR at the end of a line', bytes: get('X: 1\rY: 2\r\n'), code: 'bad_field' },
  { name: 'a bare CR before CRLF', bytes: get('X: 1\r\r\n'), code: 'bad_field' },
  { name: 'a bare LF for the empty line', bytes: 'GET / HTTP/1.1\r\nHost: a\r\n\n', code: 'bad_field' },
  {
    name: 'a bare CR for the empty line',
    bytes: 'GET / HTTP/1.1\r\nHost: a\r\n\rX: 1\r\n\r\n',
    code: 'bad_field',
  },
  { name: 'a head of bare LFs', bytes: 'GET / HTTP/1.1\nHost: a\n\n', code: 'bad_request_line' },
]);

refusesEach(
  'a control character in a field value is refused (RFC 9110 §5.5)',
  CONTROLS.map((code) => ({
    name: hex(code),
    bytes: get(`X: a${String.fromCharCode(code)}b\r\n`),
    code: 'bad_field',
  })),
);

refusesEach(
  'a control character in a field name is refused (RFC 9110 §5.1)',
  [...CONTROLS, 9, 10, 13].map((code) => ({
    name: hex(code),
    bytes: get(`X${String.fromCharCode(code)}Y: 1\r\n`),
    code: 'bad_field',
  })),
);

test('white space around values is no part of them and is written anew', (t) =>
  accepts(t, [
    { name: 'no space', bytes: get('X:1\r\n'), forwarded: /\r\nX: 1\r\n/ },
    { name: 'spaces and tabs', bytes: get('X: \t 1 2\t \r\n'), forwarded: /\r\nX: 1 2\r\n/ },
    { name: 'an empty value', bytes: get('X:\r\n'), forwarded: /\r\nX: \r\n/ },
    { name: 'only white space', bytes: get('X: \t \r\nY: 1\r\n'), forwarded: /\r\nX: \r\nY: 1\r\n/ },
    {
      name: 'obs-text and a tab inside',
      bytes: get('X: caf\xe9\tb\r\n'),
      forwarded: /\r\nX: caf\xe9\tb\r\n/,
    },
    {
      name: 'every mark of a token in a name',
      bytes: get("!#$%&'*+-.^`|~9: 1\r\n"),
      forwarded: /\r\n!#\$%&'\*\+-\.\^`\|~9: 1\r\n/,
    },
    {
      name: 'a name repeated, order kept',
      bytes: get('X: 1\r\nY: 2\r\nX: 3\r\n'),
      forwarded: /\r\nX: 1\r\nY: 2\r\nX: 3\r\n/,
    },
  ]));
