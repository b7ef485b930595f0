import assert from 'node:assert/strict';
import { createHash, type Hash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setImmediate as immediate } from 'node:timers/promises';
import type { ServicePlan } from '../../src/data/plan.ts';
import { allQuiet, eventually, type GatewayInTest, startGateway } from '../relay/gateway-in-test.ts';
import { servicePlan } from '../support/plans.ts';
import { RawBackend, type RawConnection } from '../support/raw-backend.ts';
import { leave } from './how-it-ends.ts';
import { tcpPlan } from './tcp-plans.ts';

const MIB = 1024 * 1024;

const echo = ({ socket }: RawConnection, data: string): void => void socket.write(data, 'latin1');

interface Relay extends GatewayInTest {
  readonly backend: RawBackend;
  /** The connection that came to the backend, once there is one. */
  connection(): Promise<RawConnection>;
}

/** A gateway before one raw backend. */
async function relay(
  t: TestContext,
  onData: (connection: RawConnection, data: string) => void = () => {},
  service: Partial<ServicePlan> = {},
): Promise<Relay> {
  const backend = await RawBackend.start(onData);
  t.after(() => backend.stop());
  const gateway = await startGateway(t, tcpPlan([backend.port], { service }));
  const connection = async (): Promise<RawConnection> => {
    await backend.until(({ connections }) => connections.length > 0);
    const [first] = backend.connections;
    assert.ok(first);
    return first;
  };
  return { ...gateway, backend, connection };
}

test('bytes go to the backend and back as they are', async (t) => {
  const { client: open, backend } = await relay(t, echo);
  const client = await open();
  const everything = String.fromCharCode(...Array.from({ length: 256 }, (_, i) => i));
  await client.send(everything).until(({ length }) => length === 256);
  assert.equal(client.received, everything);
  assert.equal(backend.received, everything);
});

test('a server that speaks first is heard before the client says anything', async (t) => {
  const { client: open, connection } = await relay(t);
  const client = await open();
  (await connection()).socket.write('220 ready\r\n');
  await client.contains('220 ready\r\n');
});

test('a client that has sent all it has to say still hears the answer', async (t) => {
  const gateway = await relay(t);
  const client = await gateway.client();
  client.send('question').socket.end();
  const connection = await gateway.connection();
  await gateway.backend.until(() => connection.ended);
  assert.equal(connection.received, 'question');
  connection.socket.end('answer');
  assert.equal(await client.end(), 'answer');
  await allQuiet(gateway);
});

test('a backend that has said all it has to say still hears the client', async (t) => {
  const gateway = await relay(t);
  const client = await gateway.client();
  const connection = await gateway.connection();
  connection.socket.end('hello and goodbye');
  await client.until(() => client.ended || client.received.length === 17);
  await eventually(() => client.ended);
  client.send('still here').socket.end();
  await gateway.backend.until(() => connection.ended);
  assert.equal(connection.received, 'still here');
  await allQuiet(gateway);
});

/** With its only connection taken, the next client waits. */
const ONE_CONNECTION = { pool: { ...servicePlan([]).pool, maxConnections: 1, queueTimeoutMs: 20_000 } };

test('what a client sends before its backend is there arrives in order, and its FIN after it', async (t) => {
  const gateway = await relay(t, undefined, ONE_CONNECTION);
  const first = await gateway.client();
  await gateway.connection();
  const second = await gateway.client();
  second.send('one ').send('two ');
  second.socket.end('three');
  await eventually(() => gateway.backends[0]?.agent.stats.queued === 1);
  await leave(first);
  await gateway.backend.until(({ connections }) => connections[1]?.ended === true);
  assert.equal(gateway.backend.connections[1]?.received, 'one two three');
});

