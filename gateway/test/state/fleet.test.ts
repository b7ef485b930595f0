import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeReplica, mortalClock, PORTS, REF, replica } from './fleet-stage.ts';
import { RedisServer } from './redis-server.ts';

test('a verdict reaches the other replica within a second, and needs its own failing probe to be believed', async (t) => {
  const redis = await RedisServer.start(t);
  const a = await replica(t, 'a', redis.url);
  const b = await replica(t, 'b', redis.url);
  assert.equal(a.fleet.up, true);
  a.probe(REF, true);
  const healthyMs = await b.until(({ calls }) => calls.includes(`adopt ${REF.backend} healthy`));
  a.probe(REF, false);
  const unhealthyMs = await b.until(({ calls }) => calls.includes(`adopt ${REF.backend} unhealthy`));
  assert.ok(healthyMs < 1_000 && unhealthyMs < 1_000, `${healthyMs} and ${unhealthyMs} ms`);
  assert.ok(b.calls.indexOf(`confirm ${REF.backend}`) < b.calls.indexOf(`adopt ${REF.backend} unhealthy`));
  assert.deepEqual([...a.lines, ...b.lines], []);
});

test('replicas split the probing; when one dies without a word, the other has all within two seconds', async (t) => {
  const redis = await RedisServer.start(t);
  const clock = mortalClock();
  const a = await replica(t, 'a', redis.url, clock);
  const b = await replica(t, 'b', redis.url);
  await a.until(({ fleet }) => fleet.replicas.length === 2);
  await b.until(({ fleet }) => fleet.replicas.length === 2);
  assert.equal(a.owned() + b.owned(), PORTS.length);
  assert.ok(a.owned() > 0 && b.owned() > 0);
  const changes = b.ownersChanged;
  clock.die();
  const tookMs = await b.until((each) => each.owned() === PORTS.length);
  assert.ok(tookMs < 2_000, `${tookMs} ms`);
  assert.ok(b.ownersChanged > changes);
  t.diagnostic(`takeover after ${Math.round(tookMs)} ms`);
});

test('a replica that stops is gone at once', async (t) => {
  const redis = await RedisServer.start(t);
  const a = await replica(t, 'a', redis.url);
  const b = await replica(t, 'b', redis.url);
  await b.until(({ fleet }) => fleet.replicas.length === 2);
  await a.fleet.stop();
  const tookMs = await b.until(({ fleet }) => fleet.replicas.length === 1);
  assert.ok(tookMs < 500, `${tookMs} ms`);
});

test('what an operator does reaches the others within a second and outlives all replicas', async (t) => {
  const redis = await RedisServer.start(t);
  const a = await replica(t, 'a', redis.url);
  const b = await replica(t, 'b', redis.url);
  a.fleet.setAdmin(REF, 'disabled');
  assert.equal(a.admin.get(REF.backend), 'disabled');
  b.fleet.setWeight(REF, 7);
  const stateMs = await b.until(({ admin }) => admin.get(REF.backend) === 'disabled');
  const weightMs = await a.until(({ weights }) => weights.get(REF.backend) === 7);
  assert.ok(stateMs < 1_000 && weightMs < 1_000);
  assert.ok(b.calls.includes(`probed ${REF.backend} false`));
  await Promise.all([a.fleet.stop(), b.fleet.stop()]);
  const c = await replica(t, 'c', redis.url);
  assert.equal(c.admin.get(REF.backend), 'disabled');
  assert.equal(c.weights.get(REF.backend), 7);
});

test('a new replica knows the verdicts when its start resolves', async (t) => {
  const redis = await RedisServer.start(t);
  const a = await replica(t, 'a', redis.url);
  for (const port of PORTS) a.probe({ service: 'web', backend: `127.0.0.1:${port}` }, true);
  const [first = 0] = PORTS;
  const b = new FakeReplica('b', redis.url);
  t.after(() => b.fleet.stop());
  await a.until(({ fleet }) => fleet.up);
  await b.fleet.start();
  assert.equal(b.health.get(`127.0.0.1:${first}`)?.healthy, true);
  assert.equal(b.health.size, PORTS.length);
  assert.equal(
    b.calls.some((call) => call.startsWith('confirm')),
    false,
  );
});

test('breakers open for the fleet by the majority, and not where traffic goes well', async (t) => {
  const redis = await RedisServer.start(t);
  const [a, b, c] = [
    await replica(t, 'a', redis.url),
    await replica(t, 'b', redis.url),
    await replica(t, 'c', redis.url),
  ];
  for (const each of [a, b, c]) await each.until(({ fleet }) => fleet.replicas.length === 3);
  a.breakers.set(REF.backend, 'open');
  b.breakers.set(REF.backend, 'open');
  await c.until(({ fleetBreakers }) => fleetBreakers.get(REF.backend) === 'open at 2 of 3 replicas');
  c.lastSuccessAgoMs = 100;
  await c.until(({ fleetBreakers }) => !fleetBreakers.has(REF.backend));
  await a.until(
    ({ fleetBreakers }) => fleetBreakers.get(REF.backend) === 'open at 2 of 3 replicas, answering at 1',
  );
  b.breakers.clear();
  await a.until(({ fleetBreakers }) => !fleetBreakers.has(REF.backend));
});
