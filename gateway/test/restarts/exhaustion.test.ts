import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { allQuiet, eventually, startGateway } from '../relay/gateway-in-test.ts';
import { plan } from '../support/plans.ts';
import { RawBackend } from '../support/raw-backend.ts';
import { exchangeRaw, RawClient } from '../support/raw-client.ts';
import { hasPrlimit } from './has-prlimit.ts';
import { startProcess } from './process.ts';

const LAST_GET = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

test('out of descriptors: the process stays, and serves again once some are free', {
  skip: !hasPrlimit(),
}, async (t) => {
  const backend = await RawBackend.answering(OK);
  t.after(() => backend.stop());
  const gateway = await startProcess(t, backend.port, { wrapper: ['prlimit', '--nofile=64:64'] });
  let closed = 0;
  let received = '';
  const sockets: Socket[] = Array.from({ length: 120 }, () => connect(gateway.port, '127.0.0.1'));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  for (const socket of sockets) {
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      received += bytes.toString('latin1');
    });
    socket.on('close', () => {
      closed += 1;
    });
  }
  // the gateway closes those for which it has no descriptor; those it has use up all there are
  await eventually(() => closed > 0);
  for (const socket of sockets.slice(0, 5)) socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await eventually(() => received.includes('out_of_sockets'));
  // its own lack is no fault of a backend's
  assert.doesNotMatch(received, /^HTTP\/1\.1 (?!200|503)/m);
  for (const socket of sockets) socket.destroy();
  await eventually(() => closed === sockets.length);
  let answered = '';
  for (let tries = 0; tries < 50 && !answered.includes('200 OK'); tries++) {
    answered = await exchangeRaw(gateway.port, LAST_GET).catch(() => '');
  }
  assert.match(answered, /200 OK/);
  assert.equal(gateway.stderr, '');
  gateway.child.kill('SIGTERM');
  assert.equal(await gateway.exited, 0);
});

test('a listener takes no more than its connections, and others again when some have left', async (t) => {
  const backend = await RawBackend.answering(OK);
  t.after(() => backend.stop());
  const gateway = await startGateway(t, plan([backend.port], { listener: { maxConnections: 3 } }));
  const held = await Promise.all([1, 2, 3].map(() => gateway.client()));
  await eventually(() => gateway.gateway.data.listeners[0]?.connections === 3);
  const refused = await RawClient.open(gateway.port);
  assert.equal(await refused.end(), '');
  assert.equal(gateway.gateway.data.counters.byCode.get('too_many_connections'), 1);
  for (const client of held) {
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.contains('ok');
  }
  held[0]?.socket.destroy();
  await eventually(() => gateway.gateway.data.listeners[0]?.connections === 2);
  assert.match(await exchangeRaw(gateway.port, LAST_GET), /200 OK/);
  for (const { socket } of held) socket.destroy();
  await allQuiet(gateway);
});
