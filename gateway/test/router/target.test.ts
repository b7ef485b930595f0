import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { canonicalHost, canonicalPath, joinRewrite, needsReading } from '../../src/data/target.ts';

/** raw path → canonical path */
const SAME_ROUTE: readonly (readonly [string, string])[] = [
  ['/', '/'],
  ['/db/users/1', '/db/users/1'],
  ["/!$&'()*+,;=:@-._~", "/!$&'()*+,;=:@-._~"],
  ['/{a}|"b"^`<c>[d]', '/{a}|"b"^`<c>[d]'],
  ['/.well-known/x', '/.well-known/x'],
  ['/...', '/...'],
  ['/a/..b/.c', '/a/..b/.c'],
  ['/a.;b', '/a.;b'],
  ['/%64%62', '/db'],
  ['/%41%7a%30%2D%2e%5f%7E', '/Az0-._~'],
  ['/caf%c3%a9', '/caf%C3%A9'],
  ['/a%20b', '/a%20b'],
  ['/a%3fb%23c', '/a%3Fb%23c'],
  ['//', '/'],
  ['//db///x//', '/db/x/'],
  ['/.', '/'],
  ['/a/.', '/a/'],
  ['/a/./b', '/a/b'],
  ['/a/..', '/'],
  ['/a/b/..', '/a/'],
  ['/a/b/../', '/a/'],
  ['/a/b/../c', '/a/c'],
  ['/a/%2e%2E/b', '/b'],
  ['/a/.%2e/%2e/b', '/b'],
  ['/a//../b', '/b'],
  ['/a/../b//', '/b/'],
  ['/a%252fb', '/a%252fb'],
  ['/%252e%252e/b', '/%252e%252e/b'],
  ['/%25%32%65', '/%252e'],
];

/** raw path → canonical path, second reading */
const TWO_READINGS: readonly (readonly [string, string, string])[] = [
  ['/a%2fb', '/a%2Fb', '/a/b'],
  ['/a%5cb', '/a%5Cb', '/a/b'],
  ['/%2Fdb', '/%2Fdb', '/db'],
  ['/a%2F', '/a%2F', '/a/'],
  ['/a%2F%2f/b', '/a%2F%2F/b', '/a/b'],
  ['/x/../a%2Fb', '/a%2Fb', '/a/b'],
  ['/%40me%3a', '/%40me%3A', '/@me:'],
  ['/a%3bb%20%25', '/a%3Bb%20%25', '/a;b%20%25'],
  ['/a%2f.b', '/a%2F.b', '/a/.b'],
];

const REFUSED: readonly (readonly [string, RegExp])[] = [
  ['', /start with a slash/],
  ['*', /start with a slash/],
  ['db', /start with a slash/],
  ['%2Fdb', /start with a slash/],
  ['/a\\b', /has to be percent-encoded/],
  ['/a#b', /has to be percent-encoded/],
  ['/a?b', /has to be percent-encoded/],
  ['/a b', /has to be percent-encoded/],
  ['/a\tb', /has to be percent-encoded/],
  ['/a\nb', /has to be percent-encoded/],
  ['/a\x00', /has to be percent-encoded/],
  ['/a\x7f', /has to be percent-encoded/],
  ['/caf\u00e9', /has to be percent-encoded/],
  ['/\u{1f600}', /has to be percent-encoded/],
  ['/%', /broken/],
  ['/%2', /broken/],
  ['/%2g', /broken/],
  ['/%%32e', /broken/],
  ['/%u002f', /broken/],
  ['/a%00', /control character/],
  ['/a%0d%0aX', /control character/],
  ['/a%1F', /control character/],
  ['/a%7f', /control character/],
  ['/%c0%af', /overlong/],
  ['/%C1%9C', /overlong/],
  ['/%e0%80%af', /overlong/],
  ['/%F0%80%80%AE', /overlong/],
  ['/..', /above the root/],
  ['/../etc', /above the root/],
  ['/a/../..', /above the root/],
  ['/a/%2e%2e/%2E./b', /above the root/],
  ['//..', /above the root/],
  ['/a/..;/b', /parameter/],
  ['/a/..;x=1/b', /parameter/],
  ['/.;/b', /parameter/],
  ['/a/%2e%2e%3b/b', /parameter/],
  ['/a/%2e;b', /parameter/],
  ['/a%2f..', /hides a dot segment/],
  ['/a/..%2fb', /hides a dot segment/],
  ['/a/..%5cb', /hides a dot segment/],
  ['/a%2f%2e%2e%2fb', /hides a dot segment/],
  ['/a%5c.%5cb', /hides a dot segment/],
  ['/a%2f..;b', /hides a dot segment/],
  ['/a%2f..%3bb', /hides a dot segment/],
  ['/%2e%2e%2fb', /hides a dot segment/],
];

