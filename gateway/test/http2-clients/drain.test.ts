import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { allQuiet, eventually } from '../relay/gateway-in-test.ts';
import { RawBackend } from '../support/raw-backend.ts';
import { answer, OK } from '../support/stage.ts';
import { ERROR, request } from './frames.ts';
import { ask, frameStage, http2Gateway, nodeClient } from './http2-stage.ts';

test('a drain says GOAWAY, answers what is under way and nothing that was begun later, and ends', async (t) => {
  const { backend, gateway, client } = await frameStage(t, RawBackend.start());
  client.headers(1, request());
  await backend.until(({ connections }) => connections.length === 1);
  const drained = gateway.gateway.data.drain(20_000);
  assert.deepEqual(await client.goaway(), { last: 1, code: ERROR.NO_ERROR });
  client.headers(3, request());
  await client.ping();
  assert.equal(backend.connections.length, 1);
  for (const { socket } of backend.connections) socket.write(OK);
  assert.equal(await client.ended(1), 'end');
  await eventually(() => client.closed);
  await drained;
  assert.equal(client.body(3), '');
  assert.equal(gateway.ended.length, 1);
});

test('an idle connection is closed by a drain at once', async (t) => {
  const backend = await RawBackend.start(answer());
  t.after(() => backend.stop());
  const gateway = await http2Gateway(t, [backend.port]);
  const session = await nodeClient(t, gateway.port);
  await ask(session);
  const closed = once(session, 'close');
  await gateway.gateway.data.drain(20_000);
  await closed;
});

test('a gateway that ends at once takes its connections with it', async (t) => {
  const { backend, gateway, client } = await frameStage(t, RawBackend.start());
  client.headers(1, request());
  await backend.until(({ connections }) => connections.length === 1);
  gateway.gateway.data.destroy();
  await eventually(() => client.closed);
  await allQuiet(gateway);
});
