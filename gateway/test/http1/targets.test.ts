import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answer, stage } from '../support/stage.ts';
import { accepts, splitHead } from './refusals.ts';

test('absolute-form becomes origin-form, and its authority the Host (RFC 9112 §3.2.2)', (t) =>
  accepts(t, [
    {
      name: 'with path and query',
      bytes: 'GET http://b:81/x?y HTTP/1.1\r\nHost: a\r\nX: 1\r\n\r\n',
      forwarded: /^GET \/x\?y HTTP\/1\.1\r\nHost: b:81\r\nX: 1\r\n/,
      notForwarded: /Host: a\r/,
    },
    {
      name: 'without path',
      bytes: 'GET http://b HTTP/1.1\r\nHost: b\r\n\r\n',
      forwarded: /^GET \/ HTTP\/1\.1\r\nHost: b\r\n/,
    },
    {
      name: 'with only a query',
      bytes: 'GET http://b?y HTTP/1.1\r\nHost: b\r\n\r\n',
      forwarded: /^GET \/\?y HTTP\/1\.1\r\nHost: b\r\n/,
    },
    {
      name: 'a scheme in capitals',
      bytes: 'GET HTTP://b/x HTTP/1.1\r\nHost: b\r\n\r\n',
      forwarded: /^GET \/x HTTP\/1\.1\r\nHost: b\r\n/,
    },
    {
      name: 'in HTTP/1.0 without Host',
      bytes: 'GET http://b/x HTTP/1.0\r\n\r\n',
      forwarded: /^GET \/x HTTP\/1\.1\r\nHost: b\r\n/,
    },
    {
      name: 'an IPv6 address',
      bytes: 'GET http://[::1]:80/x HTTP/1.1\r\nHost: a\r\n\r\n',
      forwarded: /^GET \/x HTTP\/1\.1\r\nHost: \[::1\]:80\r\n/,
    },
    {
      name: 'told in X-Forwarded-Host too',
      bytes: 'GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n',
      forwarded: /\r\nX-Forwarded-Host: b\r\n/,
    },
  ]));

test('absolute-form is routed by its own authority, not by Host', async (t) => {
  const { client, backend } = await stage(t, answer(), { route: { host: 'b', name: 'b' } });
  const browser = await client();
  await browser.send('GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n').contains('ok');
  browser.received = '';
  await browser.send('GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n').contains('"no_route"');
  assert.equal(backend.received.split('GET ').length, 2);
  // the host of the request before does not stick
  browser.received = '';
  await browser.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n').contains('"no_route"');
});

const OWN: readonly {
  readonly name: string;
  readonly line: string;
  readonly fields?: string;
  readonly status: number;
}[] = [
  { name: 'OPTIONS *', line: 'OPTIONS * HTTP/1.1', status: 200 },
  { name: 'OPTIONS of an authority alone', line: 'OPTIONS http://a HTTP/1.1', status: 200 },
  {
    name: 'OPTIONS with Max-Forwards: 0',
    line: 'OPTIONS /a HTTP/1.1',
    fields: 'Max-Forwards: 0\r\n',
    status: 200,
  },
  {
    name: 'OPTIONS with Max-Forwards: 00',
    line: 'OPTIONS /a HTTP/1.1',
    fields: 'Max-Forwards: 00\r\n',
    status: 200,
  },
  { name: 'TRACE', line: 'TRACE / HTTP/1.1', status: 405 },
  { name: 'TRACE with Max-Forwards', line: 'TRACE / HTTP/1.1', fields: 'Max-Forwards: 5\r\n', status: 405 },
];

test('what is for the gateway itself is answered here, and the connection goes on', async (t) => {
  for (const { name, line, fields = '', status } of OWN) {
    await t.test(name, async (row) => {
      const { client, backend } = await stage(row, answer());
      const browser = await client();
      browser.send(`${line}\r\nHost: a\r\n${fields}\r\n`);
      const [head, body] = splitHead(await browser.contains('\r\n\r\n'));
      assert.match(head, new RegExp(`^HTTP/1\\.1 ${status} `));
      assert.match(head, /\r\nAllow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS(\r\n|$)/);
      if (status === 200) assert.equal(body, '');
      else {
        assert.match(head, /\r\nContent-Type: application\/problem\+json\r\n/);
        assert.match(head, /\r\nProxy-Status: portway; error=/);
        await browser.contains('"status":405');
      }
      assert.equal(backend.connections.length, 0);
      browser.received = '';
      await browser.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n').contains('ok');
    });
  }
});

test('CONNECT is refused and the connection closed: what follows may be meant for the tunnel', async (t) => {
  const { client, backend } = await stage(t, answer());
  const browser = await client();
  browser.send(
    'CONNECT a:443 HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n',
  );
  const answered = await browser.end();
  assert.match(answered, /^HTTP\/1\.1 405 [\s\S]*\r\nConnection: close\r\n/);
  assert.equal(answered.split('HTTP/1.1 ').length, 2);
  assert.equal(backend.connections.length, 0);
});

const options = (hops: string): string => `OPTIONS /a HTTP/1.1\r\nHost: a\r\nMax-Forwards: ${hops}\r\n\r\n`;

test('Max-Forwards counts down for OPTIONS only, and is dropped where it is no number (RFC 9110 §7.6.2)', (t) =>
  accepts(t, [
    { name: '5', bytes: options('5'), forwarded: /\r\nMax-Forwards: 4\r\n/, notForwarded: /Max-Forwards: 5/ },
    { name: '1', bytes: options('1'), forwarded: /\r\nMax-Forwards: 0\r\n/ },
    ...['abc', '-1', '1.5', '0x10', '1e3', ''].map((hops) => ({
      name: JSON.stringify(hops),
      bytes: options(hops),
      notForwarded: /Max-Forwards/,
    })),
    {
      name: 'of GET',
      bytes: 'GET / HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n',
      forwarded: /\r\nMax-Forwards: 0\r\n/,
    },
  ]));
