import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { allQuiet, eventually, only, startGateway } from '../relay/gateway-in-test.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { plan } from '../support/plans.ts';
import { RawBackend } from '../support/raw-backend.ts';
import { exchangeRaw } from '../support/raw-client.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const LAST_GET = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
const LAST_POST = 'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi';

/** A port on which nothing listens any more. */
async function deadPort(): Promise<number> {
  const backend = await RawBackend.start();
  const { port } = backend;
  await backend.stop();
  return port;
}

const roundRobin = { service: { balance: { kind: 'round-robin' } } } as const;

for (const [method, request] of [
  ['GET', LAST_GET],
  ['POST', LAST_POST],
] as const) {
  test(`${method}: a backend that refuses is passed over for another`, async (t) => {
    const up = await RawBackend.start(({ socket }) => socket.write(OK));
    t.after(() => up.stop());
    const gateway = await startGateway(t, plan([await deadPort(), up.port], roundRobin));
    for (let i = 0; i < 4; i++) assert.match(await exchangeRaw(gateway.port, request), /200 OK/);
    assert.ok(gateway.ended.some(({ attempts }) => attempts === 2));
    await allQuiet(gateway);
  });
}

test('an upload in its middle goes on at the backend that accepts', async (t) => {
  const body = 'x'.repeat(300_000);
  const up = await RawBackend.start(({ socket, received }) => {
    if (received.endsWith(body)) socket.write(OK);
  });
  t.after(() => up.stop());
  const gateway = await startGateway(t, plan([await deadPort(), await deadPort(), up.port], roundRobin));
  for (let i = 0; i < 3; i++) {
    const request = `POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    assert.match(await exchangeRaw(gateway.port, request), /200 OK/);
  }
});

test('where all refuse the client is told 502', async (t) => {
  const gateway = await startGateway(t, plan([await deadPort(), await deadPort(), await deadPort()]));
  assert.match(await exchangeRaw(gateway.port, LAST_GET), /^HTTP\/1\.1 502 [\s\S]*"code":"connect_refused"/);
  assert.equal(gateway.ended[0]?.attempts, 3);
  await allQuiet(gateway);
});

test('a backend that comes back is used again', async (t) => {
  const port = await deadPort();
  const gateway = await startGateway(t, plan([port]));
  assert.match(await exchangeRaw(gateway.port, LAST_GET), /502/);
  const back = await RawBackend.start(({ socket }) => socket.write(OK), port);
  t.after(() => back.stop());
  assert.match(await exchangeRaw(gateway.port, LAST_GET), /200 OK/);
});

const NEVER_ACCEPTS = `
  const server = require('node:net').createServer();
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => process.stdout.write(String(server.address().port)));
`;

/** A port whose queue of connections to accept is full and stays so: what is sent to it gets no answer. */
async function deafPort(t: TestContext): Promise<number> {
  const child = spawn(process.execPath, ['-e', NEVER_ACCEPTS], { stdio: ['ignore', 'pipe', 'inherit'] });
  const sockets: Socket[] = [];
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    child.kill('SIGKILL');
  });
  const [text] = (await once(child.stdout, 'data')) as [Buffer];
  const port = Number(text.toString());
  child.kill('SIGSTOP');
  for (let accepted = true; accepted; ) {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    sockets.push(socket);
    // on loopback a connection is there within microseconds or not at all
    accepted = await Promise.race([once(socket, 'connect').then(() => true), delay(200).then(() => false)]);
  }
  return port;
}

test('a connect that gets no answer in time is passed over for another backend, or 504', async (t) => {
  const clock = new ManualClock();
  const deaf = await deafPort(t);
  const up = await RawBackend.start(({ socket }) => socket.write(OK));
  t.after(() => up.stop());
  const gateway = await startGateway(t, plan([deaf]), { clock });
  const waiting = exchangeRaw(gateway.port, LAST_GET);
  await eventually(() => only(gateway).agent.stats.connecting === 1);
  clock.advance(1_900);
  assert.equal(gateway.ended.length, 0);
  clock.advance(300);
  assert.match(await waiting, /^HTTP\/1\.1 504 [\s\S]*"code":"connect_timeout"/);
  await allQuiet(gateway);

  const pair = await startGateway(t, plan([deaf, up.port], roundRobin), { clock });
  const both = [exchangeRaw(pair.port, LAST_POST), exchangeRaw(pair.port, LAST_POST)];
  await eventually(() => pair.ended.length === 1);
  clock.advance(2_200);
  for (const text of await Promise.all(both)) assert.match(text, /200 OK/);
  await allQuiet(pair);
});
