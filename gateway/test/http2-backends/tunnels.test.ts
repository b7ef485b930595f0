import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ServerHttp2Stream } from 'node:http2';
import { test } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { extendedConnect, nodeClient } from '../http2-clients/http2-stage.ts';
import { allQuiet, eventually, only } from '../relay/gateway-in-test.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { EJECTION } from '../support/plans.ts';
import { say, startH2Backend } from './h2-backend.ts';
import { GET, gatewayBefore } from './h2-stage.ts';

/** Text frames: of a client, masked with zeros, and of a server. */
const PING = Buffer.from('\x81\x84\0\0\0\0ping', 'latin1');
const PONG = Buffer.from('\x81\x04pong', 'latin1');
const ALLOWED = { settings: { enableConnectProtocol: true } };

/** What the `ws` package makes of a stream that it is given as a socket. */
function accept(sockets: WebSocketServer, stream: ServerHttp2Stream): void {
  const socket = Object.assign(stream, { setTimeout: () => stream, setNoDelay: () => stream });
  stream.respond({ ':status': 200, 'sec-websocket-protocol': 'chat' });
  const connection = new (
    WebSocket as unknown as new (
      ...args: unknown[]
    ) => WebSocket & { setSocket(socket: unknown, head: Buffer, options: object): void }
  )(null, undefined, {});
  Object.assign(connection, { _isServer: true });
  connection.setSocket(socket, Buffer.alloc(0), {
    allowSynchronousEvents: true,
    maxPayload: 1024 * 1024,
    skipUTF8Validation: false,
  });
  sockets.emit('connection', connection);
}

test('a WebSocket goes to a backend of HTTP/2 as extended CONNECT, and each side may end it', async (t) => {
  const sockets = new WebSocketServer({ noServer: true });
  sockets.on('connection', (socket) => {
    socket.on('message', (message, binary) => socket.send(message, { binary }));
  });
  let asked: Record<string, unknown> = {};
  const backend = await startH2Backend(
    t,
    (stream, headers) => {
      asked = { ...headers };
      accept(sockets, stream);
    },
    ALLOWED,
  );
  const gateway = await gatewayBefore(t, [backend]);
  const client = new WebSocket(`ws://127.0.0.1:${gateway.port}/room?x=1`, ['chat']);
  t.after(() => client.terminate());
  await once(client, 'open');
  assert.equal(client.protocol, 'chat');
  assert.equal(asked[':method'], 'CONNECT');
  assert.equal(asked[':protocol'], 'websocket');
  assert.equal(asked[':path'], '/room?x=1');
  assert.equal(asked['sec-websocket-key'], undefined);
  assert.equal(asked['sec-websocket-version'], '13');
  const large = 'x'.repeat(300_000);
  for (const message of ['hello', large]) {
    client.send(message);
    const [answer] = await once(client, 'message');
    assert.equal(String(answer), message);
  }
  client.close(1000);
  const [code] = await once(client, 'close');
  assert.equal(code, 1000);
  await allQuiet(gateway);
  assert.equal(gateway.gateway.data.routes[0]?.tunnels.open, 0);
  assert.equal(backend.sessions.length, 1);
});

test('from an HTTP/2 client to an HTTP/2 backend bytes go both ways, and resets too', async (t) => {
  const streams: ServerHttp2Stream[] = [];
  const backend = await startH2Backend(
    t,
    (stream) => {
      streams.push(stream);
      stream.respond({ ':status': 200 });
      stream.on('data', () => stream.write(PONG));
      stream.on('end', () => stream.end());
    },
    ALLOWED,
  );
  const gateway = await gatewayBefore(t, [backend]);
  const session = await nodeClient(t, gateway.port);
  const open = async () => {
    const stream = extendedConnect(session);
    stream.on('error', () => {});
    const [headers] = await once(stream, 'response');
    assert.equal(headers[':status'], 200);
    return stream;
  };
  const first = await open();
  first.write(PING);
  assert.deepEqual((await once(first, 'data'))[0], PONG);
  // END_STREAM goes through, and comes back
  first.end();
  await once(first, 'close');
  const second = await open();
  second.close(8);
  await eventually(() => streams[1]?.closed === true);
  const third = await open();
  streams[2]?.close(2);
  await once(third, 'close');
  session.close();
  await allQuiet(gateway);
});

test('a backend that takes no WebSockets over HTTP/2 is no reason to eject it', async (t) => {
  const backend = await startH2Backend(t, (stream) => say(stream, 'x'));
  const gateway = await gatewayBefore(t, [backend], { ejection: { ...EJECTION, consecutiveFailures: 1 } });
  const client = await gateway.client();
  client.send(
    'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
  );
  assert.match(await client.contains('"no_upgrade"'), /^HTTP\/1\.1 502 /);
  assert.equal(backend.requests, 0);
  assert.equal(only(gateway).pending, 0);
  assert.equal(only(gateway).eligibility.ejection?.active, false);
});

test('a refused upgrade is answered as the backend answers it', async (t) => {
  const backend = await startH2Backend(t, (stream) => say(stream, 'not you', 403), ALLOWED);
  const gateway = await gatewayBefore(t, [backend]);
  const client = await gateway.client();
  client.send(
    'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
  );
  assert.match(await client.contains('not you'), /^HTTP\/1\.1 403 /);
});

test('a stream of events comes as it is sent, and may be silent for as long as its route lets it', async (t) => {
  const clock = new ManualClock();
  let events: ServerHttp2Stream | undefined;
  const backend = await startH2Backend(t, (stream) => {
    events = stream;
    stream.respond({ ':status': 200, 'content-type': 'text/event-stream' });
    stream.write('data: 1\n\n');
  });
  const timeouts = { connectMs: 2_000, headMs: 3_000, idleMs: 4_000, totalMs: 5_000, eventStreamMs: 50_000 };
  const gateway = await gatewayBefore(t, [backend], { timeouts }, { clock });
  const client = (await gateway.client()).send(GET);
  await client.contains('data: 1\n\n');
  clock.advance(9_000);
  events?.write('data: 2\n\n');
  await client.contains('data: 2\n\n');
  events?.end();
  assert.match(await client.contains('\r\n0\r\n\r\n'), /data: 1\n\n\r\n9\r\ndata: 2\n\n\r\n0\r\n\r\n$/);
});
