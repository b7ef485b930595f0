import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { NEVER, shortestListing } from '../../src/data/forward-proxy/guarded-blocks.ts';
import { parseIp, parseIpBlock } from '../../src/data/forward-proxy/ip.ts';
import { authorityOf, readTarget } from '../../src/data/forward-proxy/proxy-target.ts';
import { TunnelRules } from '../../src/data/forward-proxy/rules.ts';
import type { TunnelTargetPlan } from '../../src/data/plan.ts';

const ALL = [{ from: 1, to: 65_535 }];

function rules(...hosts: readonly (string | TunnelTargetPlan)[]): TunnelRules {
  return new TunnelRules(hosts.map((host) => (typeof host === 'string' ? { host, ports: ALL } : host)));
}

function permits(allowed: TunnelRules, authority: string): boolean {
  const target = readTarget(authority);
  return target !== undefined && allowed.permits(target);
}

/** Whether a name that a rule lists may lead to `address`. */
function mayLeadTo(allowed: TunnelRules, address: string): boolean {
  const target = readTarget('listed.example:443');
  const ip = parseIp(address);
  assert.ok(target !== undefined && ip !== undefined, address);
  return allowed.permitsAddress(target, ip);
}

test('a target has one spelling, whatever it was asked for in', () => {
  const spellings: readonly (readonly [string, string])[] = [
    ['Example.COM:443', 'example.com:443'],
    ['example.com.:443', 'example.com:443'],
    ['LOCALHOST.:80', 'localhost:80'],
    ['127.0.0.1:0443', '127.0.0.1:443'],
    ['127.0.0.1.:443', '127.0.0.1:443'],
    ['[::ffff:127.0.0.1]:443', '127.0.0.1:443'],
    ['[0:0:0:0:0:FFFF:7F00:1]:443', '127.0.0.1:443'],
    ['[2001:DB8:0::1]:443', '[2001:db8::1]:443'],
    ['[::1]:8080', '[::1]:8080'],
    ['[64:ff9b::1.2.3.4]:443', '[64:ff9b::102:304]:443'],
    ['a_b-c.example:1', 'a_b-c.example:1'],
  ];
  for (const [sent, canonical] of spellings) {
    const target = readTarget(sent);
    assert.equal(target && authorityOf(target), canonical, sent);
  }
});

test('what could be read in more than one way is no target', () => {
  const refused = [
    // what inet_aton takes for 127.0.0.1
    ...[
      '127.1:80',
      '127.0.1:80',
      '2130706433:80',
      '0x7f000001:80',
      '0x7f.1:80',
      '0177.0.0.1:80',
      '017700000001:80',
    ],
    ...['127.0.0.0x1:80', '0:80', '0x:80', '127.0.0.01:80', '1.2.3.4.5:80', '256.0.0.1:80', 'a.b.1:80'],
    // zones, brackets and what else stands around an address
    ...['[fe80::1%eth0]:80', '[::1%25lo]:80', '[127.0.0.1]:80', '[::1:80', '::1:80', '[]:80', '[::1]]:80'],
    // encodings, separators, users
    ...[
      '%6cocalhost:80',
      'local%68ost:80',
      'user@host:80',
      'a:b@c:80',
      'host/..:80',
      'a b:80',
      'ho\u017ft:80',
    ],
    ...['a..b:80', '.a:80', '-a:80', 'a-:80', 'a,b:80', '*:80', '*.example.com:80', `${'a'.repeat(64)}.b:80`],
    ...[`${'a.'.repeat(130)}b:80`, '..:80', '.:80', 'example.com..:80'],
    // ports
    ...[
      'host',
      'host:',
      'host:0',
      'host:65536',
      'host:-1',
      'host:+80',
      'host:80 ',
      'host:8o',
      'host:999999',
      ':80',
    ],
  ];
  for (const sent of refused) assert.equal(readTarget(sent), undefined, sent);
  assert.equal(readTarget('host', 80)?.port, 80);
  assert.equal(readTarget('host:', 80)?.port, 80);
});

test('names are permitted by rules for names, with subdomains only where they are asked for', () => {
  const allowed = rules('exact.example', '*.wild.example', 'Upper.Example.');
  for (const host of [
    'exact.example',
    'EXACT.example.',
    'a.wild.example',
    'a.b.wild.example',
    'upper.example',
  ])
    assert.equal(permits(allowed, `${host}:443`), true, host);
  for (const host of [
    'wild.example',
    'a.exact.example',
    'xwild.example',
    'wild.example.evil',
    'example',
    '1.2.3.4',
  ])
    assert.equal(permits(allowed, `${host}:443`), false, host);
});

test('a rule holds for its ports, and without any for 443 alone', () => {
  const allowed = rules(
    { host: 'some.example', ports: [] },
    {
      host: 'many.example',
      ports: [
        { from: 80, to: 80 },
        { from: 8000, to: 8100 },
      ],
    },
    { host: 'many.example', ports: [{ from: 22, to: 22 }] },
    { host: '10.0.0.0/8', ports: [] },
  );
  const yes = [
    'some.example:443',
    'many.example:80',
    'many.example:8000',
    'many.example:8100',
    'many.example:22',
  ];
  for (const authority of [...yes, '10.1.2.3:443'])
    assert.equal(permits(allowed, authority), true, authority);
  const no = ['some.example:80', 'many.example:443', 'many.example:7999', 'many.example:8101', '10.1.2.3:80'];
  for (const authority of no) assert.equal(permits(allowed, authority), false, authority);
});

