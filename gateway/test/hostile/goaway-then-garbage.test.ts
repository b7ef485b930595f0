import { test } from 'node:test';
import { startTarget } from '../forward-proxy/proxy-stage.ts';
import { startFrameBackend } from '../http2-backends/frame-backend.ts';
import { GET, gatewayBefore } from '../http2-backends/h2-stage.ts';
import {
  END_HEADERS,
  END_STREAM,
  FrameClient,
  frame,
  hpack,
  request,
  TYPE,
  uint32,
} from '../http2-clients/frames.ts';
import { http2Gateway } from '../http2-clients/http2-stage.ts';
import { eventually, only } from '../relay/gateway-in-test.ts';

const GOAWAY = frame(TYPE.GOAWAY, 0, 0, uint32(0, 0));
const GARBAGE: Readonly<Record<string, Buffer>> = {
  nothing: Buffer.alloc(0),
  'a frame that is too large': Buffer.from([0xff, 0xff, 0xff, TYPE.DATA, 0, 0, 0, 0, 1]),
  'fields that are no HPACK': frame(TYPE.HEADERS, END_HEADERS | END_STREAM, 3, Buffer.alloc(6, 0xff)),
  'data of no stream': frame(TYPE.DATA, 0, 9, Buffer.from('x')),
  'PING on a stream': frame(TYPE.PING, 0, 1, Buffer.alloc(8)),
};

for (const [what, bytes] of Object.entries(GARBAGE)) {
  test(`a client that says GOAWAY and then ${what} holds nothing once it is gone`, async (t) => {
    // it never answers
    const backend = await startTarget(t);
    const started = await http2Gateway(t, [backend.port]);
    const client = await FrameClient.open(t, started.port);
    await client.ping();
    const asked = frame(TYPE.HEADERS, END_HEADERS | END_STREAM, 1, hpack(request()));
    client.send(Buffer.concat([asked, GOAWAY, bytes]));
    if (bytes.length === 0) await backend.until(({ received }) => received.includes('\r\n\r\n'));
    else await client.goaway();
    client.socket.destroy();
    await eventually(() => started.gateway.data.listeners[0]?.connections === 0);
    await eventually(() => only(started).agent.stats.active === 0);
  });

  test(`a backend that says GOAWAY and then ${what} holds nothing once it is gone`, async (t) => {
    const backend = await startFrameBackend(t, (connection) => {
      connection.send(Buffer.concat([frame(TYPE.GOAWAY, 0, 0, uint32(1, 0)), bytes]));
      setImmediate(() => connection.socket.destroy());
    });
    const started = await gatewayBefore(t, [backend], { retry: undefined });
    const client = await started.client();
    await client.send(GET).contains('HTTP/1.1 502 ');
    const { agent } = only(started);
    await eventually(() => agent.stats.active + agent.stats.idle + agent.stats.connecting === 0);
  });
}
