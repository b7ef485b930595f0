import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { HTTP2, nodeClient } from '../http2-clients/http2-stage.ts';
import { allQuiet, eventually } from '../relay/gateway-in-test.ts';
import { sha256 } from '../relay/pattern.ts';
import { startProxy, startTarget } from './proxy-stage.ts';

const LISTENER = { listener: { http2: HTTP2 } };

async function statusOf(stream: ClientHttp2Stream): Promise<number> {
  const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders];
  return Number(headers[':status']);
}

test('streams of one HTTP/2 connection are tunnels of their own', async (t) => {
  const target = await startTarget(t, (connection, data) => {
    if (data.endsWith('.')) connection.socket.end(`${connection.received} and back`);
  });
  const proxy = await startProxy(t, {}, {}, LISTENER);
  const session = await nodeClient(t, proxy.port);
  const connect = { ':method': 'CONNECT', ':authority': `127.0.0.1:${target.port}` };
  const streams = [1, 2, 3].map(() => session.request(connect, { endStream: false }));
  for (const [index, stream] of streams.entries()) stream.write(`early ${index}, `);
  for (const stream of streams) assert.equal(await statusOf(stream), 200);
  const [, counted] = proxy.gateway.data.counts().routes;
  assert.equal(counted?.tunnels.open, 3);
  for (const [index, stream] of streams.entries()) {
    stream.end('late.');
    assert.equal(await text(stream), `early ${index}, late. and back`);
  }
  await eventually(() => proxy.gateway.data.counts().routes[1]?.tunnels.open === 0);
  session.close();
  await allQuiet(proxy);
});

test('a stream that is reset ends its tunnel, and a target that resets its stream', async (t) => {
  const target = await startTarget(t);
  const proxy = await startProxy(t, {}, {}, LISTENER);
  const session = await nodeClient(t, proxy.port);
  const connect = { ':method': 'CONNECT', ':authority': `127.0.0.1:${target.port}` };
  const [one, other] = [1, 2].map(() => session.request(connect, { endStream: false }));
  assert.ok(one !== undefined && other !== undefined);
  for (const stream of [one, other]) {
    stream.on('error', () => {});
    assert.equal(await statusOf(stream), 200);
  }
  one.close(8);
  await target.until(({ connections }) => connections.some(({ ended, closed }) => ended || closed));
  for (const { socket } of target.connections) socket.resetAndDestroy();
  other.resume();
  await once(other, 'close');
  await eventually(() => proxy.gateway.data.counts().routes[1]?.tunnels.open === 0);
});

test('the same rules hold, and the connection goes on', async (t) => {
  const target = await startTarget(t);
  const proxy = await startProxy(t, { auth: [{ name: 'ann', sha256: sha256('ann:secret') }] }, {}, LISTENER);
  const session = await nodeClient(t, proxy.port);
  const authorization = `Basic ${Buffer.from('ann:secret').toString('base64')}`;
  const ask = async (authority: string, credentials: string): Promise<number> => {
    const fields = { ':method': 'CONNECT', ':authority': authority, 'proxy-authorization': credentials };
    const stream = session.request(fields, { endStream: false });
    stream.on('error', () => {});
    const status = await statusOf(stream);
    stream.resume();
    stream.close();
    return status;
  };
  assert.equal(await ask(`127.0.0.1:${target.port}`, 'Basic x'), 407);
  assert.equal(await ask(`127.0.0.1:${proxy.port}`, authorization), 403);
  assert.equal(await ask('127.1:443', authorization), 400);
  assert.equal(await ask(`127.0.0.1:${target.port}`, authorization), 200);
});
