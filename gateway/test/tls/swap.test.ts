import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changedFields } from '../../src/data/changed-fields.ts';
import { certificateFor, TlsClient, tlsPlan, tlsStage } from './tls-stage.ts';

const old = certificateFor('a.example');
const renewed = certificateFor('a.example');

test('a new certificate is for new connections, and no request of those there are is lost', async (t) => {
  const stage = await tlsStage(t, tlsPlan([old]), {}, (request, response) => {
    request.resume().on('end', () => response.end('ok'));
  });
  const { gateway, port, plan } = stage;
  const [listener] = plan.listeners;
  assert.ok(listener?.kind === 'http');
  const clients = await Promise.all(Array.from({ length: 8 }, () => TlsClient.open(t, port, { ca: old.ca })));
  let isOver = false;
  let asked = 0;
  const load = clients.map(async (client) => {
    for (let sent = 1; !isOver; sent++) {
      await client.get().until((received) => received.split('\r\n\r\nok').length > sent);
      asked += 1;
    }
  });
  const shaking = new TlsClient(t, port, { ca: [old.ca, renewed.ca] });
  for (let swap = 0; swap < 20; swap++) {
    const certificates = [swap % 2 === 0 ? renewed : old];
    const { ca } = certificates[0] ?? old;
    await gateway.data.apply({ ...plan, listeners: [{ ...listener, tls: tlsPlan(certificates) }] });
    const client = await TlsClient.open(t, port, { ca });
    await client.get().contains('ok');
    client.socket.destroy();
  }
  await shaking.get().contains('ok');
  isOver = true;
  await Promise.all(load);
  assert.ok(asked >= clients.length);
  assert.equal(
    clients.every(({ closed }) => !closed),
    true,
  );
});

test('unfit TLS settings are refused, and what was there goes on', async (t) => {
  const { gateway, port, plan } = await tlsStage(t, tlsPlan([old]));
  const [listener] = plan.listeners;
  assert.ok(listener?.kind === 'http');
  const unfit = tlsPlan([{ ...old, key: renewed.key }]);
  await assert.rejects(gateway.data.apply({ ...plan, listeners: [{ ...listener, tls: unfit }] }), /key/i);
  const client = await TlsClient.open(t, port, { ca: old.ca });
  await client.get().contains('ok');
});

test('what changed is said without a key, a certificate or a hash of a password', () => {
  const secrets = [old.key, old.cert, renewed.key, renewed.cert, 'feed'.repeat(16)];
  const before = { tls: tlsPlan([old], { clientCa: old.ca }), tunnel: { auth: undefined } };
  const auth = [{ name: 'ann', sha256: 'feed'.repeat(16) }];
  const tls = tlsPlan([{ ...renewed, key: 'short' }], { minVersion: 'TLSv1.3', clientCa: renewed.ca });
  const detail = changedFields(before, { tls, tunnel: { auth } });
  assert.equal(
    detail,
    'tls.certificates changed, tls.clientCa changed, tls.minVersion: TLSv1.2 → TLSv1.3, tunnel.auth added',
  );
  for (const secret of secrets) assert.equal(detail.includes(secret), false);
});
