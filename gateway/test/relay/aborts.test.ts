import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ManualClock } from '../support/manual-clock.ts';
import { plan } from '../support/plans.ts';
import { RawBackend, type RawConnection } from '../support/raw-backend.ts';
import type { RawClient } from '../support/raw-client.ts';
import { answer } from '../support/stage.ts';
import { allQuiet, eventually, type GatewayInTest, only, startGateway } from './gateway-in-test.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

/** The ways in which a client leaves. */
const LEAVES = {
  RST: (client: RawClient) => client.socket.resetAndDestroy(),
  FIN: (client: RawClient) => client.socket.destroy(),
} as const;

async function startPair(
  t: TestContext,
  onData?: (connection: RawConnection, data: string) => void,
  connections = 128,
) {
  const backend = await RawBackend.start(onData);
  t.after(() => backend.stop());
  const pool = {
    maxConnections: connections,
    maxQueue: 256,
    queueTimeoutMs: 60_000,
    idleTimeoutMs: 4_000,
    maxRequests: 10_000,
    maxAgeMs: 600_000,
  };
  const gateway = await startGateway(t, plan([backend.port], { service: { pool } }));
  return { backend, gateway };
}

/** One exchange ended as 499, and nothing is held against the backend or left over. */
async function endedAs499(gateway: GatewayInTest): Promise<void> {
  await allQuiet(gateway);
  assert.deepEqual(
    gateway.ended.map(({ failure }) => failure),
    ['client_left'],
  );
  assert.equal(gateway.gateway.data.routes[0]?.counters.byStatus.get(499), 1);
  assert.equal(only(gateway).latencyMs(0), 0);
}

for (const [how, leave] of Object.entries(LEAVES)) {
  test(`${how} while waiting for the head: the backend's connection is closed and the exchange counted 499`, async (t) => {
    const { backend, gateway } = await startPair(t);
    const client = await gateway.client();
    client.send(GET);
    await backend.until(() => backend.received.endsWith('\r\n\r\n'));
    leave(client);
    await backend.until(
      () => backend.connections[0]?.ended === true || backend.connections[0]?.closed === true,
    );
    await endedAs499(gateway);
  });

  test(`${how} while the answer streams: the backend's connection is closed and the exchange counted 499`, async (t) => {
    const { backend, gateway } = await startPair(t, ({ socket }) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nbegun');
    });
    const client = await gateway.client();
    await client.send(GET).contains('begun');
    leave(client);
    // a client that closed without a reset is only seen to be gone by what comes back when bytes are sent to it
    const [connection] = backend.connections;
    while (connection?.ended !== true && connection?.closed !== true) {
      connection?.socket.write('more');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await allQuiet(gateway);
    assert.deepEqual(
      gateway.ended.map(({ failure }) => failure),
      ['client_left'],
    );
  });

  test(`${how} in the middle of an upload: the backend's connection is closed and the exchange counted 499`, async (t) => {
    const { backend, gateway } = await startPair(t);
    const client = await gateway.client();
    client.send('PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nhalf');
    await backend.until(() => backend.received.endsWith('half'));
    leave(client);
    await backend.until(
      () => backend.connections[0]?.ended === true || backend.connections[0]?.closed === true,
    );
    await endedAs499(gateway);
  });

  test(`${how} in the queue: the place is free, the request never reaches a backend`, async (t) => {
    const { backend, gateway } = await startPair(t, () => {}, 1);
    const first = await gateway.client();
    first.send(GET);
    await backend.until(() => backend.received.endsWith('\r\n\r\n'));
    const second = await gateway.client();
    second.send('GET /never HTTP/1.1\r\nHost: a\r\n\r\n');
    const { agent } = only(gateway);
    await eventually(() => agent.stats.queued === 1);
    leave(second);
    await eventually(() => agent.stats.queued === 0);
    assert.deepEqual(
      gateway.ended.map(({ failure }) => failure),
      ['client_left'],
    );
    assert.equal(only(gateway).pending, 1);
    first.socket.resetAndDestroy();
    await allQuiet(gateway);
    assert.doesNotMatch(backend.received, /never/);
  });

  test(`${how} while connecting: the exchange ends, the connection is kept for the next`, async (t) => {
    const backend = await RawBackend.start(answer());
    t.after(() => backend.stop());
    const changed = [
      { name: 'slow:1', protocol: 'http', host: 'slow.test', port: backend.port, weight: 1 },
    ] as const;
    let resolve = (): void => {};
    const lookup = (
      _host: string,
      done: (error: null, addresses: { address: string; family: 4 }[]) => void,
    ): void => {
      resolve = () => done(null, [{ address: '127.0.0.1', family: 4 }]);
    };
    const gateway = await startGateway(t, plan([], { service: { backends: changed } }), { lookup });
    const client = await gateway.client();
    client.send(GET);
    await eventually(() => only(gateway).agent.stats.connecting === 1);
    leave(client);
    await eventually(() => gateway.ended.length === 1);
    resolve();
    await endedAs499(gateway);
    await eventually(() => only(gateway).agent.stats.idle === 1);
    assert.equal(backend.received, '');
    assert.match(await (await gateway.client()).send(GET).contains('ok'), /200 OK/);
    assert.equal(backend.connections.length, 1);
  });

  test(`${how} by the client ends a tunnel at the backend`, async (t) => {
    const { backend, gateway } = await startPair(t, ({ socket }) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n');
    });
    const client = await gateway.client();
    await client
      .send('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n')
      .contains('101');
    leave(client);
    await backend.until(
      () => backend.connections[0]?.ended === true || backend.connections[0]?.closed === true,
    );
    backend.connections[0]?.socket.destroy();
    await allQuiet(gateway);
  });
}