test('addresses are permitted by rules for addresses, never by one for names', () => {
  const allowed = rules('93.184.216.34', '10.0.0.0/8', '2001:db8::/32', '[2001:db9::1]', '*.example');
  const yes = [
    '93.184.216.34:1',
    '10.255.0.1:1',
    '[2001:db8:1::1]:1',
    '[2001:db9::1]:1',
    '[::ffff:10.0.0.1]:1',
  ];
  for (const authority of yes) assert.equal(permits(allowed, authority), true, authority);
  for (const authority of ['93.184.216.35:1', '11.0.0.1:1', '[2001:db9::2]:1', '[::10.0.0.1]:1'])
    assert.equal(permits(allowed, authority), false, authority);
});

test('a listed name may lead to public and private addresses, not to this machine, this link or metadata services', () => {
  const allowed = rules('listed.example');
  for (const address of ['93.184.216.34', '10.0.0.1', '192.168.1.1', '100.64.0.1', '2606:2800::1', 'fd00::1'])
    assert.equal(mayLeadTo(allowed, address), true, address);
  for (const address of ['64:ff9b::5db8:d822', '2002:5db8:d822::1'])
    assert.equal(mayLeadTo(allowed, address), true, address);
  for (const address of GUARDED) assert.equal(mayLeadTo(allowed, address), false, address);
});

const GUARDED = [
  ...['127.0.0.1', '127.255.255.254', '169.254.169.254', '169.254.0.1', '192.0.0.192', '100.100.100.200'],
  ...['168.63.129.16', '0.0.0.0', '0.1.2.3', '224.0.0.1', '239.1.1.1', '240.0.0.1', '255.255.255.255'],
  ...['::', '::1', 'fe80::1', 'febf::1', 'fec0::1', 'ff02::1', 'fd00:ec2::254', 'fd20:ce::254'],
  // the same by other ways: mapped, compatible, translated, NAT64, 6to4, Teredo
  ...['::ffff:127.0.0.1', '::127.0.0.1', '::ffff:0:127.0.0.1', '64:ff9b::127.0.0.1', '64:ff9b::a9fe:a9fe'],
  ...['64:ff9b:1::7f00:1', '2002:7f00:1::1', '2002:a9fe:a9fe::', '2001::1', '64:ff9b::', '2002:e000:1::'],
];

test('a block of everything lists no guarded address, one of loopback lists loopback', () => {
  const everything = rules('listed.example', '0.0.0.0/0', '::/0', '64:ff9b::/96', '2002::/16', '::/96');
  for (const address of GUARDED) {
    assert.equal(mayLeadTo(everything, address), false, address);
    const authority = address.includes(':') ? `[${address}]` : address;
    assert.equal(permits(everything, `${authority}:443`), false, authority);
  }
  assert.equal(permits(everything, '93.184.216.34:443'), true);
  const listed: readonly (readonly [string, string])[] = [
    ['127.0.0.0/8', '127.0.0.1'],
    ['127.0.0.1', '127.0.0.1'],
    ['::1', '::1'],
    ['169.254.169.254', '169.254.169.254'],
    ['fe80::/10', 'fe80::1'],
    ['::ffff:127.0.0.0/104', '127.0.0.1'],
    ['64:ff9b::7f00:0/104', '64:ff9b::127.0.0.1'],
    ['2002:7f00::/24', '2002:7f00:1::1'],
  ];
  for (const [rule, address] of listed) {
    assert.equal(mayLeadTo(rules('listed.example', rule), address), true, rule);
    assert.equal(mayLeadTo(rules('listed.example'), address), false, rule);
  }
});

test('what is nowhere cannot be listed', () => {
  for (const address of ['0.0.0.0', '::', '224.0.0.1', '255.255.255.255', 'ff02::1', '64:ff9b::']) {
    const ip = parseIp(address);
    assert.equal(ip && shortestListing(ip), NEVER, address);
    assert.equal(mayLeadTo(rules('listed.example', address), address), false, address);
  }
});

test('every spelling of an IPv6 address is the same number, and every mapped one its IPv4 address', () => {
  const group = fc.integer({ min: 0, max: 0xffff });
  fc.assert(
    fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
      const long = groups.map((one) => one.toString(16)).join(':');
      const upper = groups.map((one) => one.toString(16).toUpperCase().padStart(4, '0')).join(':');
      const short = new URL(`http://[${long}]`).hostname.slice(1, -1);
      const [six = 0, seven = 0] = groups.slice(6);
      const v4 = `${six >> 8}.${six & 255}.${seven >> 8}.${seven & 255}`;
      const mixed = `${long.split(':').slice(0, 6).join(':')}:${v4}`;
      for (const spelling of [upper, short, mixed])
        assert.deepEqual(parseIp(spelling), parseIp(long), spelling);
      assert.deepEqual(parseIp(`::ffff:${v4}`), parseIp(v4));
    }),
  );
});

test('a block of mapped addresses is one of IPv4 addresses, unless it holds others too', () => {
  assert.deepEqual(parseIpBlock('::ffff:10.0.0.0/104'), parseIpBlock('10.0.0.0/8'));
  assert.equal(parseIpBlock('::ffff:0:0/95')?.family, 6);
  for (const wrong of [
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/8/8',
    '10.0.0.0/',
    '10.0.0.0/-1',
    'host/8',
    'fe80::1%lo',
  ])
    assert.equal(parseIpBlock(wrong), undefined, wrong);
});
