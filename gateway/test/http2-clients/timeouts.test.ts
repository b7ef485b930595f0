import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { allQuiet, eventually } from '../relay/gateway-in-test.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RawBackend } from '../support/raw-backend.ts';
import { answer } from '../support/stage.ts';
import { END_HEADERS, ERROR, FrameClient, frame, request, TYPE, uint32 } from './frames.ts';
import { frameStage, http2Gateway } from './http2-stage.ts';

const LISTENER = { headTimeoutMs: 5_000, bodyTimeoutMs: 10_000, keepAliveTimeoutMs: 20_000 };

test('a connection without requests ends after the keep-alive time, with GOAWAY', async (t) => {
  const clock = new ManualClock();
  const { gateway, client } = await frameStage(
    t,
    RawBackend.start(answer()),
    { listener: listener() },
    { clock },
  );
  client.headers(1, request());
  await client.ended(1);
  await client.ping();
  clock.advance(19_000);
  await client.ping();
  assert.equal(gateway.gateway.data.listeners[0]?.connections, 1);
  clock.advance(1_500);
  assert.equal((await client.goaway()).code, ERROR.NO_ERROR);
  await once(client.socket, 'close');
  await allQuiet(gateway);
});

test('pings do not keep a connection', async (t) => {
  const clock = new ManualClock();
  const gateway = await http2Gateway(t, [1], { listener: listener() }, { clock });
  const client = await FrameClient.open(t, gateway.port);
  for (let n = 0; n < 21; n++) {
    await client.ping();
    clock.advance(1_000);
  }
  assert.equal((await client.goaway()).code, ERROR.NO_ERROR);
});

test('a client that never says anything after the preface is not waited for longer than for a head', async (t) => {
  const clock = new ManualClock();
  const gateway = await http2Gateway(t, [1], { listener: listener() }, { clock });
  const client = await gateway.client();
  client.send('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  await eventually(() => client.received.length > 0);
  clock.advance(6_000);
  await client.end();
  await allQuiet(gateway);
});

test('a client that stops in the middle of its body is answered with 408, and the backend let go', async (t) => {
  const clock = new ManualClock();
  const { backend, gateway, client } = await frameStage(
    t,
    RawBackend.start(),
    { listener: listener() },
    { clock },
  );
  client.headers(1, request({ ':method': 'POST' }), END_HEADERS).data(1, 'part');
  await backend.until(({ received }) => received.includes('part'));
  clock.advance(9_000);
  client.data(1, 'more');
  await backend.until(({ received }) => received.includes('more'));
  clock.advance(9_000);
  await client.ping();
  assert.equal(gateway.ended.length, 0);
  clock.advance(2_000);
  assert.equal(await client.ended(1), 'end');
  assert.match(client.body(1), /body_timeout/);
  await backend.until(({ connections }) => connections[0]?.ended === true);
});

test('a client that takes nothing of its answer is given up; one that takes a little now and then is not', async (t) => {
  const clock = new ManualClock();
  const { gateway, client } = await frameStage(
    t,
    RawBackend.answering(`HTTP/1.1 200 OK\r\nContent-Length: 400000\r\n\r\n${'w'.repeat(400_000)}`),
    { listener: listener() },
    { clock },
  );
  client.send(frame(TYPE.WINDOW_UPDATE, 0, 0, uint32(1_000_000)));
  client.headers(1, request()).headers(3, request());
  await eventually(() => client.body(1).length === 65_535 && client.body(3).length === 65_535);
  for (let n = 1; n < 5; n++) {
    clock.advance(6_000);
    client.send(frame(TYPE.WINDOW_UPDATE, 0, 1, uint32(70_000)));
    await eventually(() => client.body(1).length === 65_535 + 70_000 * n);
    await client.ping();
  }
  assert.equal(await client.ended(3), ERROR.CANCEL);
  client.send(frame(TYPE.WINDOW_UPDATE, 0, 1, uint32(70_000)));
  assert.equal(await client.ended(1), 'end');
  client.socket.end();
  await allQuiet(gateway);
});

test('the time that a backend takes is not held against the client', async (t) => {
  const clock = new ManualClock();
  const { backend, client } = await frameStage(t, RawBackend.start(), { listener: listener() }, { clock });
  client.headers(1, request());
  await backend.until(({ received }) => received.includes('\r\n\r\n'));
  clock.advance(25_000);
  const { socket } = backend.connections[0] ?? {};
  socket?.write(`HTTP/1.1 200 OK\r\nContent-Length: 80000\r\n\r\n${'w'.repeat(70_000)}`);
  await eventually(() => client.body(1).length === 65_535);
  clock.advance(9_000);
  await client.ping();
  client.send(
    frame(TYPE.WINDOW_UPDATE, 0, 0, uint32(20_000)),
    frame(TYPE.WINDOW_UPDATE, 0, 1, uint32(20_000)),
  );
  await eventually(() => client.body(1).length === 70_000);
  socket?.write('w'.repeat(10_000));
  assert.equal(await client.ended(1), 'end');
});

function listener(): typeof LISTENER & {
  readonly http2: { maxStreams: number; initialWindowBytes: number };
} {
  return { ...LISTENER, http2: { maxStreams: 100, initialWindowBytes: 65_535 } };
}
