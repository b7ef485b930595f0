import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type AdminServer, startAdmin } from '../../src/control/admin/admin-server.ts';
import type { ReloadResult } from '../../src/control/reload/reload-result.ts';
import { RawClient } from '../support/raw-client.ts';
import { adminStage, FakeGateway } from './admin-stage.ts';

const RELOAD = 'POST /api/v1/reload HTTP/1.1\r\nHost: localhost\r\n\r\n';
const LARGE_BYTES = 16 * 1024 ** 2;

test('closing ends idle connections at once, also those that have not asked, or not all they want', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { admin, port } = await adminStage(t);
  const [silent, halfHead, halfBody, idle] = await Promise.all([1, 2, 3, 4].map(() => RawClient.open(port)));
  assert.ok(silent && halfHead && halfBody && idle);
  halfHead.send('GET /livez HTTP/1.1\r\nHo');
  const type = 'Content-Type: application/json\r\nContent-Length: 2';
  halfBody.send(RELOAD.replace('\r\n\r\n', `\r\n${type}\r\n\r\n{`));
  await idle.send('GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n').contains('}');
  assert.match(idle.received, /Connection: keep-alive/i);
  await admin.close();
  await Promise.all([silent.end(), halfHead.end(), halfBody.end(), idle.end()]);
});

/** An answer that no socket buffer holds, to a client that does not read it. */
async function slowReader(
  t: TestContext,
): Promise<{ readonly admin: AdminServer; readonly client: RawClient }> {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { admin, port } = await adminStage(t, {}, { about: () => ({ filling: 'x'.repeat(LARGE_BYTES) }) });
  const client = await RawClient.open(port);
  await client.send('GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n').contains('200 OK');
  client.socket.pause();
  return { admin, client };
}

test('closing waits for an answer that was begun, and ends its connection', async (t) => {
  const { admin, client } = await slowReader(t);
  const closed = admin.close();
  client.socket.resume();
  const received = await client.end();
  assert.ok(received.length > LARGE_BYTES && received.endsWith('}\n'));
  await closed;
});

test('closing does not wait longer than five seconds', async (t) => {
  const { admin } = await slowReader(t);
  const closed = admin.close();
  t.mock.timers.tick(5_000);
  await closed;
});

test('closing finishes answers under way, and takes no new connection', async (t) => {
  const asked = Promise.withResolvers<void>();
  const result = Promise.withResolvers<ReloadResult>();
  const reload = (): Promise<ReloadResult> => {
    asked.resolve();
    return result.promise;
  };
  const { admin, port } = await adminStage(t, {}, { reload });
  const client = await RawClient.open(port);
  client.send(RELOAD);
  await asked.promise;
  const closed = admin.close();
  const late = connect({ port, host: '127.0.0.1' });
  const [error] = await once(late, 'error');
  assert.equal(error.code, 'ECONNREFUSED');
  result.resolve({ ok: true, changes: [] });
  const received = await client.end();
  assert.match(received, /^HTTP\/1\.1 200 [^]*"changes": \[\]/);
  assert.match(received, /Connection: close/i);
  await closed;
});

test('closing twice is closing once', async (t) => {
  const { admin } = await adminStage(t);
  await Promise.all([admin.close(), admin.close()]);
  await admin.close();
});

test('an address that is in use is refused with its code, and nothing stays open', async (t) => {
  const other = createServer().listen(0, '127.0.0.1');
  t.after(() => other.close());
  await once(other, 'listening');
  const address = other.address();
  assert.ok(typeof address === 'object' && address !== null);
  const fake = new FakeGateway();
  const plan = { host: '127.0.0.1', port: address.port, token: undefined };
  await assert.rejects(startAdmin(plan, fake), {
    code: 'EADDRINUSE',
    address: '127.0.0.1',
    port: address.port,
  });
  assert.deepEqual(fake.said, []);
});

test('an IPv6 address has brackets in the URL', async (t) => {
  const { admin } = await adminStage(t, { host: '::1' });
  assert.match(admin.url, /^http:\/\/\[::1\]:[0-9]+$/);
  const answer = await fetch(`${admin.url}/livez`);
  assert.equal(answer.status, 200);
  await answer.text();
});

test('of more than a hundred connections, the ones too many are closed', async (t) => {
  const { port, ask } = await adminStage(t);
  const clients = await Promise.all(Array.from({ length: 100 }, () => RawClient.open(port)));
  t.after(() => {
    for (const { socket } of clients) socket.destroy();
  });
  // the hundred are counted once each has been answered
  for (const client of clients) client.send('GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await Promise.all(clients.map((client) => client.contains('}')));
  await assert.rejects(ask('/livez'), { code: 'ECONNRESET' });
  const [first] = clients;
  assert.ok(first);
  first.socket.end();
  await once(first.socket, 'close');
  assert.equal((await ask('/livez')).status, 200);
});
