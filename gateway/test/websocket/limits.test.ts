import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allQuiet, eventually, startGateway } from '../relay/gateway-in-test.ts';
import { plan, servicePlan } from '../support/plans.ts';
import { RawBackend } from '../support/raw-backend.ts';
import { answer, stage } from '../support/stage.ts';
import { ASK, fromClient, SWITCH } from './frames.ts';
import { openPair, tunnelsOf, upgrading, webSocketStage } from './web-socket-stage.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

test('a route opens no more WebSockets than it may: others are refused before a backend hears of them', async (t) => {
  const route = { webSocket: { maxConnections: 2, idleMs: 60_000, pingMs: 0 } };
  const there = await webSocketStage(t, { route });
  const pairs = [await openPair(there), await openPair(there)];
  const third = await there.client();
  const refused = await third.send(ASK).contains('too_many_tunnels');
  assert.match(refused, /^HTTP\/1\.1 503 [\s\S]*\r\nRetry-After: /);
  assert.equal(there.backend.connections.length, 2);
  assert.equal(there.gateway.data.counters.byCode.get('too_many_tunnels'), 1);
  // the connection goes on, and an end makes room
  pairs[0]?.client.socket.resetAndDestroy();
  await eventually(() => tunnelsOf(there).open === 1);
  third.received = '';
  await third.send(ASK).contains('101 Switching');
});

test('of upgrades that are asked for at once no more are opened either', async (t) => {
  const route = { webSocket: { maxConnections: 1, idleMs: 60_000, pingMs: 0 } };
  const there = await stage(t, undefined, { route });
  const [first, second] = [await there.client(), await there.client()];
  first.send(ASK);
  second.send(ASK);
  await there.backend.until(({ connections }) => connections.filter(({ received }) => received).length === 2);
  for (const { socket } of there.backend.connections) socket.write(SWITCH, 'latin1');
  await eventually(() => first.received !== '' && second.received !== '');
  const answers = [first, second].map(({ received }) => received.slice(9, 12)).sort();
  assert.deepEqual(answers, ['101', '503']);
  assert.equal(tunnelsOf(there).open, 1);
  await there.backend.until(({ connections }) => connections.some(({ ended }) => ended));
});

test('an upgrade that is refused leaves nothing open: its connections serve the next request', async (t) => {
  const refusals = [
    'HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno',
    'HTTP/1.1 426 Upgrade Required\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n',
    'HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno',
  ];
  for (const refusal of refusals) {
    await t.test(refusal.slice(9, 12), async (row) => {
      const backend = await RawBackend.start(answer(refusal));
      row.after(() => backend.stop());
      const gateway = await startGateway(row, plan([backend.port]));
      const client = await gateway.client();
      for (let turn = 0; turn < 20; turn++) {
        client.received = '';
        const text = turn % 2 === 0 ? ASK : GET;
        await client.send(text).until((received) => /no(\r\n0\r\n\r\n)?$/.test(received));
      }
      assert.equal(backend.connections.length, 1);
      const [only] = gateway.backends;
      assert.deepEqual(only?.agent.stats, { active: 0, idle: 1, connecting: 0, queued: 0 });
      client.socket.destroy();
      await allQuiet(gateway);
    });
  }
});

test('a refusal that ends with its connection leaves none (http-party/node-http-proxy#783)', async (t) => {
  const backend = await RawBackend.start((connection) => {
    connection.socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\nno');
  });
  t.after(() => backend.stop());
  const gateway = await startGateway(t, plan([backend.port]));
  for (let turn = 0; turn < 20; turn++) {
    const client = await gateway.client();
    await client.send(ASK).contains('no');
    client.socket.destroy();
  }
  await allQuiet(gateway);
  await eventually(() => gateway.backends[0]?.agent.stats.idle === 0);
  await backend.until(({ connections }) => connections.every(({ closed }) => closed));
});

test('least-pending counts open WebSockets', async (t) => {
  const backends = [await RawBackend.start(upgrading), await RawBackend.start(upgrading)];
  t.after(() => Promise.all(backends.map((backend) => backend.stop())));
  const ports = backends.map(({ port }) => port);
  const gateway = await startGateway(t, plan(ports, { service: { balance: { kind: 'least-pending' } } }));
  const clients = [];
  for (let i = 0; i < 10; i++) {
    const client = await gateway.client();
    await client.send(ASK).contains('101 Switching');
    clients.push(client);
  }
  assert.deepEqual(
    gateway.backends.map(({ pending }) => pending),
    [5, 5],
  );
  for (const client of clients) client.socket.resetAndDestroy();
  await eventually(() => gateway.backends.every(({ pending }) => pending === 0));
  assert.deepEqual(
    gateway.backends.map(({ agent }) => agent.stats.active),
    [0, 0],
  );
});

test('bytes are counted while a WebSocket is open', async (t) => {
  const there = await webSocketStage(t);
  const pair = await openPair(there);
  pair.client.send('\x81\x83\0\0\0\0abc');
  await there.backend.until(() => pair.serverFrames().length === 1);
  pair.server.socket.write('\x81\x02ab', 'latin1');
  await pair.client.until(() => pair.clientFrames().length === 1);
  const { open, opened, bytesIn, bytesOut } = tunnelsOf(there);
  assert.deepEqual({ open, opened, bytesIn, bytesOut }, { open: 1, opened: 1, bytesIn: 9, bytesOut: 4 });
});

test('WebSockets take no place in the pool of connections for requests', async (t) => {
  const { pool } = servicePlan([]);
  const there = await webSocketStage(t, { service: { pool: { ...pool, maxConnections: 1 } } });
  const pairs = [await openPair(there), await openPair(there), await openPair(there)];
  for (const [index, pair] of pairs.entries()) {
    pair.client.send(fromClient(`${index}`));
    await there.backend.until(() => pair.serverFrames().length === 1);
  }
  const [only] = there.gateway.data.services[0]?.backends ?? [];
  assert.deepEqual(only?.agent.stats, { active: 0, idle: 0, connecting: 0, queued: 0 });
  assert.equal(only?.pending, 3);
});

test('clients that leave while their upgrade waits for a connection leave nothing in the queue', async (t) => {
  const { pool } = servicePlan([]);
  const backend = await RawBackend.start();
  t.after(() => backend.stop());
  const gateway = await startGateway(
    t,
    plan([backend.port], { service: { pool: { ...pool, maxConnections: 1, queueTimeoutMs: 60_000 } } }),
  );
  const holding = (await gateway.client()).send(GET);
  await backend.until(({ received }) => received.endsWith('\r\n\r\n'));
  const [only] = gateway.backends;
  const waiting = [];
  for (let i = 0; i < 20; i++) waiting.push((await gateway.client()).send(ASK));
  await eventually(() => only?.agent.stats.queued === 20);
  for (const client of waiting) client.socket.resetAndDestroy();
  await eventually(() => only?.agent.stats.queued === 0 && only.pending === 1);
  backend.connections[0]?.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  await holding.contains('ok');
  holding.socket.destroy();
  await allQuiet(gateway);
  assert.equal(backend.connections.length, 1);
});
