import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../relay/gateway-in-test.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { backendPlan, plan } from '../support/plans.ts';
import {
  echo,
  named,
  UdpBackend,
  type UdpPlanChanges,
  type UdpStage,
  udpListenerPlan,
  udpPlan,
  udpServicePlan,
  udpStage,
} from './udp-stage.ts';

const silent = (): [] => [];

/** The plan of a stage on the port that it has. */
const onPort = ({ port }: UdpStage, backends: readonly number[], changes: UdpPlanChanges = {}) =>
  udpPlan(backends, { ...changes, listener: { port, ...changes.listener } });

/** A stage whose port is known beforehand, so that later plans can name it. */
async function reloadable(t: Parameters<typeof udpStage>[0], backends: readonly number[]): Promise<UdpStage> {
  const probe = await UdpBackend.start(t, echo);
  await probe.stop();
  return udpStage(t, udpPlan(backends, { listener: { port: probe.port } }));
}

test('a reload that changes nothing for them leaves sessions alone', async (t) => {
  const [a, b] = [await UdpBackend.start(t, named('a')), await UdpBackend.start(t, named('b'))];
  const stage = await reloadable(t, [a.port]);
  const client = stage.client();
  await client.ask('1');
  await stage.gateway.data.apply(onPort(stage, [a.port, b.port], { listener: { maxConnections: 1 } }));
  assert.equal(await client.ask('2'), 'a:2');
  assert.equal(a.clients.size, 1);
  assert.equal(stage.counts.opened, 1);
  stage.client().send('one too many');
  await eventually(() => stage.refused('too_many_connections') === 1);
});

test('sessions of a backend that a reload takes away end, and their clients go on with another', async (t) => {
  const [a, b] = [await UdpBackend.start(t, named('a')), await UdpBackend.start(t, named('b'))];
  const stage = await reloadable(t, [a.port]);
  const client = stage.client();
  assert.equal(await client.ask('1'), 'a:1');
  await stage.gateway.data.apply(onPort(stage, [b.port]));
  assert.deepEqual([...stage.counts.ended], [['reload', 1]]);
  assert.equal(await client.ask('2'), 'b:2');
  assert.equal(stage.counts.open, 1);
});

test('an answer that is on its way when a reload takes its backend away arrives', async (t) => {
  const clock = new ManualClock();
  const [a, b] = [await UdpBackend.start(t, silent), await UdpBackend.start(t, named('b'))];
  const stage = await udpStage(t, udpPlan([a.port]), { clock });
  const [waiting, impatient, forgotten] = [stage.client(), stage.client(), stage.client()];
  for (const client of [waiting, impatient, forgotten]) client.send('ask');
  await eventually(() => a.received.length === 3);
  const [first = 0] = a.clients;
  const before = stage.gateway.data.services[0]?.backends[0];
  await stage.gateway.data.apply({ ...udpPlan([b.port]), listeners: [{ ...udpListenerPlan(), port: 0 }] });
  assert.equal(before?.pending, 3);
  a.socket.send('late', first, '127.0.0.1');
  assert.equal(await Promise.race([waiting, impatient, forgotten].map((client) => client.text())), 'late');
  await eventually(() => before?.pending === 2);
  clock.advance(1_200);
  assert.equal(before?.pending, 0);
  assert.equal(stage.counts.open, 0);
});

test('another service of the listener takes its clients over', async (t) => {
  const [a, b] = [await UdpBackend.start(t, named('a')), await UdpBackend.start(t, named('b'))];
  const stage = await reloadable(t, [a.port]);
  const client = stage.client();
  assert.equal(await client.ask('1'), 'a:1');
  const services = [
    udpServicePlan([a.port]),
    udpServicePlan([], { name: 'other', backends: [backendPlan(b.port, { protocol: 'udp' })] }),
  ];
  const listeners = [udpListenerPlan({ port: stage.port, service: 'other' })];
  await stage.gateway.data.apply({ ...plan([], { services, routes: [] }), listeners });
  assert.equal(await client.ask('2'), 'b:2');
});

test('a listener that a reload adds serves, one that it takes away gives its port back', async (t) => {
  const backend = await UdpBackend.start(t, echo);
  const stage = await udpStage(t, udpPlan([backend.port]));
  const client = stage.client();
  await client.ask('1');
  const other = await UdpBackend.start(t, echo);
  await other.stop();
  await stage.gateway.data.apply(udpPlan([backend.port], { listener: { port: other.port } }));
  const [added] = stage.gateway.data.listeners;
  assert.equal(added?.port, other.port);
  assert.equal(added?.ownRoutes[0]?.name, `udp 127.0.0.1:${other.port}`);
  // the old port is free again once its clients have what they asked for
  await eventually(() => stage.counts.open === 0);
  const taken = await UdpBackend.start(t, echo, { port: stage.port });
  assert.equal(taken.port, stage.port);
});

test('a shorter idle timeout holds for clients that there are', async (t) => {
  const clock = new ManualClock();
  const backend = await UdpBackend.start(t, echo);
  const stage = await udpStage(t, udpPlan([backend.port]), { clock });
  await stage.client().ask('1');
  await stage.gateway.data.apply(udpPlan([backend.port], { listener: { idleTimeoutMs: 2_000 } }));
  clock.advance(2_200);
  assert.equal(stage.counts.open, 0);
});

test('a port that is taken is told of, and nothing stays open', async (t) => {
  const backend = await UdpBackend.start(t, echo);
  await assert.rejects(udpStage(t, udpPlan([backend.port], { listener: { port: backend.port } })), {
    code: 'EADDRINUSE',
  });
});

test('a drain ends clients that have their answers at once, and waits for the others', async (t) => {
  const backend = await UdpBackend.start(t, (text) => (text === 'slow' ? [] : [text]));
  const stage = await udpStage(t, udpPlan([backend.port]), { clock: new ManualClock() });
  const [done, waiting] = [stage.client(), stage.client()];
  await done.ask('1');
  waiting.send('slow');
  await eventually(() => backend.clients.size === 2);
  const slow = [...backend.clients][1] ?? 0;
  let drained = false;
  const draining = stage.gateway.data.drain(10_000).then(() => {
    drained = true;
  });
  assert.deepEqual([...stage.counts.ended], [['drain', 1]]);
  stage.client().send('too late');
  await eventually(() => stage.refused('shutting_down') === 1);
  assert.equal(drained, false);
  backend.socket.send('at last', slow, '127.0.0.1');
  assert.equal(await waiting.text(), 'at last');
  await draining;
  assert.deepEqual([...stage.counts.ended], [['drain', 2]]);
});

test('a drain waits for an answer that does not come for a second', async (t) => {
  const clock = new ManualClock();
  const backend = await UdpBackend.start(t, silent);
  const stage = await udpStage(t, udpPlan([backend.port]), { clock });
  stage.client().send('ask');
  await eventually(() => backend.received.length === 1);
  const draining = stage.gateway.data.drain(10_000);
  clock.advance(900);
  assert.equal(stage.counts.open, 1);
  clock.advance(300);
  assert.equal(stage.counts.open, 0);
  await draining;
});

test('a drained listener has given its port up', async (t) => {
  const backend = await UdpBackend.start(t, echo);
  const stage = await udpStage(t, udpPlan([backend.port]));
  await stage.client().ask('1');
  await stage.gateway.data.listeners[0]?.drain();
  const taken = await UdpBackend.start(t, echo, { port: stage.port });
  assert.equal(taken.port, stage.port);
});
