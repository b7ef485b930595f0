import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import * as tls from 'node:tls';
import { Agent } from '../../src/data/agent.ts';
import type { ReadBuffers } from '../../src/data/read-buffers.ts';
import { makeCertificate } from '../agents/certificates.ts';
import { backendPlan, plan, servicePlan } from '../support/plans.ts';
import { eventually, type GatewayInTest, only, startGateway } from './gateway-in-test.ts';
import { pattern, sha256 } from './pattern.ts';

/** As many as a gateway lends at once. */
const MAX_LENT = 256;
/** More than the kernel holds for two connections on loopback. */
const LARGE = pattern(1, 14 * 1024 * 1024);
const LARGE_SUM = sha256(LARGE);
const SMALL = pattern(2, 300 * 1024);
const SMALL_SUM = sha256(SMALL);

type OnHead = (socket: Socket, head: string) => void;

/** A backend that hands each connection to `onHead` with the first request's head. */
async function startBackend(t: TestContext, onHead: OnHead, ca?: ReturnType<typeof makeCertificate>) {
  const sockets: Socket[] = [];
  const accept = (socket: Socket): void => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.once('readable', () => onHead(socket, String(socket.read())));
  };
  const server: Server =
    ca === undefined ? createServer(accept) : tls.createServer({ key: ca.key, cert: ca.cert }, accept);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { port: (server.address() as AddressInfo).port, sockets };
}

async function startLending(t: TestContext, port: number, ca?: string) {
  const backends = [backendPlan(port, { protocol: ca === undefined ? 'http' : 'https' })];
  const { pool } = servicePlan([]);
  const service = servicePlan([], {
    backends,
    pool: { ...pool, maxConnections: 2 * MAX_LENT },
    tls: { ca, serverName: undefined, verify: true },
  });
  const gateway = await startGateway(
    t,
    plan([], { services: [service], route: { maxBodyBytes: 2 * LARGE.length } }),
  );
  const { agent } = only(gateway);
  assert.ok(agent instanceof Agent);
  return { gateway, buffers: agent.buffers };
}

/** Borrows all but `left` of the buffers, as other connections would; nothing is written to them, so they cost no memory. */
function borrowAllBut(buffers: ReadBuffers, left: number): Buffer[] {
  const taken: Buffer[] = [];
  while (buffers.lent < MAX_LENT - left) taken.push(buffers.borrow() ?? assert.fail('nothing to borrow'));
  return taken;
}

async function openClients(t: TestContext, { port }: GatewayInTest, count: number): Promise<Socket[]> {
  const sockets = Array.from({ length: count }, () => connect({ port, host: '127.0.0.1' }));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  for (const socket of sockets) socket.on('error', () => {});
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  return sockets;
}

/** Waits until what `sockets` could write has stood still for a while, with something left to write on each. */
async function allStuck(sockets: readonly Socket[]): Promise<void> {
  for (let before = -1, quiet = 0; quiet < 5; ) {
    await delay(20, undefined, { ref: false });
    const written = sockets.reduce((sum, one) => sum + one.bytesWritten - one.writableLength, 0);
    quiet = written === before && sockets.every(({ writableLength }) => writableLength > 0) ? quiet + 1 : 0;
    before = written;
  }
}

