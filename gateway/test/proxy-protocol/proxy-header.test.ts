import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseProxyHeader, proxyHeaderV1, proxyHeaderV2 } from '../../src/data/layer4/proxy-protocol.ts';

const SIGNATURE = '\r\n\r\n\0\r\nQUIT\n';

const kindOf = (text: string): string => parseProxyHeader(Buffer.from(text, 'latin1')).kind;

/** Version 2 with one part or another replaced. */
function v2({
  command = 0x21,
  family = 0x11,
  rest = '\x01\x02\x03\x04\x05\x06\x07\x08\x00\x50\x01\xbb',
} = {}): string {
  const length = String.fromCharCode(rest.length >> 8, rest.length & 0xff);
  return SIGNATURE + String.fromCharCode(command, family) + length + rest;
}

const MALFORMED_V1 = [
  ['another protocol', 'GET / HTTP/1.1\r\n'],
  ['lower case', 'proxy TCP4 1.2.3.4 5.6.7.8 1 2\r\n'],
  ['two spaces', 'PROXY  TCP4 1.2.3.4 5.6.7.8 1 2\r\n'],
  ['two spaces further on', 'PROXY TCP4 1.2.3.4  5.6.7.8 1 2\r\n'],
  ['a space at the end', 'PROXY TCP4 1.2.3.4 5.6.7.8 1 2 \r\n'],
  ['a tab', 'PROXY TCP4 1.2.3.4\t5.6.7.8 1 2\r\n'],
  ['LF alone', 'PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n'],
  ['LF alone after UNKNOWN', 'PROXY UNKNOWN\n'],
  ['CR in what UNKNOWN is followed by', 'PROXY UNKNOWN a\rb\r\n'],
  ['UNKNOWN with something attached', 'PROXY UNKNOWNS\r\n'],
  ['another family', 'PROXY UDP4 1.2.3.4 5.6.7.8 1 2\r\n'],
  ['IPv6 as TCP4', 'PROXY TCP4 ::1 ::1 1 2\r\n'],
  ['IPv4 as TCP6', 'PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n'],
  ['leading zeros in an address', 'PROXY TCP4 1.2.3.04 5.6.7.8 1 2\r\n'],
  ['leading zeros in a port', 'PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n'],
  ['a port too large', 'PROXY TCP4 1.2.3.4 5.6.7.8 65536 2\r\n'],
  ['no destination port', 'PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n'],
  ['an address too large', 'PROXY TCP4 1.2.3.256 5.6.7.8 1 2\r\n'],
  ['a zone', 'PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n'],
] as const;

for (const [what, text] of MALFORMED_V1) {
  test(`version 1 with ${what} is malformed`, () => assert.equal(kindOf(text), 'malformed'));
}

test('what cannot become a header is malformed at its first wrong byte', () => {
  for (const text of ['G', 'PROXY X', 'PROXY TCP5', 'PROXY TCP4 g', '\r\n\r\n\0\r\nQ_', `${SIGNATURE}\x31`])
    assert.equal(kindOf(text), 'malformed', text);
});

const MALFORMED_V2 = [
  ['version 1 in its nibble', v2({ command: 0x11 })],
  ['a command that is not there', v2({ command: 0x22 })],
  ['a family that is not there', v2({ family: 0x41 })],
  ['a family without a transport', v2({ family: 0x10 })],
  ['too few bytes for its addresses', v2({ rest: '\x01\x02\x03\x04\x05\x06\x07\x08\x00\x50\x01' })],
  ['IPv6 in the bytes of IPv4', v2({ family: 0x21 })],
  ['more than 536 bytes', v2({ rest: `${'\0'.repeat(12)}\x04\x01\xfb${'\0'.repeat(507)}` })],
  ['a field cut short', v2({ rest: `${'\0'.repeat(12)}\x04\x00\x05abc` })],
  ['a field without its length', v2({ rest: `${'\0'.repeat(12)}\x04\x00` })],
  ['a wrong checksum', v2({ rest: `${'\0'.repeat(12)}\x03\x00\x04abcd` })],
] as const;

for (const [what, text] of MALFORMED_V2) {
  test(`version 2 with ${what} is malformed`, () => assert.equal(kindOf(text), 'malformed'));
}

test('who a proxy speaks for is undefined where it speaks for itself, or of no IP address', () => {
  const headers = {
    UNKNOWN: 'PROXY UNKNOWN\r\n',
    'UNKNOWN with addresses': 'PROXY UNKNOWN ffff:f...f:ffff ffff 65535 65535\r\n',
    LOCAL: v2({ command: 0x20, family: 0, rest: '' }),
    'LOCAL with addresses and a family that is not there': v2({ command: 0x20, family: 0x99 }),
    AF_UNSPEC: v2({ family: 0, rest: 'whatever' }),
    AF_UNIX: v2({ family: 0x31, rest: '\0'.repeat(216) }),
  };
  for (const [what, text] of Object.entries(headers)) {
    const header = parseProxyHeader(Buffer.from(`${text}after`, 'latin1'));
    assert.deepEqual(
      header,
      { kind: 'header', end: text.length, source: undefined, destination: undefined },
      what,
    );
  }
});

test('addresses are read in canonical form', () => {
  const read = (text: string) => {
    const header = parseProxyHeader(Buffer.from(text, 'latin1'));
    return header.kind === 'header' ? header.source : header.kind;
  };
  assert.deepEqual(read('PROXY TCP6 2001:DB8:0:0::1 ::1 5 6\r\n'), { ip: '2001:db8::1', port: 5 });
  assert.deepEqual(read('PROXY TCP6 ::ffff:1.2.3.4 ::1 5 6\r\n'), { ip: '1.2.3.4', port: 5 });
  assert.deepEqual(read(v2()), { ip: '1.2.3.4', port: 80 });
});

test('a header of 536 bytes is taken', () => {
  const filled = v2({
    rest: `\x01\x02\x03\x04\x05\x06\x07\x08\x00\x50\x01\xbb\x04\x01\xf9${'\0'.repeat(505)}`,
  });
  assert.equal(filled.length, 536);
  assert.equal(kindOf(filled), 'header');
});

test('a checksum that is right is taken', () => {
  const summed = Buffer.from(
    v2({ rest: `\x01\x02\x03\x04\x05\x06\x07\x08\x00\x50\x01\xbb\x03\x00\x04\0\0\0\0` }),
    'latin1',
  );
  // of the header with zeros in its place, by another implementation
  summed.writeUInt32BE(0x5c0443c9, 31);
  assert.equal(parseProxyHeader(summed).kind, 'header');
});

test('where an end is not known nothing is said of either', () => {
  const end = { ip: '1.2.3.4', port: 5 };
  assert.equal(proxyHeaderV1(end, undefined), 'PROXY UNKNOWN\r\n');
  assert.equal(proxyHeaderV2(undefined, end), `${SIGNATURE}\x21\0\0\0`);
});

test('an IPv4 client of an IPv6 address is written as IPv6 has it', () => {
  const ends = [
    { ip: '1.2.3.4', port: 5 },
    { ip: '2001:db8::1', port: 6 },
  ] as const;
  assert.equal(proxyHeaderV1(...ends), 'PROXY TCP6 ::ffff:1.2.3.4 2001:db8::1 5 6\r\n');
  const address = '\0\0\0\0\0\0\0\0\0\0\xff\xff\x01\x02\x03\x04';
  assert.equal(proxyHeaderV2(...ends).slice(16, 32), address);
});
