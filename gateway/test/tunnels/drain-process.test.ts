import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { type GatewayProcess, runGateway } from '../restarts/process.ts';

interface ChatStage {
  readonly gateway: GatewayProcess;
  readonly server: WebSocketServer;
  connect(): Promise<WebSocket>;
}

/** The real program before a server of the `ws` package. */
async function chat(t: TestContext, drainTimeout: string): Promise<ChatStage> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  t.after(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const gateway = runGateway(t, {
    listeners: [{ address: '127.0.0.1:0' }],
    admin: false,
    drain: { timeout: drainTimeout },
    services: { chat: { health: false, backends: [`http://127.0.0.1:${port}`] } },
    routes: [{ path: '/', service: 'chat' }],
  });
  await gateway.until(() => gateway.port > 0);
  return {
    ...{ gateway, server },
    async connect() {
      const client = new WebSocket(`ws://127.0.0.1:${gateway.port}/chat`);
      t.after(() => client.terminate());
      await once(client, 'open');
      return client;
    },
  };
}

test('SIGTERM: every chat is told to come back elsewhere, and the exit does not wait for the time there would be', async (t) => {
  const { gateway, server, connect } = await chat(t, '60s');
  const clients: WebSocket[] = [];
  for (let i = 0; i < 20; i++) clients.push(await connect());
  const atServer = [...server.clients].map(async (socket) => (await once(socket, 'close'))[0]);
  const atClients = clients.map(async (socket) => (await once(socket, 'close'))[0]);
  const begun = performance.now();
  gateway.child.kill('SIGTERM');
  assert.deepEqual(new Set(await Promise.all(atClients)), new Set([1012]));
  assert.deepEqual(new Set(await Promise.all(atServer)), new Set([1001]));
  assert.equal(await gateway.exited, 0);
  // 20 * 20 ms + 1 s; a third of the 60 s would already be far too long
  assert.ok(performance.now() - begun < 20_000);
});

test('the deadline of a drain is kept by force, against a side that reads nothing', async (t) => {
  const { gateway, server, connect } = await chat(t, '500ms');
  const client = await connect();
  client.pause();
  for (const socket of server.clients) socket.pause();
  gateway.child.kill('SIGTERM');
  assert.equal(await gateway.exited, 0);
});
