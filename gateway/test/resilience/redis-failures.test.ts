import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RedisServer } from '../state/redis-server.ts';
import { TcpProxy } from '../state/tcp-proxy.ts';
import { ROUNDS, type Scene, SOME, setScene } from './scene.ts';

interface Outage {
  readonly begin: () => void | Promise<void>;
  readonly end: () => void | Promise<void>;
}

/** Redis goes away and comes back; while it is away a backend dies, which must be met all the same. */
async function play({ backends, gateway, load, finish }: Scene, outage: Outage): Promise<void> {
  const victim = backends[0];
  assert.ok(victim !== undefined);
  await gateway.until('redis is up', ({ gateway: { redis } }) => redis?.up === true);
  for (let round = 0; round < ROUNDS; round++) {
    await outage.begin();
    await gateway.until('redis is away', ({ gateway: { redis } }) => redis?.up === false);
    if (round % 2 === 0) {
      await victim.kill();
      await gateway.untilOut(victim.name);
      await victim.run();
      await gateway.untilIn(victim.name);
    }
    await load.more(SOME);
    await outage.end();
    await gateway.until('redis is back', ({ gateway: { redis } }) => redis?.up === true);
    await load.more(SOME);
  }
  await finish('lose posts');
  assert.ok(gateway.lines.some((line) => /warn.*Redis at .* is away/.test(line)));
}

test('Redis killed and started again costs no request', async (t) => {
  const redis = await RedisServer.start(t);
  const scene = await setScene(t, { redisUrl: redis.url });
  await play(scene, { begin: () => redis.kill(), end: () => redis.restart() });
});

test('Redis that hangs costs no request', async (t) => {
  const redis = await RedisServer.start(t);
  const scene = await setScene(t, { redisUrl: redis.url });
  await play(scene, { begin: () => redis.pause(), end: () => redis.resume() });
});

test('Redis from which nothing comes any more costs no request', async (t) => {
  const redis = await RedisServer.start(t);
  const proxy = await TcpProxy.start(t, redis.port);
  const scene = await setScene(t, { redisUrl: proxy.url });
  const blackhole = (blocked: boolean): void => {
    proxy.blackholes = () => blocked;
  };
  await play(scene, { begin: () => blackhole(true), end: () => blackhole(false) });
});
