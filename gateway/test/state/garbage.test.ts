import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Redis } from 'ioredis';
import { REF, replica } from './fleet-stage.ts';
import { RedisServer } from './redis-server.ts';

const KEY = 'portway:{default}';
const OTHER = '127.0.0.1:3002';

async function withWriter(t: TestContext): Promise<{ redis: RedisServer; writer: Redis }> {
  const redis = await RedisServer.start(t);
  const writer = new Redis(redis.url);
  t.after(() => writer.disconnect());
  return { redis, writer };
}

const verdict = (changes: object = {}): string =>
  JSON.stringify({ v: 1, verdict: 'healthy', reason: '', by: 'x', when: Date.now(), seq: 1, ...changes });

test('what is not ours under our keys is ignored with one warning a key, and the rest is read', async (t) => {
  const { redis, writer } = await withWriter(t);
  const setting = (value: unknown, when = Date.now()) => ({ value, when, by: 'x' });
  await writer.hset(`${KEY}:health:web`, {
    [REF.backend]: verdict(),
    [OTHER]: verdict({ v: 2 }),
    '127.0.0.1:3003': 'garbage',
    '127.0.0.1:3004': verdict({ reason: 'a\nb' }),
    '127.0.0.1:3005': verdict({ by: 'x y' }),
    '127.0.0.1:3006': 'x'.repeat(10 * 1024 * 1024),
    '127.0.0.1:3007': '[]',
    '127.0.0.1:3008': verdict({ when: Date.now() - 61_000 }),
    '6.6.6.6:80': verdict(),
  });
  await writer.hset(`${KEY}:admin:web`, {
    [REF.backend]: JSON.stringify({ v: 1, state: setting('draining') }),
    [OTHER]: JSON.stringify({ v: 1, state: setting('on fire') }),
    '127.0.0.1:3003': JSON.stringify({ v: 1, weight: setting(1_001) }),
    '127.0.0.1:3004': JSON.stringify({ v: 1, weight: setting(5, Date.now() + 1e9) }),
    '127.0.0.1:3005': 'null',
  });
  await writer.hset(`${KEY}:replicas`, {
    x: '{"v":1}',
    'no id': '{}',
    y: 'x'.repeat(100_000),
    z: '{"v":1,"seq":1,"open":[1],"good":[]}',
  });
  await writer.hset(`${KEY}:health:nothing`, REF.backend, verdict());
  const a = await replica(t, 'a', redis.url);
  assert.deepEqual([...a.health.keys()], [REF.backend]);
  assert.deepEqual([...a.admin], [[REF.backend, 'draining']]);
  assert.deepEqual([...a.weights], []);
  assert.deepEqual(a.fleet.replicas, ['a']);
  for (const text of [
    'garbage',
    '{',
    '[]',
    '{"v":2,"kind":"beat"}',
    'x'.repeat(1e6),
    '{"v":1,"kind":"health","service":"web"}',
  ]) {
    await writer.publish(`${KEY}:events`, text);
  }
  await writer.publish(
    `${KEY}:events`,
    JSON.stringify({
      v: 1,
      kind: 'health',
      service: '__proto__',
      backend: 'constructor',
      record: JSON.parse(verdict()),
    }),
  );
  a.fleet.onPlan(a.services);
  await a.until(({ lines }) => lines.some((line) => line.includes(':events')));
  const lines = a.lines.sort();
  assert.equal(lines.length, 4, lines.join('\n'));
  for (const [index, part] of ['admin:web', 'health:web', 'replicas', 'events'].entries()) {
    assert.ok(lines[index]?.startsWith('warn') && lines[index].includes(part), lines[index] ?? '');
  }
  assert.equal(await writer.hget(`${KEY}:admin:web`, '127.0.0.1:3005'), 'null');
});

test('keys of another type stop nothing but what they hold', async (t) => {
  const { redis, writer } = await withWriter(t);
  for (const name of ['health:web', 'admin:web', 'replicas']) await writer.set(`${KEY}:${name}`, 'x');
  const a = await replica(t, 'a', redis.url);
  const b = await replica(t, 'b', redis.url);
  assert.equal(a.fleet.up, true);
  a.probe(REF, true);
  a.fleet.setAdmin(REF, 'draining');
  await b.until(({ admin, health }) => admin.has(REF.backend) && health.has(REF.backend));
  assert.equal(a.fleet.up, true);
  assert.equal(a.lines.length, 3, a.lines.join('\n'));
  await writer.del(`${KEY}:admin:web`);
  a.fleet.onPlan(a.services);
  while ((await writer.exists(`${KEY}:admin:web`)) === 0)
    await new Promise((resolve) => setTimeout(resolve, 20));
});

test('a million fields cost no more than none', async (t) => {
  const { redis, writer } = await withWriter(t);
  await writer.call(
    'EVAL',
    `for _, key in ipairs(KEYS) do for n = 1, 300000 do redis.call('hset', key, n, 'x') end end`,
    '3',
    `${KEY}:health:web`,
    `${KEY}:admin:web`,
    `${KEY}:replicas`,
  );
  await writer.hset(`${KEY}:health:web`, REF.backend, verdict());
  const a = await replica(t, 'a', redis.url);
  assert.equal(a.fleet.up, true);
  assert.equal(a.health.get(REF.backend)?.healthy, true);
  assert.deepEqual(
    a.lines.map((line) => line.replace(/ has .*/, '')),
    ['warn portway:{default}:replicas in Redis'],
  );
  const b = await replica(t, 'b', redis.url);
  await b.until(({ fleet }) => fleet.replicas.length === 2);
});
