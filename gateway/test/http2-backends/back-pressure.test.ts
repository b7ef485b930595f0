import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ServerHttp2Stream } from 'node:http2';
import { connect } from 'node:net';
import { test } from 'node:test';
import { ACK, frame, TYPE } from '../http2-clients/frames.ts';
import { eventually } from '../relay/gateway-in-test.ts';
import { startFrameBackend } from './frame-backend.ts';
import { say, startH2Backend } from './h2-backend.ts';
import { GET, gatewayBefore } from './h2-stage.ts';

test('a client that does not read holds up its own stream, in bounded memory, and no other', async (t) => {
  const state = { sent: 0 };
  const part = Buffer.alloc(16 * 1024, 'x');
  const fill = (stream: ServerHttp2Stream): void => {
    do state.sent += part.length;
    while (stream.write(part));
    stream.once('drain', () => fill(stream));
  };
  const backend = await startH2Backend(t, (stream, headers) => {
    if (headers[':path'] !== '/large') return say(stream, 'small');
    stream.respond({ ':status': 200 });
    fill(stream);
  });
  const gateway = await gatewayBefore(t, [backend]);
  const slow = connect({ port: gateway.port, host: '127.0.0.1' });
  t.after(() => slow.destroy());
  slow.on('error', () => {});
  slow.write(GET.replace('/', '/large'));
  slow.pause();
  // all that may be on its way, with the sockets' own buffers: then it stands still
  let before = -1;
  await eventually(() => {
    const still = state.sent > 0 && state.sent === before;
    before = state.sent;
    return still;
  });
  for (let i = 0; i < 20; i++) {
    const other = (await gateway.client()).send(GET);
    assert.match(await other.contains('0\r\n\r\n'), /small/);
  }
  assert.ok(state.sent < 16 * 1024 * 1024, `${state.sent} bytes`);
  assert.equal(backend.sessions.length, 1);
  const received = once(slow, 'data');
  slow.resume();
  await received;
  const stood = state.sent;
  await eventually(() => state.sent > stood + 1024 * 1024);
});

test('a backend that does not read holds up the client that sends', async (t) => {
  const backend = await startFrameBackend(t, () => {});
  const gateway = await gatewayBefore(t, [backend]);
  const client = connect({ port: gateway.port, host: '127.0.0.1' });
  t.after(() => client.destroy());
  client.on('error', () => {});
  client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n');
  const part = Buffer.alloc(100_000);
  let left = 100;
  const fill = (): void => {
    while (left-- > 0) if (!client.write(part)) return;
  };
  client.on('drain', fill);
  fill();
  // the windows of RFC 9113: 65535 bytes, and no more
  const data = (): number =>
    backend.connections[0]?.frames.reduce(
      (sum, one) => sum + (one.type === TYPE.DATA ? one.payload.length : 0),
      0,
    ) ?? 0;
  await backend.until(() => data() === 65_535);
  // turns of the gateway's event loop, in which it could read on
  const [connection] = backend.connections;
  for (let turn = 1; turn <= 300; turn++) {
    connection?.send(frame(TYPE.PING, 0, 0, Buffer.alloc(8)));
    await backend.until(() => backend.count(TYPE.PING, ACK) === turn);
  }
  // what the sockets' own buffers take
  assert.ok(left > 0, `${left} parts left`);
  assert.equal(data(), 65_535);
});
