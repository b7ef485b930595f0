import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ResolvedAddress } from '../../src/data/resolver.ts';
import { eventually } from '../relay/gateway-in-test.ts';
import { backendPlan } from '../support/plans.ts';
import { echo, named, UdpBackend, udpPlan, udpStage } from './udp-stage.ts';

type Done = (error: Error | null, addresses: readonly ResolvedAddress[]) => void;

const LOOPBACK: readonly ResolvedAddress[] = [{ address: '127.0.0.1', family: 4 }];

const byName = (host: string, port: number) =>
  backendPlan(port, { name: `${host}:${port}`, host, protocol: 'udp' });

test('what comes before the address of a backend is known is held, a few datagrams of it', async (t) => {
  const backend = await UdpBackend.start(t, echo);
  const asked: Done[] = [];
  const changes = { service: { backends: [byName('dns.test', backend.port)] } };
  const stage = await udpStage(t, udpPlan([], changes), { lookup: (_host, done) => asked.push(done) });
  const client = stage.client();
  for (const text of ['1', '2', '3', '4', '5', '6']) client.send(text);
  await eventually(() => stage.refused('queue_full') === 2);
  assert.equal(asked.length, 1);
  asked[0]?.(null, LOOPBACK);
  for (const expected of ['1', '2', '3', '4']) assert.equal(await client.text(), expected);
  assert.equal(await client.ask('later'), 'later');
  // no look-up for each datagram, nor for each client
  assert.equal(await stage.client().ask('another'), 'another');
  assert.equal(asked.length, 1);
});

test('a name that cannot be resolved is the backend’s failure, and another one gets what was held', async (t) => {
  const backend = await UdpBackend.start(t, named('good'));
  const changes = {
    service: { backends: [byName('bad.test', 53), backendPlan(backend.port, { protocol: 'udp' })] },
  };
  const lookup = (_host: string, done: Done): void => void setImmediate(done, new Error('ENOTFOUND'), []);
  const stage = await udpStage(t, udpPlan([], changes), { lookup });
  for (const client of [stage.client(), stage.client()]) assert.equal(await client.ask('x'), 'good:x');
  const [bad] = stage.gateway.data.services[0]?.backends ?? [];
  assert.equal(bad?.counters.byKind.get('dns_failed 0'), 1);
  assert.equal(bad?.pending, 0);
});

test('clients that give up while an address is looked up leave nothing behind', async (t) => {
  const asked: Done[] = [];
  const changes = { service: { backends: [byName('dns.test', 53)] } };
  const stage = await udpStage(t, udpPlan([], changes), { lookup: (_host, done) => asked.push(done) });
  stage.client().send('x');
  await eventually(() => asked.length === 1);
  await stage.gateway.data.drain(1_000);
  asked[0]?.(null, LOOPBACK);
  assert.equal(stage.counts.open, 0);
});
