import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { startHttpBackend } from '../agents/http-backend.ts';
import { allQuiet, eventually, only } from '../relay/gateway-in-test.ts';
import { servicePlan } from '../support/plans.ts';
import { RawBackend } from '../support/raw-backend.ts';
import { END_HEADERS, ERROR, FrameClient, request } from './frames.ts';
import { ask, frameStage, http2Gateway, nodeClient } from './http2-stage.ts';

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n';

test('a client that resets while it waits for an answer cancels the work at the backend', async (t) => {
  const { backend, gateway, client } = await frameStage(t, RawBackend.start());
  client.headers(1, request());
  await backend.until(({ received }) => received.includes('\r\n\r\n'));
  client.reset(1);
  await backend.until(({ connections }) => connections[0]?.ended === true);
  await eventually(() => gateway.ended.length === 1);
  assert.equal(gateway.ended[0]?.failure, 'client_left');
  assert.equal(only(gateway).pending, 0);
});

test('a client that resets in the middle of its body cancels the work at the backend', async (t) => {
  const { backend, gateway, client } = await frameStage(t, RawBackend.start());
  client.headers(1, request({ ':method': 'POST' }), END_HEADERS).data(1, 'part');
  await backend.until(({ received }) => received.includes('part'));
  client.reset(1);
  await backend.until(({ connections }) => connections[0]?.ended === true);
  assert.doesNotMatch(backend.received, /\r\n0\r\n\r\n$/);
  await eventually(() => gateway.ended[0]?.failure === 'client_left');
});

test('a client that resets without an error while its body waits for the backend has left all the same', async (t) => {
  const backend = await RawBackend.start((connection) => connection.socket.pause());
  t.after(() => backend.stop());
  const gateway = await http2Gateway(t, [backend.port], { route: { maxBodyBytes: 1e9 } });
  const session = await nodeClient(t, gateway.port);
  const stream = session.request({ ':method': 'POST' }, { endStream: false, waitForTrailers: true });
  stream.on('error', () => {});
  stream.write(Buffer.alloc(32 * 1024 * 1024));
  const { agent } = only(gateway);
  await eventually(() => agent.stats.active === 1 && backend.connections.length === 1);
  const inside = (): number => (stream.state.localWindowSize ?? 0) + stream.bufferSize;
  let seen = -1;
  while (seen !== inside()) {
    seen = inside();
    for (let n = 0; n < 20; n++) await new Promise((resolve) => session.ping(resolve));
  }
  stream.close(ERROR.NO_ERROR);
  await eventually(() => gateway.ended.length === 1);
  assert.equal(gateway.ended[0]?.failure, 'client_left');
  assert.equal(agent.stats.active, 0);
});

test('a client that resets in the middle of its answer cancels the rest', async (t) => {
  const { backend, gateway, client } = await frameStage(t, RawBackend.answering(`${HEAD}part`));
  client.headers(1, request());
  await client.until(({ payload }) => payload.toString() === 'part');
  client.reset(1, ERROR.NO_ERROR);
  await backend.until(({ connections }) => connections[0]?.ended === true);
  await eventually(() => gateway.ended[0]?.failure === 'client_left');
});

test('a client that resets while it waits for a connection is taken out of the queue', async (t) => {
  const { pool } = servicePlan([]);
  const { backend, gateway, client } = await frameStage(t, RawBackend.start(), {
    service: { pool: { ...pool, maxConnections: 1 } },
  });
  client
    .headers(1, request())
    .headers(3, request({ ':method': 'POST' }), END_HEADERS)
    .data(3, 'body');
  await eventually(() => only(gateway).agent.stats.queued === 1);
  client.reset(3);
  await eventually(() => only(gateway).agent.stats.queued === 0);
  assert.equal(backend.connections.length, 1);
});

test('a backend that breaks its answer off is never a clean end', async (t) => {
  for (const response of [
    `${HEAD}part`,
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\nz\r\n',
  ]) {
    const { gateway, client } = await frameStage(
      t,
      RawBackend.start((connection) => connection.socket.end(response)),
    );
    client.headers(1, request());
    assert.equal(await client.ended(1), ERROR.INTERNAL_ERROR, response);
    client.socket.destroy();
    await allQuiet(gateway);
  }
});

test('a client whose connection is lost leaves all of its requests', async (t) => {
  const { backend, gateway, client } = await frameStage(t, RawBackend.start());
  for (const stream of [1, 3, 5, 7]) client.headers(stream, request());
  await backend.until(({ connections }) => connections.length === 4);
  client.socket.resetAndDestroy();
  await allQuiet(gateway);
  assert.deepEqual(
    gateway.ended.map(({ failure }) => failure),
    Array(4).fill('client_left'),
  );
});

test('a client that closes its half has left', async (t) => {
  const { backend, gateway, client } = await frameStage(t, RawBackend.start());
  client.headers(1, request());
  await backend.until(({ connections }) => connections.length === 1);
  client.socket.end();
  await allQuiet(gateway);
});

test('requests are tried again at another backend as those of HTTP/1.1 are, body and all', async (t) => {
  const broken = await RawBackend.start((connection) => connection.socket.destroy());
  t.after(() => broken.stop());
  const good = await startHttpBackend(t, async (incoming, response) => {
    let body = '';
    for await (const part of incoming) body += part;
    response.end(`${incoming.method} ${body}`);
  });
  const gateway = await http2Gateway(t, [broken.port, good.port], {
    service: { balance: { kind: 'round-robin' } },
  });
  const session = await nodeClient(t, gateway.port);
  for (let n = 0; n < 6; n++) {
    const answer = await ask(session, { ':method': 'PUT' }, `body ${n}`);
    assert.equal(answer.body.toString(), `PUT body ${n}`);
  }
  assert.ok(gateway.ended.some(({ attempts }) => attempts === 2));
});

test('after a thousand resets in every phase nothing is left', async (t) => {
  const backend = await RawBackend.start((connection) => {
    if (connection.received.includes('GET /answer')) connection.socket.write(`${HEAD}part`);
  });
  t.after(() => backend.stop());
  const gateway = await http2Gateway(t, [backend.port]);
  const descriptors = (): number => readdirSync('/proc/self/fd').length;
  const before = descriptors();
  for (let round = 0; round < 4; round++) {
    const client = await FrameClient.open(t, gateway.port);
    for (let n = 0; n < 250; n++) {
      const stream = 2 * n + 1;
      const path = n % 3 === 0 ? '/answer' : '/wait';
      if (n % 3 === 1) client.headers(stream, request({ ':method': 'POST' }), END_HEADERS).data(stream, 'x');
      else client.headers(stream, request({ ':path': path }));
      if (n % 3 === 0) await client.until((frame) => frame.stream === stream);
      client.reset(stream);
      if (n % 10 === 9) await client.ping();
    }
    client.headers(9_001, request({ ':path': '/answer' }));
    await client.until((frame) => frame.stream === 9_001);
    client.socket.end();
    await once(client.socket, 'close');
  }
  await allQuiet(gateway);
  assert.equal(only(gateway).pending, 0);
  for (const { socket } of backend.connections) socket.destroy();
  await eventually(() => descriptors() <= before);
});
