import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTarget } from '../forward-proxy/proxy-stage.ts';
import { END_HEADERS, type Fields, FrameClient } from '../http2-clients/frames.ts';
import { http2Gateway } from '../http2-clients/http2-stage.ts';
import { RawClient } from '../support/raw-client.ts';
import { answer, OK } from '../support/stage.ts';

const REQUEST = 'GET /next HTTP/1.1\r\nHost: a\r\n\r\n';

function webSocket(...more: Fields): Fields {
  return [
    ...Object.entries({
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':scheme': 'http',
      ':path': '/chat',
    }),
    [':authority', 'a.example'],
    ['sec-websocket-version', '13'],
    ...more,
  ];
}

test('the length of a body that a WebSocket cannot have is refused, and never takes the next request for it', async (t) => {
  const backend = await startTarget(t, answer());
  const { port } = await http2Gateway(t, [backend.port]);
  const attacker = await FrameClient.open(t, port);
  attacker.headers(1, webSocket(['content-length', `${REQUEST.length}`]), END_HEADERS);
  await attacker.ended(1);
  assert.match(attacker.body(1), /"status":400\b/);
  const other = await RawClient.open(port);
  await other.send(REQUEST).contains('\r\n\r\nok');
  other.socket.destroy();
  assert.doesNotMatch(backend.received, /content-length|\/chat/i);
});

for (const [what, text] of [
  ['200', OK],
  ['204', 'HTTP/1.1 204 No Content\r\n\r\n'],
  ['200 without end', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n\x81\x00\r\n'],
] as const) {
  test(`a backend that answers a WebSocket with ${what} has not opened it, and the client is not told so`, async (t) => {
    const backend = await startTarget(t, answer(text));
    const started = await http2Gateway(t, [backend.port]);
    const client = await FrameClient.open(t, started.port);
    client.headers(1, webSocket(), END_HEADERS);
    client.data(1, REQUEST);
    await client.ended(1);
    assert.match(client.body(1), /does not take upgraded connections","status":502\b/);
    // it is no fault of the backend's, or anybody could have it ejected
    assert.equal(started.ended[0]?.failure, 'no_upgrade');
    assert.equal(backend.connections.length, 1);
    assert.doesNotMatch(backend.received, /next/);
  });
}

test('to a client of HTTP/1.1 the same answer says no by itself', async (t) => {
  const backend = await startTarget(t, answer());
  const { port } = await http2Gateway(t, [backend.port]);
  const client = await RawClient.open(port);
  client.send('GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  // what follows a refused Upgrade is a request, and the gateway's to read
  await client.send(`${REQUEST}GARBAGE\r\n\r\n`).end();
  assert.equal(client.received.match(/HTTP\/1\.1 200 /g)?.length, 2);
  assert.match(client.received, /HTTP\/1\.1 400 /);
  assert.doesNotMatch(backend.received, /GARBAGE/);
});
