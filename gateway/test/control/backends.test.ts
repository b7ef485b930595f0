import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { eventually } from '../relay/gateway-in-test.ts';
import { ProbedBackend } from '../restarts/probed-backend.ts';
import { RawClient } from '../support/raw-client.ts';
import { HEALTH, startWithAdmin } from './gateway-with-admin.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
const at = ({ port }: ProbedBackend, action: string): string =>
  `services/web/backends/127.0.0.1:${port}/${action}`;

test('a backend is drained while it streams: nothing new, what is under way counts down, and it comes back slowly', async (t) => {
  const [one, two] = [await ProbedBackend.start(t, 'one'), await ProbedBackend.start(t, 'two')];
  const streams: ServerResponse[] = [];
  one.answer = (response) => {
    response.write('begun ');
    streams.push(response);
  };
  const gateway = await startWithAdmin(t, [one, two], { slowStartMs: 10_000 });
  const clients: RawClient[] = [];
  while (streams.length < 2) {
    const client = await RawClient.open(gateway.port);
    clients.push(client.send(GET));
    await client.until((received) => /begun|two/.test(received));
  }
  t.after(() => {
    for (const { socket } of clients) socket.destroy();
  });

  const drained = await gateway.admin('POST', at(one, 'drain'));
  assert.equal(drained.status, 200);
  assert.deepEqual(
    [drained.json.admin, drained.json.eligible, drained.json.pending, drained.json.reason],
    ['draining', false, 2, 'draining by the operator'],
  );
  for (let i = 0; i < 6; i++) assert.equal(await gateway.ask(), 'two');
  streams[0]?.end('done');
  await gateway.until(one, ({ pending }) => pending === 1);
  assert.equal((await gateway.admin('POST', at(one, 'drain'))).json.pending, 1);
  streams[1]?.end('done');
  await gateway.until(one, ({ pending }) => pending === 0);
  assert.equal(clients.filter(({ received }) => received.includes('begun')).length, 2);

  one.answer = (response) => response.end('one');
  const back = await gateway.admin('POST', at(one, 'undrain'));
  assert.deepEqual([back.json.admin, back.json.eligible], ['enabled', true]);
  const { effectiveWeight } = gateway.status(one);
  assert.ok(effectiveWeight > 0 && effectiveWeight < 0.5, `${effectiveWeight}`);
  await eventually(() => gateway.status(one).effectiveWeight > effectiveWeight);
});

test('a disabled backend is not probed and gets nothing; enabled, its first probe decides', async (t) => {
  const [one, two] = [await ProbedBackend.start(t, 'one'), await ProbedBackend.start(t, 'two')];
  const health = HEALTH === undefined ? undefined : { ...HEALTH, intervalMs: 100 };
  const gateway = await startWithAdmin(t, [one, two], { health });
  await gateway.admin('POST', at(one, 'disable'));
  const [probes, others] = [one.probes, two.probes];
  await eventually(() => two.probes > others + 5);
  // the one that was under way may have counted after the answer
  assert.ok(one.probes <= probes + 1);
  for (let i = 0; i < 4; i++) assert.equal(await gateway.ask(), 'two');
  one.health = 503;
  await gateway.admin('POST', at(one, 'enable'));
  await gateway.until(one, ({ health: verdict }) => verdict === 'unhealthy');
  one.health = 200;
  await gateway.until(one, ({ eligible }) => eligible);
});

test("a weight set by the operator shifts traffic at once, and its end brings the config's back", async (t) => {
  const [one, two] = [await ProbedBackend.start(t, 'one'), await ProbedBackend.start(t, 'two')];
  const gateway = await startWithAdmin(t, [one, two]);
  const share = async (): Promise<number> => {
    const answers: string[] = [];
    for (let i = 0; i < 8; i++) answers.push(await gateway.ask());
    return answers.filter((answer) => answer === 'one').length;
  };
  assert.equal(await share(), 4);
  const set = await gateway.admin('PUT', at(one, 'weight'), { weight: 3 });
  assert.deepEqual([set.status, set.json.weight], [200, 3]);
  assert.equal(await share(), 6);
  await gateway.admin('PUT', at(one, 'weight'), { weight: null });
  assert.equal(gateway.status(one).weight, 1);
  assert.equal(await share(), 4);
});

test('what there is not is 404, and names what there is', async (t) => {
  const one = await ProbedBackend.start(t, 'one');
  const gateway = await startWithAdmin(t, [one]);
  const noService = await gateway.admin('POST', 'services/wbe/backends/127.0.0.1:1/drain');
  assert.equal(noService.status, 404);
  assert.match(noService.json.detail ?? '', /web/);
  for (const action of ['drain', 'undrain', 'disable', 'enable'])
    assert.equal((await gateway.admin('POST', `services/web/backends/127.0.0.1:1/${action}`)).status, 404);
  const noBackend = await gateway.admin('PUT', 'services/web/backends/127.0.0.1:1/weight', { weight: 2 });
  assert.equal(noBackend.status, 404);
  assert.match(noBackend.json.detail ?? '', new RegExp(`127\\.0\\.0\\.1:${one.port}`));
  assert.equal(gateway.status(one).admin, 'enabled');
});
