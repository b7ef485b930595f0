import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { ClientHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { webSocketAccept } from '../../src/data/http2/web-socket-key.ts';
import { allQuiet, eventually } from '../relay/gateway-in-test.ts';
import { RawBackend } from '../support/raw-backend.ts';
import { answerOf, extendedConnect, http2Gateway, nodeClient } from './http2-stage.ts';

interface Chat {
  readonly port: number;
  readonly requests: IncomingMessage[];
}

/** A real WebSocket server that says everything back. */
async function echoServer(t: TestContext): Promise<Chat> {
  const requests: IncomingMessage[] = [];
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'chat' });
  server.on('connection', (socket, request) => {
    requests.push(request);
    socket.on('error', () => {});
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  await once(server, 'listening');
  t.after(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, requests };
}

/** What a WebSocket of `ws` is made of once its handshake is over. */
interface Inside {
  _isServer: boolean;
  setSocket(duplex: ClientHttp2Stream, head: Buffer, options: unknown): void;
}

/** The `ws` package's own client, over a stream. */
function webSocketOver(stream: ClientHttp2Stream): WebSocket {
  const socket = new WebSocket(null as unknown as string, undefined, { closeTimeout: 30_000 } as object);
  const options = { maxPayload: 100_000_000, skipUTF8Validation: false, allowSynchronousEvents: true };
  const inside = socket as unknown as Inside;
  inside._isServer = false;
  inside.setSocket(stream, Buffer.alloc(0), options);
  return socket;
}

test('extended CONNECT becomes a WebSocket to the backend, and messages go both ways', async (t) => {
  const chat = await echoServer(t);
  const gateway = await http2Gateway(t, [chat.port]);
  const session = await nodeClient(t, gateway.port);
  assert.equal(session.remoteSettings.enableConnectProtocol, true);
  const stream = extendedConnect(session, { 'sec-websocket-protocol': 'chat', origin: 'http://a.example' });
  const [headers] = await once(stream, 'response');
  assert.equal(headers[':status'], 200);
  assert.equal(headers['sec-websocket-protocol'], 'chat');
  for (const name of ['sec-websocket-accept', 'connection', 'upgrade'])
    assert.equal(headers[name], undefined);
  const [request] = chat.requests;
  assert.equal(request?.headers.origin, 'http://a.example');
  assert.match(request?.headers['sec-websocket-key'] ?? '', /^[A-Za-z0-9+/]{22}==$/);
  const socket = webSocketOver(stream);
  for (const size of [5, 1_000, 300_000]) {
    const message = 'm'.repeat(size);
    socket.send(message);
    const [data] = await once(socket, 'message');
    assert.equal(String(data), message);
  }
  socket.close(1000, 'bye');
  const [code, reason] = await once(socket, 'close');
  assert.equal(code, 1000);
  assert.equal(String(reason), 'bye');
  session.close();
  await allQuiet(gateway);
  const [route] = gateway.gateway.data.routes;
  assert.equal(route?.tunnels.opened, 1);
  assert.equal(route?.tunnels.open, 0);
});

test('a refused upgrade is the answer of the backend', async (t) => {
  const backend = await RawBackend.answering(
    'HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\nX-Why: rude\r\n\r\nno!',
  );
  t.after(() => backend.stop());
  const gateway = await http2Gateway(t, [backend.port]);
  const session = await nodeClient(t, gateway.port);
  const answer = await answerOf(extendedConnect(session));
  assert.equal(answer.status, 403);
  assert.equal(answer.headers['x-why'], 'rude');
  assert.equal(answer.body.toString(), 'no!');
  session.close();
  await allQuiet(gateway);
});

test('a 101 that does not answer our handshake is a bad gateway', async (t) => {
  const backend = await RawBackend.answering(
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n',
  );
  t.after(() => backend.stop());
  const gateway = await http2Gateway(t, [backend.port]);
  const session = await nodeClient(t, gateway.port);
  const answer = await answerOf(extendedConnect(session));
  assert.equal(answer.status, 502);
  assert.match(answer.body.toString(), /bad_upgrade/);
  session.close();
  await allQuiet(gateway);
});

for (const [what, leave] of [
  ['a client that resets its stream', (stream: ClientHttp2Stream) => stream.close(8)],
  ['a client whose connection ends', (stream: ClientHttp2Stream) => stream.session?.destroy()],
] as const) {
  test(`${what} ends its tunnel, and the backend hears of it`, async (t) => {
    const chat = await echoServer(t);
    const gateway = await http2Gateway(t, [chat.port]);
    const session = await nodeClient(t, gateway.port);
    const stream = extendedConnect(session);
    stream.on('error', () => {});
    await once(stream, 'response');
    const backendSide = chat.requests[0]?.socket;
    assert.ok(backendSide !== undefined);
    leave(stream);
    if (!backendSide.destroyed) await once(backendSide, 'close');
    await eventually(() => gateway.gateway.data.routes[0]?.tunnels.open === 0);
    session.destroy();
    await allQuiet(gateway);
  });
}

test('a backend that ends its half ends the stream, and what it sent before arrives', async (t) => {
  let key = '';
  const backend = await RawBackend.start((connection, data) => {
    key = /sec-websocket-key: (.+)\r\n/i.exec(data)?.[1] ?? key;
    if (!connection.received.endsWith('\r\n\r\n')) return;
    connection.socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${webSocketAccept(key)}\r\n\r\n`,
    );
    // one binary frame
    const head = Buffer.from([0x82, 127, 0, 0, 0, 0, 0, 0, 0, 0]);
    head.writeUInt32BE(500_000, 6);
    connection.socket.end(Buffer.concat([head, Buffer.alloc(500_000, 'x')]));
  });
  t.after(() => backend.stop());
  const gateway = await http2Gateway(t, [backend.port]);
  const session = await nodeClient(t, gateway.port);
  const stream = extendedConnect(session);
  let received = 0;
  stream.on('data', (bytes: Buffer) => {
    received += bytes.length;
  });
  await once(stream, 'end');
  assert.equal(received, 500_010);
  stream.end();
  await once(stream, 'close');
  session.close();
  await allQuiet(gateway);
});

test('a reader that stops makes the other side of the tunnel wait, and loses nothing', async (t) => {
  const chat = await echoServer(t);
  const gateway = await http2Gateway(t, [chat.port]);
  const session = await nodeClient(t, gateway.port);
  const stream = extendedConnect(session);
  await once(stream, 'response');
  const socket = webSocketOver(stream);
  const message = Buffer.alloc(200_000, 'z');
  let back = 0;
  socket.on('message', (data: Buffer) => {
    back += data.length;
  });
  socket.pause();
  for (let i = 0; i < 40; i++) socket.send(message);
  await eventually(() => socket.bufferedAmount > 0);
  socket.resume();
  await eventually(() => back === 40 * message.length);
  socket.terminate();
});
