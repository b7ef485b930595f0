import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { clientAddress, TrustedProxies } from '../src/data/client-address.ts';

const proxies = new TrustedProxies(['10.0.0.0/8', '::1/128', '2001:db8:ffff::/48', '192.0.2.7']);

test('an address is trusted when one of the blocks holds it', () => {
  const trusted = [
    '10.0.0.1',
    '10.255.255.255',
    '::1',
    '2001:db8:ffff::9',
    '192.0.2.7',
    '::ffff:10.1.2.3',
    '::ffff:a01:203',
  ];
  const not = [
    '11.0.0.1',
    '192.0.2.8',
    '::2',
    '2001:db8::1',
    '::ffff:11.0.0.1',
    '',
    'localhost',
    '10.0.0.1:80',
    '010.0.0.1',
  ];
  for (const ip of trusted) assert.ok(proxies.trusts(ip), ip);
  for (const ip of not) assert.ok(!proxies.trusts(ip), ip);
  assert.ok(proxies.trusts('10.0.0.1') && proxies.trusts('10.0.0.1'));
});

test('blocks of mapped and link-local addresses are understood', () => {
  assert.ok(new TrustedProxies(['::ffff:10.0.0.0/104']).trusts('10.9.9.9'));
  assert.ok(!new TrustedProxies(['::ffff:10.0.0.0/104']).trusts('11.9.9.9'));
  assert.ok(new TrustedProxies(['fe80::/10']).trusts('fe80::1%eth0'));
  assert.ok(new TrustedProxies(['0.0.0.0/0']).trusts('203.0.113.9'));
});

test('nothing is trusted unless named', () => {
  const none = new TrustedProxies([]);
  assert.ok(!none.trusts('127.0.0.1'));
  assert.equal(clientAddress('127.0.0.1', '203.0.113.9', none), '127.0.0.1');
});

test('a bad block is refused by name', () => {
  for (const bad of [
    '10.0.0.0/33',
    '::1/129',
    'localhost',
    '10.0.0.0/',
    '10.0.0.0/x',
    '10.0.0.0/-1',
    '',
    '10.0.0.0/8/8',
  ]) {
    assert.throws(() => new TrustedProxies([bad]), {
      name: 'RangeError',
      message: new RegExp(`^"${bad}" is neither`),
    });
  }
});

test('the client is the first from the right that is no trusted proxy', () => {
  const cases: readonly (readonly [peer: string, field: string | undefined, client: string])[] = [
    ['10.0.0.1', undefined, '10.0.0.1'],
    ['203.0.113.1', '198.51.100.1', '203.0.113.1'],
    ['10.0.0.1', '198.51.100.1', '198.51.100.1'],
    ['10.0.0.1', 'spoofed, 1.1.1.1, 198.51.100.1, 10.0.0.2', '198.51.100.1'],
    ['10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['10.0.0.1', '198.51.100.1:567', '198.51.100.1'],
    ['10.0.0.1', '198.51.100.1:99999', '10.0.0.1'],
    ['10.0.0.1', '198.51.100.1:', '10.0.0.1'],
    ['10.0.0.1', '[2001:DB8:0::1]:99', '2001:db8::1'],
    ['10.0.0.1', '[2001:db8::1]', '2001:db8::1'],
    ['10.0.0.1', '2001:db8::1', '2001:db8::1'],
    ['10.0.0.1', '[198.51.100.1]:5', '10.0.0.1'],
    ['10.0.0.1', '[2001:db8::1', '10.0.0.1'],
    ['10.0.0.1', 'fe80::1%eth0', '10.0.0.1'],
    ['10.0.0.1', '::ffff:198.51.100.1', '198.51.100.1'],
    ['::ffff:10.0.0.1', '198.51.100.1', '198.51.100.1'],
    ['::ffff:203.0.113.1', '198.51.100.1', '203.0.113.1'],
    ['10.0.0.1', '198.51.100.1, unknown, 10.0.0.2', '10.0.0.2'],
    ['10.0.0.1', '198.51.100.1, , 10.0.0.2,', '198.51.100.1'],
    ['10.0.0.1', ',198.51.100.1', '198.51.100.1'],
    ['10.0.0.1', '', '10.0.0.1'],
    ['10.0.0.1', ',', '10.0.0.1'],
    ['10.0.0.1', '01.2.3.4', '10.0.0.1'],
    ['10.0.0.1', '\t198.51.100.1 ', '198.51.100.1'],
    ['fe80::1%eth0', '198.51.100.1', 'fe80::1%eth0'],
  ];
  for (const [peer, field, client] of cases)
    assert.equal(clientAddress(peer, field, proxies), client, `${peer} ${field}`);
});

test('the walk is bounded', () => {
  const field = ['198.51.100.1', ...new Array<string>(1000).fill('10.0.0.2')].join(',');
  assert.equal(clientAddress('10.0.0.1', field, proxies), '10.0.0.2');
});

test('what a client writes left of its own address changes nothing', () => {
  fc.assert(
    fc.property(fc.string(), fc.ipV4(), (spoofed, address) => {
      fc.pre(!proxies.trusts(address));
      assert.equal(clientAddress('10.0.0.1', `${spoofed}, ${address}, 10.0.0.2`, proxies), address);
    }),
  );
});
