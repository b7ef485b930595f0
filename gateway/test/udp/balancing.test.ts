import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../relay/gateway-in-test.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { EJECTION, TCP_HEALTH } from '../support/plans.ts';
import { echo, named, UdpBackend, type UdpStage, udpPlan, udpStage } from './udp-stage.ts';

const nameOf = (answer: string): string => answer.split(':')[0] ?? '';

async function twoNamed(
  t: Parameters<typeof UdpBackend.start>[0],
): Promise<readonly [UdpBackend, UdpBackend]> {
  return [await UdpBackend.start(t, named('a')), await UdpBackend.start(t, named('b'))];
}

const portsOf = (backends: readonly UdpBackend[]): number[] => backends.map(({ port }) => port);

const backendAt = (stage: UdpStage, { port }: { readonly port: number }) => {
  const backend = stage.gateway.data.services[0]?.find(`127.0.0.1:${port}`);
  assert.ok(backend !== undefined);
  return backend;
};

test('clients are spread over backends, and each stays with its own', async (t) => {
  const backends = await twoNamed(t);
  const stage = await udpStage(t, udpPlan(portsOf(backends)));
  const clients = Array.from({ length: 6 }, () => stage.client());
  const seen: string[] = [];
  for (const client of clients) {
    const first = nameOf(await client.ask('1'));
    seen.push(first);
    for (const turn of ['2', '3']) assert.equal(nameOf(await client.ask(turn)), first);
  }
  assert.deepEqual(seen.toSorted(), ['a', 'a', 'a', 'b', 'b', 'b']);
  for (const each of backends) assert.equal(backendAt(stage, each).pending, 3);
});

test('by hash of the address, the ports of one client all have the same backend', async (t) => {
  const backends = [...(await twoNamed(t)), await UdpBackend.start(t, named('c'))];
  const balance = { kind: 'hash', key: { from: 'clientIp' }, balanceFactor: undefined } as const;
  const stage = await udpStage(t, udpPlan(portsOf(backends), { service: { balance } }));
  const seen = new Set<string>();
  for (let i = 0; i < 6; i++) seen.add(nameOf(await stage.client().ask('who')));
  assert.equal(seen.size, 1);
});

test('what a dead backend refuses goes to another at once, and is not sent there twice', async (t) => {
  const [dead, alive] = await twoNamed(t);
  const stage = await udpStage(t, udpPlan(portsOf([dead, alive]), { service: { ejection: EJECTION } }));
  await dead.stop();
  for (let i = 0; i < 4; i++) assert.equal(await stage.client().ask(`${i}`), `b:${i}`);
  assert.deepEqual(alive.received, ['0', '1', '2', '3']);
  const { counters, eligibility, pending } = backendAt(stage, dead);
  assert.equal(counters.byKind.get('connect_refused 0'), 1);
  assert.equal(eligibility.ejection?.active, true);
  assert.equal(pending, 0);
});

test('an established client moves on when its backend dies', async (t) => {
  const backends = await twoNamed(t);
  const stage = await udpStage(t, udpPlan(portsOf(backends)));
  const client = stage.client();
  const first = nameOf(await client.ask('1'));
  const [its, other] = first === 'a' ? backends : [backends[1], backends[0]];
  await its.stop();
  assert.equal(await client.ask('2'), `${first === 'a' ? 'b' : 'a'}:2`);
  assert.equal(backendAt(stage, its).pending, 0);
  assert.equal(backendAt(stage, other).pending, 1);
  assert.equal(stage.counts.opened, 1);
});

test('a burst that a dead backend refuses arrives at another whole', async (t) => {
  const [dead, alive] = await twoNamed(t);
  const stage = await udpStage(t, udpPlan(portsOf([dead, alive]), { service: { ejection: EJECTION } }));
  await dead.stop();
  for (const client of [stage.client(), stage.client()]) {
    for (const text of ['1', '2', '3']) client.send(text);
    const answers = [await client.text(), await client.text(), await client.text()];
    assert.deepEqual(answers.toSorted(), ['b:1', 'b:2', 'b:3']);
  }
});

test('where no backend is left datagrams are dropped and counted, until one is back', async (t) => {
  const [dead] = await twoNamed(t);
  const stage = await udpStage(t, udpPlan([dead.port]));
  await dead.stop();
  const client = stage.client();
  client.send('lost');
  await eventually(() => stage.refused('no_backend') === 1);
  await UdpBackend.start(t, named('back'), { port: dead.port });
  assert.equal(await client.ask('again'), 'back:again');
});

test('sessions of a backend that an operator drains stay there, new ones do not come', async (t) => {
  const backends = await twoNamed(t);
  const stage = await udpStage(t, udpPlan(portsOf(backends)));
  const client = stage.client();
  const first = nameOf(await client.ask('1'));
  const its = first === 'a' ? backends[0] : backends[1];
  stage.gateway.data.setAdmin({ service: 'dns', backend: `127.0.0.1:${its.port}` }, 'draining');
  assert.equal(nameOf(await client.ask('2')), first);
  for (let i = 0; i < 3; i++) assert.notEqual(nameOf(await stage.client().ask('new')), first);
});

test('sessions of a backend that is found unhealthy move with their next datagram', async (t) => {
  const backends = await twoNamed(t);
  const stage = await udpStage(t, udpPlan(portsOf(backends), { service: { health: TCP_HEALTH } }));
  const say = ({ port }: UdpBackend, healthy: boolean) =>
    stage.gateway.data.setHealth(
      { service: 'dns', backend: `127.0.0.1:${port}` },
      { healthy, reason: 'test' },
    );
  for (const each of backends) say(each, true);
  const client = stage.client();
  const first = nameOf(await client.ask('1'));
  const its = first === 'a' ? backends[0] : backends[1];
  say(its, false);
  assert.notEqual(nameOf(await client.ask('2')), first);
  assert.equal(backendAt(stage, its).pending, 0);
});

test('a backend is given credit once a session, for its first answer', async (t) => {
  const backend = await UdpBackend.start(t, echo);
  const stage = await udpStage(t, udpPlan([backend.port]), { clock: new ManualClock() });
  const client = stage.client();
  for (const text of ['1', '2', '3']) await client.ask(text);
  assert.deepEqual([...backendAt(stage, backend).counters.byKind], [[' 200', 1]]);
  await stage.client().ask('4');
  assert.deepEqual([...backendAt(stage, backend).counters.byKind], [[' 200', 2]]);
});

test('the trial of a half-open breaker stays with the session it was given to', async (t) => {
  const clock = new ManualClock();
  const dead = await UdpBackend.start(t, echo);
  await dead.stop();
  const breaker = {
    ...{ failurePercent: 50, minRequests: 1, windowMs: 10_000, openMs: 1_000, maxOpenMs: 1_000 },
    ...{ slowCallMs: 0, slowPercent: 100 },
  };
  const stage = await udpStage(t, udpPlan([dead.port], { service: { breaker } }), { clock });
  const client = stage.client();
  client.send('refused');
  await eventually(() => backendAt(stage, dead).eligibility.breaker?.state === 'open');
  // it answers the second of two
  const back = await UdpBackend.start(t, (text) => (text === 'two' ? ['answer'] : []), { port: dead.port });
  clock.advance(2_000);
  client.send('one');
  await eventually(() => back.received.length === 1);
  // has the session look again
  stage.gateway.data.setWeight({ service: 'dns', backend: `127.0.0.1:${dead.port}` }, 2);
  assert.equal(await client.ask('two'), 'answer');
  assert.equal(backendAt(stage, dead).eligibility.breaker?.state, 'closed');
  assert.equal(back.clients.size, 1);
});
