import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createServer as createTlsServer } from 'node:tls';
import { makeCertificate } from '../agents/certificates.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { backendPlan, plan } from '../support/plans.ts';
import { RawBackend, type RawConnection } from '../support/raw-backend.ts';
import { allQuiet, eventually, only, startGateway } from './gateway-in-test.ts';

const MIB = 1024 * 1024;
/** What the kernel's buffers of two connections may hold on loopback; a gateway without backpressure takes all. */
const BOUND_BYTES = 24 * MIB;
const ENDLESS_BYTES = 96 * MIB;
const PIECE = Buffer.alloc(64 * 1024, 'x');

/** Writes until `ENDLESS_BYTES` are out or `stop` is called; counts what the kernel took. */
function pourEndlessly(
  socket: Socket,
  wrap: (piece: Buffer) => readonly (string | Buffer)[] = (piece) => [piece],
): () => number {
  let written = 0;
  const more = (): void => {
    let room = true;
    while (room && written < ENDLESS_BYTES && !socket.destroyed) {
      written += PIECE.length;
      for (const part of wrap(PIECE)) room = socket.write(part);
    }
    if (!room) socket.once('drain', more);
    // without its last chunk a body is broken off, and what is on the way of it may be lost with it
    else if (written >= ENDLESS_BYTES) socket.end(wrap === chunk ? '0\r\n\r\n' : '');
  };
  more();
  return () => written - socket.writableLength;
}

/** Waits until `count` stands still for 200 ms: everything on the way is full, or all is through. */
async function settled(count: () => number): Promise<number> {
  for (let quiet = 0, before = -1; ; before = count()) {
    await delay(20, undefined, { ref: false });
    quiet = count() === before ? quiet + 1 : 0;
    if (quiet === 10) return count();
  }
}

const chunk = (piece: Buffer): readonly (string | Buffer)[] => [
  `${piece.length.toString(16)}\r\n`,
  piece,
  '\r\n',
];
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

const answers = {
  'a body with a length': [`HTTP/1.1 200 OK\r\nContent-Length: ${ENDLESS_BYTES}\r\n\r\n`, undefined],
  'a chunked body': ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', chunk],
  'a body that ends with its connection': ['HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n', undefined],
  'a tunnel': ['HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n', undefined],
} as const;

for (const [name, [head, wrap]] of Object.entries(answers)) {
  test(`${name}: a client that reads nothing stops the backend, and nothing piles up`, async (t) => {
    let taken = (): number => 0;
    const backend = await RawBackend.start(({ socket, received }) => {
      if (!received.endsWith('\r\n\r\n')) return;
      socket.write(head);
      taken = pourEndlessly(socket, wrap);
    });
    t.after(() => backend.stop());
    const gateway = await startGateway(t, plan([backend.port]));
    const { socket } = await gateway.client();
    socket.removeAllListeners('data').pause();
    const upgrade =
      name === 'a tunnel' ? 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n' : GET;
    socket.write(upgrade);
    await eventually(() => taken() > 0);
    const before = process.memoryUsage().arrayBuffers;
    const bytes = await settled(taken);
    assert.ok(bytes < BOUND_BYTES, `${bytes} bytes were taken from the backend`);
    assert.ok(process.memoryUsage().arrayBuffers - before < 8 * MIB);
    let received = 0;
    socket.on('data', (part) => {
      received += part.length;
    });
    socket.resume();
    await eventually(() => received >= ENDLESS_BYTES);
  });
}

const uploads = {
  'a body with a length': [
    `PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${ENDLESS_BYTES}\r\n\r\n`,
    undefined,
  ],
  'a chunked body': ['PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n', chunk],
  'a tunnel': ['GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n', undefined],
} as const;

for (const [name, [head, wrap]] of Object.entries(uploads)) {
  test(`${name}: a backend that reads nothing stops the client, and nothing piles up`, async (t) => {
    let reading: RawConnection | undefined;
    const backend = await RawBackend.start((connection) => {
      if (reading !== undefined) return;
      reading = connection;
      connection.socket.pause();
      if (name === 'a tunnel') connection.socket.write(answers['a tunnel'][0]);
    });
    t.after(() => backend.stop());
    const gateway = await startGateway(
      t,
      plan([backend.port], { route: { maxBodyBytes: 2 * ENDLESS_BYTES } }),
    );
    const client = await gateway.client();
    client.send(head);
    if (name === 'a tunnel') await client.contains('101');
    const taken = pourEndlessly(client.socket, wrap);
    await eventually(() => reading !== undefined);
    const bytes = await settled(taken);
    assert.ok(bytes < BOUND_BYTES, `${bytes} bytes were taken from the client`);
    let received = reading?.received.length ?? 0;
    reading?.socket.removeAllListeners('data').on('data', (part) => {
      received += part.length;
    });
    reading?.socket.resume();
    await eventually(() => received >= ENDLESS_BYTES);
  });
}

