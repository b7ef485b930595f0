import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import type { TlsPlan } from '../../src/data/plan.ts';
import { type Certificate, makeCertificate } from '../agents/certificates.ts';
import { RawBackend } from '../support/raw-backend.ts';
import { httpProbe, probing } from './probing.ts';

const secure = { protocol: 'https' } as const;
let certificate: Certificate;
let port = 0;
const servers: ReturnType<typeof createServer>[] = [];
const serverNames: (string | false | null)[] = [];

async function listen(shown: Certificate): Promise<number> {
  const server = createServer({ key: shown.key, cert: shown.cert }, (_request, response) =>
    response.end('ok'),
  );
  server.on('secureConnection', ({ servername }) => serverNames.push(servername ?? null));
  server.on('tlsClientError', () => {});
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

before(async () => {
  certificate = makeCertificate({ names: ['IP:127.0.0.1', 'DNS:db.internal'] });
  port = await listen(certificate);
});

after(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

const ask = (tls: Partial<TlsPlan>, at = port): Promise<string> =>
  probing(at, httpProbe({ body: 'ok' }), { backend: secure, tls }).result;

test('a certificate of a trusted authority for the address is good', async () => {
  assert.equal(await ask({ ca: certificate.ca }), 'success: status 200');
});

test('the server name is sent, and the certificate is checked against it', async () => {
  serverNames.length = 0;
  assert.equal(await ask({ ca: certificate.ca, serverName: 'db.internal' }), 'success: status 200');
  assert.deepEqual(serverNames, ['db.internal']);
  assert.equal(
    await ask({ ca: certificate.ca, serverName: 'other.internal' }),
    'failure: certificate is for another name',
  );
});

test('an authority that is not trusted is named as the reason', async () => {
  assert.equal(await ask({}), 'failure: certificate is signed by an authority that is not trusted');
});

test('nothing is checked when the operator says so', async () => {
  assert.equal(await ask({ verify: false, serverName: 'other.internal' }), 'success: status 200');
});

test('an expired certificate is found at the next probe', async () => {
  const old = makeCertificate({
    names: ['IP:127.0.0.1'],
    validity: ['20200101000000Z', '20200102000000Z'],
  });
  assert.equal(await ask({ ca: old.ca }, await listen(old)), 'failure: certificate has expired');
});

test('authorities that cannot be parsed are a failure, not an exception', async () => {
  assert.match(await ask({ ca: 'no certificate' }), /^failure: /);
});

test('a backend without TLS, one that ends the handshake, and one that hangs in it', async (t) => {
  const plain = await RawBackend.start(({ socket }) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  const ending = await RawBackend.start(({ socket }) => socket.end());
  const hanging = await RawBackend.start();
  t.after(() => Promise.all([plain.stop(), ending.stop(), hanging.stop()]));
  assert.match(await ask({}, plain.port), /^failure: TLS handshake failed/);
  assert.equal(await ask({}, ending.port), 'failure: connection closed in the TLS handshake');
  const probe = probing(hanging.port, httpProbe(), { backend: secure });
  await hanging.until(({ received }) => received !== '');
  probe.clock.advance(2_200);
  assert.equal(await probe.result, 'timeout: no TLS handshake within 2s');
});
