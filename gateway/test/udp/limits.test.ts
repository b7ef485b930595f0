import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { eventually } from '../relay/gateway-in-test.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { echo, UdpBackend, UdpClient, udpPlan, udpStage } from './udp-stage.ts';

const openFiles = (): number => readdirSync('/proc/self/fd').length;

test('a client is forgotten when neither side has said anything for the idle timeout', async (t) => {
  const clock = new ManualClock();
  const backend = await UdpBackend.start(t, echo);
  const stage = await udpStage(t, udpPlan([backend.port], { listener: { idleTimeoutMs: 10_000 } }), {
    clock,
  });
  const [busy, quiet] = [stage.client(), stage.client()];
  await busy.ask('1');
  await quiet.ask('1');
  clock.advance(9_000);
  await busy.ask('2');
  assert.equal(stage.counts.open, 2);
  clock.advance(2_000);
  assert.equal(stage.counts.open, 1);
  assert.deepEqual([...stage.counts.ended], [['idle', 1]]);
  assert.equal(stage.gateway.data.services[0]?.backends[0]?.pending, 1);
  // it may come back, as a new one
  assert.equal(await quiet.ask('3'), '3');
  assert.equal(stage.counts.opened, 3);
  clock.advance(11_000);
  assert.equal(stage.counts.open, 0);
  assert.equal(stage.gateway.data.listeners[0]?.connections, 0);
});

test('what the backend sends keeps a client, too', async (t) => {
  const clock = new ManualClock();
  let push = (): void => {};
  const backend = await UdpBackend.start(t, echo);
  backend.socket.once('message', (_bytes, { address, port }) => {
    push = () => backend.socket.send('news', port, address);
  });
  const stage = await udpStage(t, udpPlan([backend.port], { listener: { idleTimeoutMs: 10_000 } }), {
    clock,
  });
  const client = stage.client();
  await client.ask('subscribe');
  for (let i = 0; i < 3; i++) {
    clock.advance(8_000);
    push();
    assert.equal(await client.text(), 'news');
  }
  clock.advance(11_000);
  assert.equal(stage.counts.open, 0);
});

test('1 000 clients leave no descriptor behind', async (t) => {
  const clock = new ManualClock();
  const backend = await UdpBackend.start(t, echo);
  const listener = { idleTimeoutMs: 10_000, maxConnections: 1_000 };
  const stage = await udpStage(t, udpPlan([backend.port], { listener }), { clock });
  const before = openFiles();
  const clients = Array.from({ length: 1_000 }, () => new UdpClient(t, stage.port));
  // so many at once would be more than the socket of a test's backend holds
  for (const [index, client] of clients.entries()) assert.equal(await client.ask(`${index}`), `${index}`);
  assert.equal(stage.counts.open, 1_000);
  assert.ok(openFiles() >= before + 2_000);
  for (const client of clients) client.close();
  clock.advance(11_000);
  assert.equal(stage.counts.open, 0);
  await eventually(() => openFiles() <= before);
});

test('more clients than are allowed get nothing, and are counted', async (t) => {
  const backend = await UdpBackend.start(t, echo);
  const stage = await udpStage(t, udpPlan([backend.port], { listener: { maxConnections: 2 } }));
  const [first, second, third] = [stage.client(), stage.client(), stage.client()];
  await first.ask('1');
  await second.ask('2');
  third.send('3');
  await eventually(() => stage.refused('too_many_connections') === 1);
  assert.equal(await first.ask('still here'), 'still here');
  assert.deepEqual(backend.received, ['1', '2', 'still here']);
});

test('a backend may answer as often as it likes, where that is not limited', async (t) => {
  const backend = await UdpBackend.start(t, () => ['1', '2', '3', '4', '5']);
  const stage = await udpStage(t, udpPlan([backend.port]));
  const client = stage.client();
  client.send('tell');
  for (const expected of ['1', '2', '3', '4', '5']) assert.equal(await client.text(), expected);
});

test('of more answers than are allowed for each datagram the client gets none', async (t) => {
  const backend = await UdpBackend.start(t, (text) => [`${text}1`, `${text}2`, `${text}3`]);
  const stage = await udpStage(t, udpPlan([backend.port], { listener: { maxAnswers: 2 } }));
  const client = stage.client();
  for (const text of ['a', 'b']) {
    assert.equal(await client.ask(text), `${text}1`);
    assert.equal(await client.text(), `${text}2`);
    await eventually(() => stage.refused('too_many_answers') === (text === 'a' ? 1 : 2));
  }
});

test('only the backend of a session can answer it', async (t) => {
  const backend = await UdpBackend.start(t, () => []);
  const stage = await udpStage(t, udpPlan([backend.port]));
  const client = stage.client();
  client.send('ask');
  await eventually(() => backend.clients.size === 1);
  const [gatewayPort = 0] = backend.clients;
  const stranger = new UdpClient(t, gatewayPort);
  await new Promise((sent) => stranger.socket.send('forged', gatewayPort, '127.0.0.1', sent));
  backend.socket.send('true', gatewayPort, '127.0.0.1');
  assert.equal(await client.text(), 'true');
  assert.equal(stage.counts.bytesOut, 'true'.length);
});

test('an answer is never sent to a backend, which might answer it for ever', async (t) => {
  const backend = await UdpBackend.start(t, echo);
  const stage = await udpStage(t, udpPlan([backend.port]));
  backend.socket.send('spark', stage.port, '127.0.0.1');
  await eventually(() => stage.refused('bad_source') === 1);
  assert.equal(await stage.client().ask('x'), 'x');
  assert.deepEqual(backend.received, ['x']);
});
