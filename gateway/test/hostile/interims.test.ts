import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTarget } from '../forward-proxy/proxy-stage.ts';
import { ask, http2Gateway, nodeClient } from '../http2-clients/http2-stage.ts';
import { exchangeRaw } from '../support/raw-client.ts';
import { OK } from '../support/stage.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
const hints = (count: number): string => 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'.repeat(count);

test('a few interim answers are passed on, and endless ones are the end of the attempt', async (t) => {
  let few = true;
  const backend = await startTarget(t, (connection) => {
    connection.socket.write(few ? hints(50) + OK : hints(10_000), 'latin1');
  });
  const { port } = await http2Gateway(t, [backend.port]);
  const received = await exchangeRaw(port, GET);
  assert.equal(received.match(/HTTP\/1\.1 103 /g)?.length, 50);
  assert.match(received, /HTTP\/1\.1 200 /);
  few = false;
  const broken = await exchangeRaw(port, GET);
  assert.ok((broken.match(/HTTP\/1\.1 103 /g)?.length ?? 0) <= 100);
  assert.match(broken, /HTTP\/1\.1 502 /);
  const { status } = await ask(await nodeClient(t, port));
  assert.equal(status, 502);
});
