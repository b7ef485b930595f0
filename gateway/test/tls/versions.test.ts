import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { certificateFor, handshakeFailure, TlsClient, tlsPlan, tlsStage } from './tls-stage.ts';

const certificate = certificateFor('a.example');
const { ca } = certificate;
const OLD = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0', ca } as const;

test('TLS 1.1 is refused with the alert for it, 1.2 and 1.3 are served', async (t) => {
  const { port, refused } = await tlsStage(t, tlsPlan([certificate]));
  assert.equal(await handshakeFailure(t, port, OLD), 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
  assert.equal(refused('tls_handshake_failed'), 1);
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const client = await TlsClient.open(t, port, { ca, minVersion: version, maxVersion: version });
    assert.equal(client.socket.getProtocol(), version);
    await client.get().contains('ok');
  }
});

test('where 1.3 is the least, 1.2 is refused', async (t) => {
  const { port } = await tlsStage(t, tlsPlan([certificate], { minVersion: 'TLSv1.3' }));
  const failure = await handshakeFailure(t, port, { ca, maxVersion: 'TLSv1.2' });
  assert.equal(failure, 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
  const client = await TlsClient.open(t, port, { ca });
  assert.equal(client.socket.getProtocol(), 'TLSv1.3');
});

test('of TLS 1.2 only ciphers with forward secrecy and authenticated encryption are taken', async (t) => {
  const { port } = await tlsStage(t, tlsPlan([certificate]));
  const with12 = (ciphers: string) =>
    handshakeFailure(t, port, { ca, maxVersion: 'TLSv1.2', ciphers: `${ciphers}:@SECLEVEL=0` });
  for (const weak of [
    'ECDHE-ECDSA-AES128-SHA256',
    'AES128-GCM-SHA256',
    'ECDHE-ECDSA-AES256-SHA',
    'AES256-SHA',
  ])
    assert.equal(await with12(weak), 'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE', weak);
  for (const strong of ['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-CHACHA20-POLY1305'])
    assert.equal(await with12(strong), 'NONE', strong);
});

test('renegotiation is refused, and nobody else notices', async (t) => {
  const { port } = await tlsStage(t, tlsPlan([certificate]));
  const other = await TlsClient.open(t, port, { ca });
  const client = await TlsClient.open(t, port, { ca, maxVersion: 'TLSv1.2' });
  await client.get().contains('ok');
  client.socket.renegotiate({ rejectUnauthorized: false }, () => assert.fail('it was let'));
  if (client.error === undefined) await once(client.socket, 'error').catch(() => {});
  assert.match(client.error?.code ?? '', /NO_RENEGOTIATION/);
  await other.get().contains('ok');
});