test('a client that pipelines requests and reads nothing stops being answered', async (t) => {
  let answered = 0;
  const body = 'x'.repeat(60_000);
  const backend = await RawBackend.start(({ socket }, data) => {
    for (const _ of data.matchAll(/\r\n\r\n/g)) {
      answered += 1;
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    }
  });
  t.after(() => backend.stop());
  const gateway = await startGateway(t, plan([backend.port]));
  const { socket } = await gateway.client();
  socket.removeAllListeners('data').pause();
  const count = Math.floor(ENDLESS_BYTES / body.length);
  socket.write(GET.repeat(count));
  await eventually(() => answered > 0);
  await settled(() => answered);
  assert.ok(
    answered * body.length < BOUND_BYTES,
    `${answered * body.length} bytes were taken from the backend`,
  );
  let text = '';
  let heads = 0;
  socket.on('data', (part) => {
    text += part.toString('latin1');
    heads += text.split('HTTP/1.1 200').length - 1;
    text = text.slice(-11);
  });
  socket.resume();
  await eventually(() => heads >= count);
});

test('nor is one whose requests the gateway answers itself', async (t) => {
  const gateway = await startGateway(t, plan([1], { route: { path: '/only/here' } }));
  const { socket } = await gateway.client();
  socket.removeAllListeners('data').pause();
  const count = 60_000;
  socket.write(GET.repeat(count));
  await eventually(() => gateway.ended.length > 0);
  await settled(() => gateway.ended.length);
  assert.ok(gateway.ended.length < count);
  socket.resume();
  await eventually(() => gateway.ended.length === count);
});

test('a client that stops reading in the middle of an answer is given up after the body timeout', async (t) => {
  const clock = new ManualClock();
  let taken = (): number => 0;
  const backend = await RawBackend.start(({ socket }) => {
    socket.write(answers['a body with a length'][0]);
    taken = pourEndlessly(socket);
  });
  t.after(() => backend.stop());
  const gateway = await startGateway(t, plan([backend.port]), { clock });
  const { socket } = await gateway.client();
  socket.removeAllListeners('data').pause();
  socket.write(GET);
  await settled(taken);
  clock.advance(59_000);
  assert.equal(gateway.ended.length, 0);
  clock.advance(2_000);
  await allQuiet(gateway);
  assert.deepEqual(
    gateway.ended.map(({ failure, status }) => ({ failure, status })),
    [{ failure: 'client_left', status: 200 }],
  );
});

test('a client that takes a little every half minute is slow, not stalled', async (t) => {
  const clock = new ManualClock();
  let taken = (): number => 0;
  const backend = await RawBackend.start(({ socket }) => {
    socket.write(answers['a body with a length'][0]);
    taken = pourEndlessly(socket);
  });
  t.after(() => backend.stop());
  const gateway = await startGateway(t, plan([backend.port]), { clock });
  const { socket } = await gateway.client();
  socket.removeAllListeners('data').pause();
  socket.write(GET);
  await settled(taken);
  for (let i = 0; i < 5; i++) {
    const before = taken();
    // enough for the kernel to open its window again
    for (let read = 0; read < 8 * MIB; ) {
      socket.resume();
      const [part] = (await once(socket, 'data')) as [Buffer];
      read += part.length;
    }
    socket.pause();
    await eventually(() => taken() > before);
    await settled(taken);
    clock.advance(40_000);
  }
  assert.equal(gateway.ended.length, 0);
});

test('an echo whose client only sends deadlocks by nature, and ends with the body timeout', async (t) => {
  const clock = new ManualClock();
  const backend = await RawBackend.start(({ socket, received }, data) => {
    if (received === data) socket.write(answers['a body with a length'][0]);
    socket.removeAllListeners('data').pipe(socket);
  });
  t.after(() => backend.stop());
  const limits = { route: { maxBodyBytes: 2 * ENDLESS_BYTES } };
  const gateway = await startGateway(t, plan([backend.port], limits), { clock });
  const { socket } = await gateway.client();
  socket.removeAllListeners('data').pause();
  socket.write(uploads['a body with a length'][0]);
  const taken = pourEndlessly(socket);
  await settled(taken);
  assert.equal(only(gateway).pending, 1);
  clock.advance(130_000);
  await allQuiet(gateway);
});

test('an upload in small pieces to a TLS backend that pauses goes on when that reads again', async (t) => {
  const { key, cert, ca } = makeCertificate({ names: ['IP:127.0.0.1'] });
  let reading: Socket | undefined;
  const server = createTlsServer({ key, cert }, (socket) => {
    reading = socket.on('error', () => {}).pause();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  t.after(() => reading?.destroy());
  const backends = [backendPlan((server.address() as AddressInfo).port, { protocol: 'https' })];
  const service = { backends, tls: { ca, serverName: undefined, verify: true } };
  const gateway = await startGateway(t, plan([], { service, route: { maxBodyBytes: ENDLESS_BYTES } }));
  const { socket } = await gateway.client();
  const size = 16 * MIB;
  socket.write(`PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`);
  await eventually(() => reading !== undefined);
  // piece by piece, so that the gateway too writes small pieces: the last of them must not be forgotten
  const piece = Buffer.alloc(12_000, 'x');
  let sent = 0;
  const sendAll = async (): Promise<void> => {
    for (; sent < size; sent += piece.length) {
      if (!socket.write(piece.subarray(0, Math.min(piece.length, size - sent)))) await once(socket, 'drain');
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const sending = sendAll();
  await settled(() => sent);
  assert.ok(sent < size);
  let received = 0;
  reading?.on('data', (part) => {
    received += part.length;
  });
  reading?.resume();
  await sending;
  await eventually(() => received > size);
});
