import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { test } from 'node:test';
import { identityOf } from '../../src/data/tls/client-identity.ts';
import { clientCertificate } from './client-certificate.ts';
import { certificateFor, handshakeFailure, TlsClient, tlsPlan, tlsStage } from './tls-stage.ts';

const certificate = certificateFor('a.example');
const { ca } = certificate;
const known = clientCertificate('/CN=ann', 'URI:spiffe://example/ann');
const unknown = clientCertificate('/CN=mallory', 'DNS:mallory');
const IDENTITY = identityOf(new X509Certificate(known.cert));
const required = tlsPlan([certificate], { clientCa: known.cert, clientCertificate: 'required' });
const optional = tlsPlan([certificate], { clientCa: known.cert, clientCertificate: 'optional' });

/** Answers with what came in X-Forwarded-Client-Cert, and what is told of the scheme. */
const echo: RequestListener = ({ headers }, response) => {
  const { 'x-forwarded-client-cert': cert = 'none', 'x-forwarded-proto': proto, forwarded } = headers;
  response.end(`<${String(cert)}> ${String(proto)} ${forwarded}`);
};
const FORGED =
  'GET / HTTP/1.1\r\nHost: a.example\r\nX-Forwarded-Client-Cert: Hash=00;Subject="CN=root"\r\n\r\n';

test('where a certificate is required, only a client with a good one is served', async (t) => {
  const { port, refused } = await tlsStage(t, required, {}, echo);
  const client = await TlsClient.open(t, port, { ca, ...known });
  await client.get().contains(`<${IDENTITY}> https `);
  assert.match(client.received, /;proto=https/);

  // in TLS 1.3 the client's part of the handshake is over before the gateway sees that there is no certificate
  const without13 = new TlsClient(t, port, { ca });
  await without13.get().end();
  assert.equal(without13.error?.code, 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED');
  const without12 = await handshakeFailure(t, port, { ca, maxVersion: 'TLSv1.2' });
  assert.equal(without12, 'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE');
  assert.equal(refused('tls_handshake_failed'), 2);

  const stranger = new TlsClient(t, port, { ca, ...unknown });
  assert.equal(await stranger.get().end(), '');
  assert.equal(refused('tls_handshake_failed'), 3);
});

test('where a certificate is optional, who has none or a bad one is served without an identity', async (t) => {
  const { port } = await tlsStage(t, optional, {}, echo);
  for (const [options, expected] of [
    [{}, 'none'],
    [unknown, 'none'],
    [known, IDENTITY],
  ] as const) {
    const client = await TlsClient.open(t, port, { ca, ...options });
    const told = `<${expected}> https `;
    await client.get().contains(told);
    await client.send(FORGED).until((received) => received.split(told).length === 3);
  }
});

test('what a trusted proxy says of its client stands, unless it shows a certificate itself', async (t) => {
  const { port } = await tlsStage(t, optional, { listener: { trustedProxies: ['127.0.0.1/32'] } }, echo);
  const without = await TlsClient.open(t, port, { ca });
  await without.send(FORGED).contains('<Hash=00;Subject="CN=root"> https ');
  const client = await TlsClient.open(t, port, { ca, ...known });
  await client.send(FORGED).contains(`<${IDENTITY}> https `);
});

test('a resumed session has the identity that it began with', async (t) => {
  const { port } = await tlsStage(t, required, {}, echo);
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const options = { ca, minVersion: version, maxVersion: version, ...known };
    const first = new TlsClient(t, port, options);
    const session = await new Promise<Buffer>((resolve) => first.socket.once('session', resolve));
    const client = await TlsClient.open(t, port, { ...options, session });
    assert.equal(client.socket.isSessionReused(), true);
    await client.get().contains(`<${IDENTITY}> https `);
  }
});

test('a session does not outlive the authority of its certificate', async (t) => {
  const stage = await tlsStage(t, required, {}, echo);
  const options = { ca, ...known };
  const first = new TlsClient(t, stage.port, options);
  const session = await new Promise<Buffer>((resolve) => first.socket.once('session', resolve));
  const [listener] = stage.plan.listeners;
  assert.ok(listener?.kind === 'http');
  const tls = { ...required, clientCa: unknown.cert };
  await stage.gateway.data.apply({ ...stage.plan, listeners: [{ ...listener, tls }] });
  const client = new TlsClient(t, stage.port, { ...options, session });
  assert.equal(await client.get().end(), '');
});
