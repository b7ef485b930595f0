import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answer, stage } from '../support/stage.ts';

const SIGNATURE = '\r\n\r\n\0\r\nQUIT\n';
const REQUEST =
  'GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Client-Cert: Hash=0\r\nConnection: close\r\n\r\n';

for (const [what, header, isBelieved] of [
  ['UNKNOWN of version 1', 'PROXY UNKNOWN\r\n', false],
  ['a client of an unnamed kind', `${SIGNATURE}\x21\0\0\0`, false],
  ['a client on a socket of its own machine', `${SIGNATURE}\x21\x31\0\xd8${'x'.repeat(216)}`, false],
  ['a client', 'PROXY TCP4 192.0.2.7 192.0.2.1 1000 80\r\n', false],
  ['nobody but the proxy itself', `${SIGNATURE}\x20\0\0\0`, true],
  ['a client that is a trusted proxy', 'PROXY TCP4 127.0.0.1 192.0.2.1 1000 80\r\n', true],
] as const) {
  test(`a PROXY header that names ${what}: forwarding fields are ${isBelieved ? '' : 'not '}believed`, async (t) => {
    const listener = { proxyProtocol: true, trustedProxies: ['127.0.0.1'] };
    const { client, backend } = await stage(t, answer(), { listener });
    const proxy = await client();
    await proxy.send(header + REQUEST).end();
    assert.match(proxy.received, /^HTTP\/1\.1 200 /);
    assert.equal(backend.received.includes('203.0.113.9'), isBelieved);
    assert.equal(backend.received.includes('Hash=0'), isBelieved);
  });
}
