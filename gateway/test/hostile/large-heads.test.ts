import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTarget } from '../forward-proxy/proxy-stage.ts';
import { FrameClient, request } from '../http2-clients/frames.ts';
import { ask, http2Gateway, nodeClient } from '../http2-clients/http2-stage.ts';
import { answer } from '../support/stage.ts';

test('a head of HTTP/2 may be as large as its listener allows, larger than what sockets read into', async (t) => {
  const backend = await startTarget(t, answer());
  const listener = { maxHeadBytes: 256 * 1024 };
  const { port } = await http2Gateway(t, [backend.port], { listener });
  const client = await nodeClient(t, port, { maxSendHeaderBlockLength: 1024 * 1024 });
  const names = Array.from({ length: 36 }, (_, index) => `x-${index}`);
  const { status } = await ask(client, Object.fromEntries(names.map((name) => [name, 'a'.repeat(5_000)])));
  assert.equal(status, 200);
  assert.match(backend.received, /x-35: a{5000}\r\n/);
});

for (const [pieces, joined] of [
  [['a=b', '', 'c=d', ''], 'a=b; c=d'],
  [['', 'a=b'], 'a=b'],
  [[''], ''],
] as const) {
  test(`a cookie may come in pieces, and some may be empty: ${JSON.stringify(pieces)}`, async (t) => {
    const backend = await startTarget(t, answer());
    const { port } = await http2Gateway(t, [backend.port]);
    const client = await FrameClient.open(t, port);
    client.headers(
      1,
      request(
        {},
        pieces.map((piece) => ['cookie', piece] as const),
      ),
    );
    await client.ended(1);
    assert.equal(client.body(1), 'ok');
    assert.ok(backend.received.includes(`cookie: ${joined}\r\n`));
  });
}
