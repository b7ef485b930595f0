import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { eventually } from '../relay/gateway-in-test.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { GET, type Path, startPath } from './path-stage.ts';
import { type Asked, type Behaviour, hang } from './scripted-backend.ts';

const SWITCHING = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n';
const UPGRADE = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n';
const PART = Buffer.alloc(200_000, 'x');

/** As much as the other side takes, for as long as it does. */
function pourEndlessly(socket: Socket): void {
  if (socket.destroyed) return;
  socket.write(PART);
  if (socket.writableLength < 1_000_000) setImmediate(() => pourEndlessly(socket));
  else socket.once('drain', () => pourEndlessly(socket));
}

/** What a backend sends without end, by what a client asked for. */
const ENDLESS: Readonly<Record<string, readonly [request: string, head: string]>> = {
  'a body with a length': [GET, 'HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n'],
  'a body until close': [GET, 'HTTP/1.1 200 OK\r\n\r\n'],
  'a tunnel': [UPGRADE, SWITCHING],
};

async function goneAfter(path: Path, asked: Asked | undefined): Promise<void> {
  assert.ok(asked !== undefined);
  await eventually(() => path.exchanges.length === 1);
  await eventually(() => asked.connection.closed || asked.connection.ended);
  asked.connection.socket.destroy();
  await path.quiet();
}

for (const [what, [request, head]] of Object.entries(ENDLESS)) {
  // the reset may be met by a write, and what is read afterwards looks like the FIN of a client that still listens
  test(`a client that resets the connection in the middle of ${what} ends it, though a write meets the reset`, async (t) => {
    for (let round = 0; round < 5; round++) {
      const path = await startPath(t, [
        ({ connection }) => {
          connection.socket.write(head);
          pourEndlessly(connection.socket);
        },
      ]);
      const client = await path.client();
      client.socket.removeAllListeners('data').pause();
      client.send(request);
      const [server] = path.servers;
      await eventually(() => (server?.asked[0]?.connection.socket.bytesWritten ?? 0) > 0);
      client.socket.resetAndDestroy();
      await goneAfter(path, server?.asked[0]);
    }
  });
}

const tunnelling: Behaviour = ({ connection }) => void connection.socket.write(SWITCHING);

test('a tunnel outlives the time that a whole request may take, and ends once', async (t) => {
  const clock = new ManualClock();
  const path = await startPath(t, [tunnelling], { clock, route: { timeouts: { totalMs: 1_000 } } });
  const client = await path.client();
  await client.send(UPGRADE).contains('101');
  clock.advance(5_000);
  client.send('ping');
  const [server] = path.servers;
  await eventually(() => server?.connections[0]?.received.endsWith('ping') === true);
  client.socket.resetAndDestroy();
  await goneAfter(path, server?.asked[0]);
  assert.equal(path.exchanges.length, 1);
});

test('a client that resets the connection before an answer is 499, wherever the request is', async (t) => {
  const path = await startPath(t, [hang], {
    service: { concurrency: { max: 1, queue: 1, queueTimeoutMs: 60_000, adaptive: false } },
  });
  const [first, second] = [await path.client(), await path.client()];
  first.send(GET);
  await path.servers[0]?.askedTimes(1);
  second.send(GET);
  await eventually(() => path.service.limit?.queued === 1);
  second.socket.resetAndDestroy();
  await eventually(() => path.exchanges.length === 1);
  first.socket.resetAndDestroy();
  await eventually(() => path.exchanges.length === 2);
  assert.deepEqual(
    path.exchanges.map(({ failure }) => failure),
    ['client_left', 'client_left'],
  );
  assert.equal(path.counts[0], 1);
  await path.quiet();
});
