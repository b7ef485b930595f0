import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readQuestion } from '../../src/control/admin/explain-question.ts';

const read = (url: string, headers: readonly string[] = []) => {
  const result = readQuestion({ method: 'GET', url, headers, clientIp: '::1' });
  assert.ok(result.ok, JSON.stringify(result));
  return result.question;
};

test('a URL is split into host and target without being tidied up', () => {
  const cases: readonly (readonly [url: string, host: string, target: string])[] = [
    ['/a/../b//c%2f', '', '/a/../b//c%2f'],
    ['/a?x=/&y=http://h/#f', '', '/a?x=/&y=http://h/'],
    ['http://h', 'h', '/'],
    ['HTTPS://H.:443', 'h', '/'],
    ['http://h?q', 'h', '/?q'],
    ['http://h#f', 'h', '/'],
    ['http://[2001:DB8::1]:80/x', '[2001:db8::1]', '/x'],
    ['http://h/a/./b#c', 'h', '/a/./b'],
  ];
  for (const [url, host, target] of cases) {
    const question = read(url);
    assert.deepEqual([question.host, question.target], [host, target], url);
  }
});

test('a Host field says more than the URL, as with curl', () => {
  const { host, headers } = read('http://127.0.0.1:8080/', ['Host: www.example.com:80']);
  assert.equal(host, 'www.example.com');
  assert.deepEqual(headers, { host: 'www.example.com:80' });
});

test('fields of one name are joined as servers join them', () => {
  const { headers } = read('/', ['A: 1', 'a:2 ', 'Cookie: x=1', 'cookie: y=2', 'B:']);
  assert.deepEqual(headers, { a: '1, 2', cookie: 'x=1; y=2', b: '' });
});

test('a field named __proto__ is a field', () => {
  const { headers } = read('/', ['__proto__: x']);
  assert.deepEqual(Object.entries(headers), [['__proto__', 'x']]);
  assert.equal(Object.getPrototypeOf(headers), Object.prototype);
});