suite('canonicalPath', () => {
  for (const [raw, path] of SAME_ROUTE) {
    test(`reads ${raw} as ${path}`, () => {
      assert.deepEqual(canonicalPath(raw), { ok: true, path, decoded: undefined });
    });
  }

  for (const [raw, path, decoded] of TWO_READINGS) {
    test(`reads ${raw} as ${path} and as ${decoded}`, () => {
      assert.deepEqual(canonicalPath(raw), { ok: true, path, decoded });
    });
  }

  for (const [raw, reason] of REFUSED) {
    test(`refuses ${JSON.stringify(raw)}`, () => {
      const reading = canonicalPath(raw);
      assert.ok(!reading.ok);
      assert.match(reading.reason, reason);
      assert.ok(needsReading(raw));
    });
  }

  test('reads every encoded byte as its class has it', () => {
    for (let byte = 0; byte < 256; byte++) {
      const character = String.fromCharCode(byte);
      const encoded = `%${byte.toString(16).padStart(2, '0')}`;
      const reading = canonicalPath(`/x${encoded}y`);
      if (byte < 0x20 || byte === 0x7f) {
        assert.equal(reading.ok, false, encoded);
        continue;
      }
      const kept = encoded.toUpperCase();
      const isUnreserved = /[A-Za-z0-9._~-]/.test(character);
      const path = `/x${isUnreserved ? character : kept}y`;
      const separates = character === '/' || character === '\\';
      const seen = separates ? '/' : / |[#%?]|[^!-~]/.test(character) ? kept : character;
      const decoded = isUnreserved || seen === kept ? undefined : `/x${seen}y`;
      assert.deepEqual(reading, { ok: true, path, decoded }, encoded);
    }
  });

  test('takes a path of 4000 segments, dots or escapes without falling over', () => {
    const reading = canonicalPath(`${'/a'.repeat(4000)}${'/..'.repeat(4000)}${'//%61'.repeat(4000)}`);
    assert.deepEqual(reading, { ok: true, path: '/a'.repeat(4000), decoded: undefined });
  });
});

suite('needsReading', () => {
  for (const raw of ['/', '/db/users/1', '/a.b/c..d/~e', "/!$&'()*+,;=:@/", '/{a}|"<b>^`[c]', '/a-_/']) {
    test(`spares ${raw}`, () => assert.equal(needsReading(raw), false));
  }

  test('asks for every single byte that is not plain', () => {
    for (let byte = 0; byte < 256; byte++) {
      const raw = `/a${String.fromCharCode(byte)}b`;
      const plain = byte > 0x20 && byte < 0x7f && !'%\\#?'.includes(String.fromCharCode(byte));
      assert.equal(needsReading(raw), !plain, `byte ${byte}`);
    }
  });
});

suite('joinRewrite', () => {
  const cases: readonly (readonly [string, string, string, string])[] = [
    ['/db/x', '/db', '/', '/x'],
    ['/db', '/db', '/', '/'],
    ['/db/', '/db', '/', '/'],
    ['/db/x', '/db', '/v2', '/v2/x'],
    ['/db', '/db', '/v2', '/v2'],
    ['/db/', '/db', '/v2', '/v2/'],
    ['/db/x', '/db', '/v2/', '/v2/x'],
    ['/db', '/db', '/v2/', '/v2/'],
    ['/x', '/', '/v2', '/v2/x'],
    ['/x', '/', '/v2/', '/v2/x'],
    ['/x', '/', '/', '/x'],
    ['/', '/', '/', '/'],
    ['/', '/', '/v2', '/v2/'],
    ['/a/b/c/d', '/a/b', '/x/y', '/x/y/c/d'],
  ];
  for (const [path, prefix, rewrite, expected] of cases) {
    test(`${path} with ${prefix} for ${rewrite} is ${expected}`, () => {
      assert.equal(joinRewrite(path, prefix.length, rewrite), expected);
    });
  }
});

suite('canonicalHost', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['example.com', 'example.com'],
    ['Example.COM', 'example.com'],
    ['example.com:8080', 'example.com'],
    ['example.com:', 'example.com'],
    ['example.com.', 'example.com'],
    ['EXAMPLE.com.:80', 'example.com'],
    ['127.0.0.1:80', '127.0.0.1'],
    ['[::1]', '[::1]'],
    ['[::1]:8080', '[::1]'],
    ['[2001:DB8::A]', '[2001:db8::a]'],
    ['[::ffff:10.0.0.1]:', '[::ffff:10.0.0.1]'],
    ['', ''],
  ];
  for (const [host, expected] of cases) {
    test(`${host} is ${expected}`, () => assert.equal(canonicalHost(host), expected));
  }
});
