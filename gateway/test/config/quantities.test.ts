import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseListenAddress } from '../../src/control/config/addresses.ts';
import { parseTrustedProxy } from '../../src/control/config/ip-network.ts';
import { formatDuration, formatSize, parseDuration, parseSize } from '../../src/control/config/quantities.ts';
import { closest, editDistance } from '../../src/control/config/suggest.ts';

test('durations are read in milliseconds', () => {
  for (const [text, ms] of [
    ['250ms', 250],
    ['5s', 5000],
    ['1.1s', 1100],
    ['1.5m', 90_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
  ] as const) {
    assert.deepEqual(parseDuration(text), { ok: true, value: ms });
  }
});

test('what is not quite a duration is refused with what was probably meant', () => {
  for (const [text, guess] of [
    ['250', '250ms'],
    ['30', '30s'],
    ['5 s', '5s'],
    ['5S', '5s'],
    ['10sec', '10s'],
    ['3 minutes', '3m'],
    ['1m30s', '90s'],
    ['1h60m', '2h'],
  ] as const) {
    const parsed = parseDuration(text);
    assert.ok(!parsed.ok && parsed.complaint.endsWith(`is not a duration; did you mean ${guess}?`), text);
  }
  for (const text of ['', '-5s', '1.0005s', 's', '5w', '99999999999999999999d', '٣s']) {
    const parsed = parseDuration(text);
    assert.ok(!parsed.ok && parsed.complaint.endsWith('is not a duration'), text);
  }
});

test('sizes are read in bytes, and near misses explained', () => {
  for (const [text, bytes] of [
    ['512B', 512],
    ['64KiB', 65_536],
    ['1.5MiB', 1_572_864],
    ['1GiB', 2 ** 30],
    ['10KB', 10_000],
    ['1MB', 1_000_000],
  ] as const) {
    assert.deepEqual(parseSize(text), { ok: true, value: bytes });
  }
  for (const [text, guess] of [
    ['1024', '1024B'],
    ['64k', '64KiB'],
    ['10m', '10MiB'],
    ['10 mb', '10MB'],
    ['10mib', '10MiB'],
    ['5 bytes', '5B'],
  ] as const) {
    const parsed = parseSize(text);
    assert.ok(!parsed.ok && parsed.complaint.endsWith(`is not a size; did you mean ${guess}?`), text);
  }
  for (const text of ['', '0.5B', '1TiB', 'big', '-1B']) assert.ok(!parseSize(text).ok, text);
});

test('what is written out is read back the same', () => {
  fc.assert(
    fc.property(fc.nat(), (number) => {
      assert.deepEqual(parseDuration(formatDuration(number)), { ok: true, value: number });
      assert.deepEqual(parseSize(formatSize(number)), { ok: true, value: number });
    }),
  );
});

test('trusted proxies become canonical blocks', () => {
  for (const [text, blocks] of [
    ['10.1.2.3', ['10.1.2.3/32']],
    ['10.0.0.0/8', ['10.0.0.0/8']],
    ['2001:DB8:0:0::1', ['2001:db8::1/128']],
    ['::/0', ['::/0']],
    ['fe80::/10', ['fe80::/10']],
    ['::ffff:10.0.0.1', ['::ffff:a00:1/128']],
    ['loopback', ['127.0.0.0/8', '::1/128']],
    ['private', ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7']],
  ] as const) {
    assert.deepEqual(parseTrustedProxy(text), { ok: true, value: blocks });
  }
  for (const text of [
    '',
    '10.0.0',
    '10.0.0.0/',
    '10.0.0.0/-1',
    '10.0.0.0/08x',
    'constructor',
    'fe80::1%eth0',
    '::/129',
  ]) {
    assert.ok(!parseTrustedProxy(text).ok, text);
  }
});

test('listen addresses', () => {
  assert.deepEqual(parseListenAddress('localhost:80'), { ok: true, value: { host: '127.0.0.1', port: 80 } });
  assert.deepEqual(parseListenAddress('[0:0::1]:0'), { ok: true, value: { host: '::1', port: 0 } });
  for (const text of ['', ':', '[]:80', '[::1]', 'unix:/run/x', '1.2.3:80', '0.0.0.0:', '0.0.0.0:080000']) {
    assert.ok(!parseListenAddress(text).ok, text);
  }
});

test('the distance of two words is a metric, and a swap of neighbours is one step', () => {
  assert.equal(editDistance('wbe', 'web'), 1);
  assert.equal(editDistance('kitten', 'sitting'), 3);
  const word = fc.string({ maxLength: 6, unit: fc.constantFrom('a', 'b', 'c') });
  fc.assert(
    fc.property(word, word, (a, b) => {
      assert.equal(editDistance(a, b), editDistance(b, a));
      assert.equal(editDistance(a, b) === 0, a === b);
      assert.ok(editDistance(a, b) <= Math.max(a.length, b.length));
    }),
  );
});

test('a suggestion is near, or an old habit, or none', () => {
  const known = ['backends', 'balance', 'timeouts', 'maxConnections', 'path'];
  assert.equal(closest('backend', known), 'backends');
  assert.equal(closest('max_connections', known), 'maxConnections');
  assert.equal(closest('servers', known), 'backends');
  assert.equal(closest('prefix', known), 'path');
  assert.equal(closest('zebra', known), undefined);
  assert.equal(closest('ab', ['db']), 'db');
  assert.equal(closest('xy', ['db']), undefined);
});
