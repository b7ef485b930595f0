import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseMethod, parseRouteHost, parseRoutePath } from '../../src/control/config/route-values.ts';
import { canonicalHost, canonicalPath } from '../../src/data/target.ts';

const pieces = fc.constantFrom(
  '/',
  '.',
  '..',
  '%2e',
  '%2F',
  '%5c',
  '%7E',
  '%25',
  '%C3%BC',
  '%3b',
  ';',
  'a',
  'B',
  '*',
  '@',
  '"',
  '~',
  '%',
  '\\',
  ' ',
  'ü',
  '%c0%af',
  '\ud800',
  '\u0001',
);
const paths = fc.array(pieces, { maxLength: 8 }).map((parts) => `/${parts.join('')}`);

test('a route path that is accepted is what the router makes of the same path in a request', () => {
  fc.assert(
    fc.property(paths, (text) => {
      const route = parseRoutePath(text);
      if (!route.ok) return;
      assert.deepEqual(canonicalPath(route.value), { ok: true, path: route.value, decoded: undefined });
      assert.ok(route.value === '/' || !route.value.endsWith('/'));
    }),
    { numRuns: 2000 },
  );
});

test('a suggested path is accepted', () => {
  fc.assert(
    fc.property(paths, (text) => {
      const route = parseRoutePath(text);
      const guess = route.ok ? undefined : /did you mean ([!-~]+)\?$/.exec(route.complaint)?.[1];
      if (guess !== undefined && !guess.includes('…') && !guess.startsWith('"'))
        assert.ok(parseRoutePath(guess).ok, guess);
    }),
    { numRuns: 2000 },
  );
});

test('a route host that is accepted is what the router makes of the same host in a request', () => {
  const labels = fc.constantFrom(
    'a',
    'Example',
    '_x',
    '-',
    'xn--bcher-kva',
    '*',
    '1',
    '[::1]',
    '[0:0::1]',
    ':80',
    '',
  );
  fc.assert(
    fc.property(fc.array(labels, { minLength: 1, maxLength: 4 }), (parts) => {
      const host = parseRouteHost(parts.join('.'));
      if (host.ok) assert.equal(canonicalHost(host.value), host.value);
    }),
    { numRuns: 2000 },
  );
});

test('hosts are lower-cased, wildcards and IP addresses are taken', () => {
  for (const [text, value] of [
    ['WWW.Example.COM', 'www.example.com'],
    ['*.Example.com', '*.example.com'],
    ['127.0.0.1', '127.0.0.1'],
    ['[2001:DB8:0::1]', '[2001:db8::1]'],
    ['db_1', 'db_1'],
  ] as const) {
    assert.deepEqual(parseRouteHost(text), { ok: true, value });
  }
});

test('a trailing slash of a path is dropped, but not that of the root', () => {
  assert.deepEqual(parseRoutePath('/db/'), { ok: true, value: '/db' });
  assert.deepEqual(parseRoutePath('/'), { ok: true, value: '/' });
});

test('methods are tokens in upper case and never CONNECT', () => {
  assert.ok(parseMethod('M-SEARCH').ok);
  assert.deepEqual(parseMethod('get'), {
    ok: false,
    complaint: 'get is not a method such as GET; did you mean GET?',
  });
  assert.ok(!parseMethod('CONNECT').ok);
  assert.ok(!parseMethod('GE T').ok);
});
