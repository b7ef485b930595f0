import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RawBackend } from '../support/raw-backend.ts';
import { probing } from './probing.ts';

const tcp = { type: 'tcp' } as const;

test('a backend that accepts is well; the connection ends without a reset', async (t) => {
  const backend = await RawBackend.start();
  t.after(() => backend.stop());
  const probe = probing(backend.port, tcp);
  await backend.until(({ connections }) => connections[0]?.ended === true);
  backend.connections[0]?.socket.end();
  assert.equal(await probe.result, 'success: connected');
  assert.equal(backend.received, '');
});

test('a backend that speaks first is heard out, not reset', async (t) => {
  const errors: Error[] = [];
  const backend = await RawBackend.start();
  t.after(() => backend.stop());
  const probe = probing(backend.port, tcp);
  await backend.until(({ connections }) => connections[0]?.ended === true);
  const socket = backend.connections[0]?.socket;
  socket?.on('error', (error) => errors.push(error));
  socket?.end('220 welcome\r\n');
  assert.equal(await probe.result, 'success: connected');
  await backend.until(({ connections }) => connections[0]?.closed === true);
  assert.deepEqual(errors, []);
});

test('one that never closes its side is let go soon, and is well all the same', async (t) => {
  const backend = await RawBackend.start();
  t.after(() => backend.stop());
  const probe = probing(backend.port, tcp);
  await backend.until(({ connections }) => connections[0]?.ended === true);
  assert.deepEqual(probe.results, []);
  probe.clock.advance(400);
  assert.deepEqual(probe.results, ['success: connected']);
});

test('a port where nobody listens refuses', async () => {
  const backend = await RawBackend.start();
  const { port } = backend;
  await backend.stop();
  assert.equal(await probing(port, tcp).result, 'failure: connection refused');
});

test('no connection within the timeout', async () => {
  const probe = probing(80, tcp, { backend: { host: 'db.internal' }, lookup: () => {} });
  probe.clock.advance(2_200);
  assert.equal(await probe.result, 'timeout: no connection within 2s');
});

test('an aborted probe says nothing', async (t) => {
  const backend = await RawBackend.start();
  t.after(() => backend.stop());
  const probe = probing(backend.port, tcp);
  await backend.until(({ connections }) => connections.length === 1);
  probe.abort();
  await backend.until(({ connections }) => connections[0]?.closed === true || connections[0]?.ended === true);
  probe.clock.advance(5_000);
  assert.deepEqual(probe.results, []);
});

test('what cannot be connected to is a failure, not an exception', async () => {
  assert.match(await probing(80, tcp, { backend: { port: 70_000 } }).result, /^failure: /);
});