/** Reads the head of an answer and `bytes` of body; returns the body's sum. */
async function bodySum(socket: Socket, bytes: number): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  let headBytes = -1;
  for await (const part of socket as AsyncIterable<Buffer>) {
    parts.push(part);
    size += part.length;
    if (headBytes < 0) headBytes = Buffer.concat(parts).indexOf('\r\n\r\n') + 4;
    if (size >= headBytes + bytes) break;
  }
  return sha256(Buffer.concat(parts).subarray(headBytes));
}

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const headFor = (body: Buffer): string => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`;

test('connections in the middle of large bodies borrow buffers up to the most there may be, and all bodies arrive', async (t) => {
  const count = MAX_LENT + 20;
  const { port, sockets } = await startBackend(t, (socket) => {
    socket.write(headFor(SMALL));
    socket.write(SMALL.subarray(0, 1_000));
  });
  const { gateway, buffers } = await startLending(t, port);
  const clients = await openClients(t, gateway, count);
  const sums = clients.map((client) => bodySum(client.setNoDelay(), SMALL.length));
  for (const client of clients) client.write(GET);
  await eventually(() => sockets.length === count && clients.every(({ bytesRead }) => bytesRead > 1_000));
  assert.equal(buffers.lent, MAX_LENT);
  for (const socket of sockets) socket.write(SMALL.subarray(1_000));
  assert.deepEqual(new Set(await Promise.all(sums)), new Set([SMALL_SUM]));
  await eventually(() => buffers.lent === 0);
});

test('clients that do not read hold no more than there may be; with and without one, they get every byte in the end', async (t) => {
  const { port, sockets } = await startBackend(t, (socket) => {
    socket.write(headFor(LARGE));
    socket.write(LARGE);
  });
  const { gateway, buffers } = await startLending(t, port);
  const taken = borrowAllBut(buffers, 2);
  const clients = await openClients(t, gateway, 6);
  for (const client of clients) client.pause().write(GET);
  await eventually(() => sockets.length === 6);
  await allStuck(sockets);
  assert.equal(buffers.lent, MAX_LENT);
  const sums = await Promise.all(clients.map((client) => bodySum(client, LARGE.length)));
  assert.deepEqual(new Set(sums), new Set([LARGE_SUM]));
  for (const one of taken) buffers.release(one);
  await eventually(() => buffers.lent === 0);
});

test('a connection that found no buffer borrows one in the middle of its body when one is free again', async (t) => {
  const { port, sockets } = await startBackend(t, (socket) => {
    socket.write(headFor(SMALL));
    socket.write(SMALL.subarray(0, 1_000));
  });
  const { gateway, buffers } = await startLending(t, port);
  const taken = borrowAllBut(buffers, 0);
  const [client] = await openClients(t, gateway, 1);
  assert.ok(client !== undefined);
  const sum = bodySum(client, SMALL.length);
  client.write(GET);
  await eventually(() => client.bytesRead > 1_000);
  for (const one of taken) buffers.release(one);
  assert.equal(buffers.lent, 0);
  sockets[0]?.write(SMALL.subarray(1_000, 2_000));
  await eventually(() => buffers.lent === 1);
  sockets[0]?.write(SMALL.subarray(2_000));
  assert.equal(await sum, SMALL_SUM);
  await eventually(() => buffers.lent === 0);
});

for (const side of ['clients', 'backends'] as const) {
  test(`buffers of ${side} that vanish in the middle of a stuck download are free again`, async (t) => {
    const { port, sockets } = await startBackend(t, (socket) => {
      socket.write(headFor(LARGE));
      socket.write(LARGE);
    });
    const { gateway, buffers } = await startLending(t, port);
    const clients = await openClients(t, gateway, 4);
    for (const client of clients) client.pause().write(GET);
    await eventually(() => sockets.length === 4);
    await allStuck(sockets);
    assert.equal(buffers.lent, 4);
    for (const socket of side === 'clients' ? clients : sockets) socket.resetAndDestroy();
    // until its client has read what is pending, nobody looks at the backend
    for (const client of clients) client.resume();
    await eventually(() => buffers.lent === 0);
  });
}

for (const secure of [false, true]) {
  test(`uploads to ${secure ? 'TLS' : 'plain'} backends: buffers are free again after what is cut off, and what arrives`, async (t) => {
    const certificate = secure ? makeCertificate({ names: ['IP:127.0.0.1'] }) : undefined;
    const waiting: Socket[] = [];
    const { port } = await startBackend(t, (socket) => waiting.push(socket.pause()), certificate);
    const { gateway, buffers } = await startLending(t, port, certificate?.ca);
    const clients = await openClients(t, gateway, 4);
    for (const client of clients) {
      client.write(`PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${LARGE.length}\r\n\r\n`);
      client.write(LARGE);
    }
    await eventually(() => waiting.length === 4);
    await allStuck(clients);
    assert.equal(buffers.lent, 4);
    const [cut, reset, ...rest] = waiting;
    cut?.destroy();
    if (secure) reset?.destroy();
    else reset?.resetAndDestroy();
    for (const socket of rest) {
      socket.resume();
      socket.end('HTTP/1.1 204 No Content\r\n\r\n');
    }
    await eventually(() => gateway.ended.length === 4);
    for (const client of clients) client.destroy();
    await eventually(() => buffers.lent === 0);
  });
}
