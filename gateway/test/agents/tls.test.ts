import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import type { TlsPlan } from '../../src/data/plan.ts';
import { allQuiet, eventually, only, startGateway } from '../relay/gateway-in-test.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { plan } from '../support/plans.ts';
import { exchangeRaw } from '../support/raw-client.ts';
import { type Certificate, type CertificateOptions, makeCertificate } from './certificates.ts';
import { startHttpBackend } from './http-backend.ts';

const LAST_GET = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
const NO_CA: TlsPlan = { ca: undefined, serverName: undefined, verify: true };

/** A gateway before an https backend known as `host`; every name is 127.0.0.1. */
async function startSecure(
  t: TestContext,
  host: string,
  names: CertificateOptions,
  tls: (certificate: Certificate) => Partial<TlsPlan>,
) {
  const certificate = makeCertificate(names);
  const resumed = new Map<unknown, boolean>();
  const backend = await startHttpBackend(
    t,
    ({ socket }, response) => {
      resumed.set(socket, (socket as TLSSocket).isSessionReused());
      response.end('secure');
    },
    { certificate },
  );
  const backends = [
    { name: `${host}:${backend.port}`, protocol: 'https', host, port: backend.port, weight: 1 },
  ] as const;
  const service = { backends, tls: { ...NO_CA, ...tls(certificate) } };
  const lookup = (
    _host: string,
    done: (error: null, addresses: { address: string; family: 4 }[]) => void,
  ): void => done(null, [{ address: '127.0.0.1', family: 4 }]);
  const gateway = await startGateway(t, plan([], { service }), { lookup });
  return { backend, gateway, resumed, get: () => exchangeRaw(gateway.port, LAST_GET) };
}

const serverNames = (sockets: readonly unknown[]): unknown[] =>
  (sockets as TLSSocket[]).map(({ servername }) => servername);

test('a certificate of an authority that is not trusted is refused: 502 tls_untrusted, and no request is sent', async (t) => {
  const { gateway, get } = await startSecure(t, '127.0.0.1', { names: ['IP:127.0.0.1'] }, () => ({}));
  assert.match(
    await get(),
    /^HTTP\/1\.1 502 [\s\S]*error=tls_certificate_error[\s\S]*"code":"tls_untrusted"/,
  );
  await allQuiet(gateway);
});

test("the service's own authority is trusted, the request served", async (t) => {
  const { get } = await startSecure(t, '127.0.0.1', { names: ['IP:127.0.0.1'] }, ({ ca }) => ({ ca }));
  assert.match(await get(), /200 OK[\s\S]*secure$/);
});

test('another authority than the configured one is not', async (t) => {
  const other = makeCertificate({ names: ['DNS:x'] });
  const { get } = await startSecure(t, '127.0.0.1', { names: ['IP:127.0.0.1'] }, () => ({ ca: other.ca }));
  assert.match(await get(), /"code":"tls_untrusted"/);
});

test('a host name is sent as SNI and must be in the certificate', async (t) => {
  const { backend, get } = await startSecure(t, 'db.test', { names: ['DNS:db.test'] }, ({ ca }) => ({ ca }));
  assert.match(await get(), /secure$/);
  assert.deepEqual(serverNames(backend.sockets), ['db.test']);
});

test('a certificate for another name is refused', async (t) => {
  const { get } = await startSecure(t, 'db.test', { names: ['DNS:web.test', 'IP:127.0.0.1'] }, ({ ca }) => ({
    ca,
  }));
  assert.match(await get(), /"code":"tls_untrusted"/);
});

test('an IP address is checked against the certificate and not sent as SNI', async (t) => {
  const wrong = await startSecure(t, '127.0.0.1', { names: ['IP:127.0.0.9'] }, ({ ca }) => ({ ca }));
  assert.match(await wrong.get(), /"code":"tls_untrusted"/);
  const right = await startSecure(t, '127.0.0.1', { names: ['IP:127.0.0.1'] }, ({ ca }) => ({ ca }));
  assert.match(await right.get(), /secure$/);
  assert.deepEqual(serverNames(right.backend.sockets), [false]);
});

test('serverName is what is sent and checked instead of the host', async (t) => {
  const { backend, get } = await startSecure(t, '127.0.0.1', { names: ['DNS:inner.test'] }, ({ ca }) => ({
    ca,
    serverName: 'inner.test',
  }));
  assert.match(await get(), /secure$/);
  assert.deepEqual(serverNames(backend.sockets), ['inner.test']);
});

test('verify: false takes any certificate', async (t) => {
  const { get } = await startSecure(t, 'db.test', { names: ['DNS:other.test'] }, () => ({ verify: false }));
  assert.match(await get(), /secure$/);
});

test('an expired certificate is refused', async (t) => {
  const expired: CertificateOptions = {
    names: ['IP:127.0.0.1'],
    validity: ['20200101000000Z', '20200201000000Z'],
  };
  const { get } = await startSecure(t, '127.0.0.1', expired, ({ ca }) => ({ ca }));
  assert.match(await get(), /"code":"tls_untrusted"/);
});

test('the second connection resumes the session of the first', async (t) => {
  const { backend, gateway, resumed, get } = await startSecure(
    t,
    'db.test',
    { names: ['DNS:db.test'] },
    ({ ca }) => ({ ca }),
  );
  await get();
  await eventually(() => only(gateway).agent.stats.idle === 1);
  for (const socket of backend.sockets) socket.destroy();
  await eventually(() => only(gateway).agent.stats.idle === 0);
  assert.match(await get(), /secure$/);
  assert.deepEqual([...resumed.values()], [false, true]);
});

test('one TLS connection serves request after request', async (t) => {
  const { backend, get } = await startSecure(t, 'db.test', { names: ['DNS:db.test'] }, ({ ca }) => ({ ca }));
  for (let i = 0; i < 5; i++) assert.match(await get(), /secure$/);
  assert.equal(backend.sockets.length, 1);
});

const badServers = {
  'speaks no TLS': 'HTTP/1.1 400 Bad Request\r\n\r\n',
  'closes in the handshake': '',
} as const;

for (const [name, bytes] of Object.entries(badServers)) {
  test(`a backend that ${name} is 502 tls_failed`, async (t) => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.end(bytes));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    const { port } = server.address() as AddressInfo;
    const backends = [{ name: 'b', protocol: 'https', host: '127.0.0.1', port, weight: 1 }] as const;
    const gateway = await startGateway(t, plan([], { service: { backends } }));
    assert.match(await exchangeRaw(gateway.port, LAST_GET), /^HTTP\/1\.1 502 [\s\S]*"code":"tls_failed"/);
    await allQuiet(gateway);
  });
}

test('a handshake that never ends is given up after the connect timeout', async (t) => {
  const clock = new ManualClock();
  const server = createServer((socket) => socket.on('error', () => {}).resume());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const backends = [{ name: 'b', protocol: 'https', host: '127.0.0.1', port, weight: 1 }] as const;
  const gateway = await startGateway(t, plan([], { service: { backends } }), { clock });
  const waiting = exchangeRaw(gateway.port, LAST_GET);
  await eventually(() => only(gateway).agent.stats.connecting === 1);
  clock.advance(2_200);
  assert.match(await waiting, /^HTTP\/1\.1 504 [\s\S]*"code":"connect_timeout"/);
  await allQuiet(gateway);
});
