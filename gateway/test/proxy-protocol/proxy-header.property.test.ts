import assert from 'node:assert/strict';
import { SocketAddress } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type ProxyEndpoint,
  type ProxyHeader,
  parseProxyHeader,
  proxyHeaderV1,
  proxyHeaderV2,
} from '../../src/data/layer4/proxy-protocol.ts';

const SIGNATURE = '\r\n\r\n\0\r\nQUIT\n';

const port = fc.integer({ min: 0, max: 65_535 });
const ipv4 = fc.ipV4().map((ip): string => ip);
// as the gateway has addresses: the shortest form, and IPv4 as IPv4
const ipv6 = fc
  .ipV6()
  .map((ip) => new SocketAddress({ address: ip, family: 'ipv6' }).address)
  .filter((ip) => !ip.startsWith('::ffff:'));
const endpoint = (ip: fc.Arbitrary<string>): fc.Arbitrary<ProxyEndpoint> =>
  fc.record({ ip, port }, { noNullPrototype: true });
const pair = (ip: fc.Arbitrary<string>): fc.Arbitrary<[ProxyEndpoint, ProxyEndpoint]> =>
  fc.tuple(endpoint(ip), endpoint(ip));
const anyPair = pair(fc.oneof(ipv4, ipv6));
const writers = fc.constantFrom(proxyHeaderV1, proxyHeaderV2);

const parse = (text: string): ProxyHeader => parseProxyHeader(Buffer.from(text, 'latin1'));

test('what is written is read back, whatever the families and whatever follows', () => {
  fc.assert(
    fc.property(writers, anyPair, fc.uint8Array({ maxLength: 64 }), (write, [source, destination], rest) => {
      const header = write(source, destination);
      const bytes = Buffer.concat([Buffer.from(header, 'latin1'), rest]);
      assert.deepEqual(parseProxyHeader(bytes), { kind: 'header', end: header.length, source, destination });
    }),
  );
});

test('every beginning of a header is incomplete', () => {
  fc.assert(
    fc.property(writers, anyPair, (write, [source, destination]) => {
      const header = write(source, destination);
      for (let length = 0; length < header.length; length++)
        assert.deepEqual(parse(header.slice(0, length)), { kind: 'incomplete' }, `${length} bytes`);
    }),
    { numRuns: 30 },
  );
});

test('what is malformed stays so, and what is a header stays that header, whatever comes after', () => {
  const start = fc.constantFrom('', 'PROXY ', 'PROXY TCP4 ', 'PROXY TCP6 ', 'PROXY UNKNOWN', SIGNATURE);
  fc.assert(
    fc.property(start, fc.uint8Array({ maxLength: 48 }), (beginning, rest) => {
      const bytes = Buffer.concat([Buffer.from(beginning, 'latin1'), rest]);
      let before: ProxyHeader = { kind: 'incomplete' };
      for (let length = 0; length <= bytes.length; length++) {
        const now = parseProxyHeader(bytes.subarray(0, length));
        if (before.kind !== 'incomplete') assert.deepEqual(now, before);
        if (now.kind === 'header') assert.equal(now.end <= length, true);
        before = now;
      }
    }),
    { numRuns: 500 },
  );
});

test('nothing stays incomplete for longer than a header can be', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('', 'PROXY UNKNOWN ', SIGNATURE),
      fc.uint8Array({ minLength: 540, maxLength: 560 }),
      (beginning, rest) => {
        assert.notEqual(
          parseProxyHeader(Buffer.concat([Buffer.from(beginning, 'latin1'), rest])).kind,
          'incomplete',
        );
      },
    ),
  );
  assert.equal(parse(`PROXY UNKNOWN ${'x'.repeat(92)}`).kind, 'incomplete');
  assert.equal(parse(`PROXY UNKNOWN ${'x'.repeat(93)}`).kind, 'malformed');
  assert.equal(parse(`PROXY UNKNOWN ${'x'.repeat(91)}\r\n`).kind, 'header');
});