for (const how of ['RST', 'FIN'] as const) {
  test(`${how} by the backend ends a tunnel at the client`, async (t) => {
    const { backend, gateway } = await startPair(t, ({ socket }) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\nhello');
    });
    const client = await gateway.client();
    await client
      .send('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n')
      .contains('hello');
    const socket = backend.connections[0]?.socket;
    if (how === 'RST') socket?.resetAndDestroy();
    else socket?.destroy();
    await client.end();
    await allQuiet(gateway);
  });
}

test('a tunnel whose client reads nothing any more does not outlive its backend for ever', async (t) => {
  const clock = new ManualClock();
  const backend = await RawBackend.start(({ socket }) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n');
    socket.write(Buffer.alloc(32 * 1024 * 1024));
  });
  t.after(() => backend.stop());
  const gateway = await startGateway(t, plan([backend.port]), { clock });
  const { socket } = await gateway.client();
  socket.removeAllListeners('data').pause();
  socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n');
  await eventually(() => (backend.connections[0]?.socket.bytesWritten ?? 0) > 0);
  await new Promise((resolve) => setTimeout(resolve, 100));
  backend.connections[0]?.socket.resetAndDestroy();
  await eventually(() => backend.connections[0]?.closed === true);
  clock.advance(400_000);
  clock.advance(400_000);
  await allQuiet(gateway);
});

test('a client that has only closed its half gets the whole of a long answer', async (t) => {
  const clock = new ManualClock();
  const { backend, gateway } = await (async () => {
    const backend = await RawBackend.start();
    t.after(() => backend.stop());
    return { backend, gateway: await startGateway(t, plan([backend.port]), { clock }) };
  })();
  const client = await gateway.client();
  client.send(GET);
  await backend.until(() => backend.received.endsWith('\r\n\r\n'));
  client.socket.end();
  await client.contains('102 Processing');
  const socket = backend.connections[0]?.socket;
  socket?.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n');
  for (let i = 0; i < 10; i++) {
    socket?.write(`${i}`);
    await client.contains('0123456789'.slice(0, i + 1));
    clock.advance(900);
  }
  assert.match(await client.end(), /0123456789$/);
  await allQuiet(gateway);
  assert.deepEqual(
    gateway.ended.map(({ status, failure }) => [status, failure]),
    [[200, undefined]],
  );
});

test('clients that come and leave in every phase leave nothing behind', async (t) => {
  let served = 0;
  const { gateway } = await startPair(
    t,
    ({ socket, received }) => {
      if (!received.endsWith('\r\n\r\n')) return;
      served += 1;
      if (served % 3 === 0) return;
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${served % 3 === 1 ? 5 : 50_000}\r\n\r\nhello`);
    },
    4,
  );
  for (let round = 0; round < 20; round++) {
    const clients = await Promise.all(Array.from({ length: 10 }, () => gateway.client()));
    for (const [i, client] of clients.entries()) {
      client.send(i % 4 === 3 ? 'PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhal' : GET);
      if (i % 2 === 0) await new Promise((resolve) => setImmediate(resolve));
      LEAVES[round % 2 === 0 ? 'RST' : 'FIN'](client);
    }
  }
  await allQuiet(gateway);
});