/** Sends 64 MiB and FIN. Resolves when no more is taken for now, or all was: what is left goes on by itself. */
async function sendUntilStuck(
  socket: Socket,
): Promise<{ readonly sent: number; readonly all: Promise<void> }> {
  const block = Buffer.alloc(MIB, 'b');
  let sent = 0;
  const send = async (): Promise<void> => {
    for (let i = 0; i < 64; i++) {
      if (!socket.write(block)) await once(socket, 'drain');
      sent += 1;
    }
    socket.end();
  };
  const all = send();
  // nothing has moved for many turns: the kernel has taken what it takes on the way
  for (let turns = 0, before = -1; turns < 200; turns++) {
    if (sent !== before) turns = 0;
    before = sent;
    await immediate();
  }
  return { sent, all };
}

test('a client that waits for its backend is not read from without end', async (t) => {
  const gateway = await relay(t, undefined, ONE_CONNECTION);
  const first = await gateway.client();
  await gateway.connection();
  const second = connect(gateway.port, '127.0.0.1');
  t.after(() => second.destroy());
  const sending = sendUntilStuck(second);
  await eventually(() => gateway.backends[0]?.agent.stats.queued === 1);
  const { sent, all } = await sending;
  assert.ok(sent < 32, `${sent} MiB`);
  await leave(first);
  await all;
  await gateway.backend.until(({ connections }) => connections[1]?.received.length === 64 * MIB);
});

for (const who of ['client', 'backend'] as const) {
  test(`a ${who} is read from only as fast as the other side reads`, async (t) => {
    const gateway = await relay(t);
    const client = connect({ port: gateway.port, host: '127.0.0.1', allowHalfOpen: true });
    t.after(() => client.destroy());
    const { socket: backend } = await gateway.connection();
    const [fast, slow] = who === 'client' ? [client, backend] : [backend, client];
    slow.pause();
    const { sent, all } = await sendUntilStuck(fast);
    assert.ok(sent < 32, `${sent} MiB`);
    let received = 0;
    slow.on('data', ({ length }) => {
      received += length;
    });
    slow.resume();
    await all;
    await once(slow, 'end');
    assert.equal(received, 64 * MIB);
  });
}

/** Sends `total` random bytes; resolves with their hash when all have been handed over. */
async function sendRandom(socket: Socket, total: number): Promise<string> {
  const hash = createHash('sha256');
  const block = randomBytes(MIB);
  for (let sent = 0; sent < total; sent += block.length) {
    block.writeUInt32LE(sent);
    const copy = Buffer.from(block.subarray(0, Math.min(block.length, total - sent)));
    hash.update(copy);
    if (!socket.write(copy)) await once(socket, 'drain');
  }
  socket.end();
  return hash.digest('hex');
}

/** Reads to the end with pauses now and then, so that everything in between fills up. */
function readSlowly(socket: Socket): Promise<string> {
  const hash: Hash = createHash('sha256');
  let reads = 0;
  socket.on('data', async (bytes) => {
    hash.update(bytes);
    if (++reads % 16 !== 0) return;
    socket.pause();
    for (let i = 0; i < 20; i++) await immediate();
    socket.resume();
  });
  return once(socket, 'end').then(() => hash.digest('hex'));
}

test('large transfers both ways at once arrive whole, however slowly they are read', async (t) => {
  const gateway = await relay(t);
  const client = connect({ port: gateway.port, host: '127.0.0.1', allowHalfOpen: true });
  t.after(() => client.destroy());
  const { socket } = await gateway.connection();
  socket.removeAllListeners('data');
  const [sentUp, sentDown, readDown, readUp] = await Promise.all([
    sendRandom(client, 24 * MIB + 13),
    sendRandom(socket, 24 * MIB + 7),
    readSlowly(client),
    readSlowly(socket),
  ]);
  assert.equal(readUp, sentUp);
  assert.equal(readDown, sentDown);
  await allQuiet(gateway);
  const [route] = gateway.gateway.data.counts().routes;
  assert.equal(route?.tunnels.bytesIn, 24 * MIB + 13);
  assert.equal(route?.tunnels.bytesOut, 24 * MIB + 7);
  assert.deepEqual([route?.tunnels.open, route?.tunnels.opened], [0, 1]);
});
