import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type PerMessageDeflateOptions, type RawData, WebSocket, WebSocketServer } from 'ws';
import type { RoutePlan } from '../../src/data/plan.ts';
import { eventually, type GatewayInTest, startGateway } from '../relay/gateway-in-test.ts';
import { plan } from '../support/plans.ts';

interface WsStage {
  readonly gateway: GatewayInTest;
  readonly server: WebSocketServer;
  readonly url: string;
  /** An open client, and its socket at the server. */
  connect(protocols?: readonly string[]): Promise<readonly [WebSocket, WebSocket]>;
}

const DEFLATE: PerMessageDeflateOptions = { threshold: 0 };

async function wsStage(t: TestContext, route: Partial<RoutePlan> = {}): Promise<WsStage> {
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    perMessageDeflate: DEFLATE,
    handleProtocols: (offered) => [...offered].at(-1) ?? false,
  });
  await once(server, 'listening');
  const gateway = await startGateway(t, plan([(server.address() as AddressInfo).port], { route }));
  t.after(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  const url = `ws://127.0.0.1:${gateway.port}/chat`;
  return {
    ...{ gateway, server, url },
    async connect(protocols = []) {
      const client = new WebSocket(url, [...protocols], { perMessageDeflate: DEFLATE });
      t.after(() => client.terminate());
      const [[peer]] = (await Promise.all([once(server, 'connection'), once(client, 'open')])) as [
        [WebSocket],
        unknown,
      ];
      return [client, peer];
    },
  };
}

const echo = (peer: WebSocket): void =>
  void peer.on('message', (data: RawData, isBinary: boolean) => peer.send(data, { binary: isBinary }));

test('ws speaks through the gateway with permessage-deflate and a subprotocol, in every size', async (t) => {
  const { connect, gateway } = await wsStage(t);
  const [client, peer] = await connect(['v1.chat', 'v2.chat']);
  echo(peer);
  assert.equal(client.protocol, 'v2.chat');
  assert.match(client.extensions, /^permessage-deflate/);
  for (const length of [0, 1, 125, 126, 127, 65_535, 65_536, 1_000_000]) {
    const sent = Buffer.alloc(length, 'portway ');
    client.send(sent);
    const [received] = (await once(client, 'message')) as [Buffer];
    assert.equal(received.equals(sent), true, `${length} bytes`);
  }
  client.send('gr\u00fc\u00dfe');
  assert.equal(String((await once(client, 'message'))[0]), 'gr\u00fc\u00dfe');
  client.ping('are you there');
  assert.equal(String((await once(client, 'pong'))[0]), 'are you there');
  client.close(4001, 'enough');
  const [code, reason] = (await once(peer, 'close')) as [number, Buffer];
  assert.deepEqual([code, String(reason)], [4001, 'enough']);
  const [route] = gateway.gateway.data.routes;
  await eventually(() => route?.tunnels.ended.get('client') === 1);
});

test('fifty WebSockets at once, each with its own messages in order', async (t) => {
  const { url, server } = await wsStage(t);
  server.on('connection', echo);
  const run = async (id: number): Promise<void> => {
    const client = new WebSocket(url, { perMessageDeflate: false });
    t.after(() => client.terminate());
    await once(client, 'open');
    const received: string[] = [];
    const sent = Array.from({ length: 50 }, (_, index) => `${id} ${index} ${'.'.repeat((index * 37) % 300)}`);
    const all = new Promise<void>((resolve) => {
      client.on('message', (data: RawData) => {
        received.push(String(data));
        if (received.length === sent.length) resolve();
      });
    });
    for (const text of sent) client.send(text);
    await all;
    assert.deepEqual(received, sent);
    client.close();
    await once(client, 'close');
  };
  await Promise.all(Array.from({ length: 50 }, (_, id) => run(id)));
});

test('what is not read holds up who sends it, and is not lost', async (t) => {
  const { connect } = await wsStage(t);
  const [client, peer] = await connect();
  let bytes = 0;
  let messages = 0;
  peer.on('message', (data: Buffer) => {
    bytes += data.length;
    messages += 1;
  });
  peer.pause();
  const message = Buffer.alloc(256 * 1024, Math.random().toString(36));
  for (let i = 0; i < 64; i++) client.send(message, { compress: false });
  // the gateway and the kernel hold some of it, but not all
  await eventually(() => client.bufferedAmount > 0 && client.bufferedAmount < 64 * message.length);
  peer.resume();
  await eventually(() => messages === 64);
  assert.equal(bytes, 64 * message.length);
});

test('ws on either end understands how the gateway ends a WebSocket: 1012 to clients, 1001 to backends', async (t) => {
  const { connect, gateway } = await wsStage(t);
  const [client, peer] = await connect();
  const closed = Promise.all([once(client, 'close'), once(peer, 'close')]);
  await gateway.gateway.data.drain(20_000);
  const [[toClient], [toServer]] = (await closed) as [[number], [number]];
  assert.deepEqual([toClient, toServer], [1012, 1001]);
});

test('ws answers the Pings of the gateway, and takes the answers of the other end for nothing', async (t) => {
  const { connect, gateway } = await wsStage(t, {
    webSocket: { maxConnections: 10, idleMs: 60_000, pingMs: 100 },
  });
  const [client, peer] = await connect();
  let pings = 0;
  for (const socket of [client, peer]) socket.on('ping', () => (pings += 1));
  await eventually(() => pings >= 6);
  assert.equal(client.readyState, WebSocket.OPEN);
  echo(peer);
  client.send('still here');
  assert.equal(String((await once(client, 'message'))[0]), 'still here');
  assert.equal(gateway.gateway.data.routes[0]?.tunnels.open, 1);
});
