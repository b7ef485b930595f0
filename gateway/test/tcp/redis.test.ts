import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { allQuiet, eventually, startGateway } from '../relay/gateway-in-test.ts';
import { RedisServer } from '../state/redis-server.ts';
import { tcpPlan } from './tcp-plans.ts';

const run = promisify(execFile);

test('redis-cli and ioredis speak with Redis through a TCP listener', async (t) => {
  const server = await RedisServer.start(t);
  const gateway = await startGateway(t, tcpPlan([server.port]));
  const cli = async (...args: readonly string[]): Promise<string> =>
    (await run('redis-cli', ['-p', `${gateway.port}`, ...args])).stdout.trim();
  assert.equal(await cli('SET', 'greeting', 'by redis-cli'), 'OK');
  const redis = new Redis({ port: gateway.port, host: '127.0.0.1' });
  const subscriber = redis.duplicate();
  t.after(() => {
    redis.disconnect();
    subscriber.disconnect();
  });
  assert.equal(await redis.get('greeting'), 'by redis-cli');
  const large = Buffer.alloc(3_000_000, 'v');
  await redis.set('large', large);
  assert.deepEqual(await redis.getBuffer('large'), large);
  const many = Array.from({ length: 500 }, (_, i) => redis.incr('count').then((count) => count === i + 1));
  assert.ok((await Promise.all(many)).every((inOrder) => inOrder));
  await subscriber.subscribe('news');
  const heard = new Promise((resolve) => subscriber.once('message', (_channel, message) => resolve(message)));
  assert.equal(await cli('PUBLISH', 'news', 'something'), '1');
  assert.equal(await heard, 'something');
  redis.disconnect();
  subscriber.disconnect();
  await allQuiet(gateway);
});

test('a client comes back by itself when its server has been killed in the middle', async (t) => {
  const server = await RedisServer.start(t);
  const gateway = await startGateway(t, tcpPlan([server.port]));
  const redis = new Redis({ port: gateway.port, host: '127.0.0.1', retryStrategy: () => 10 });
  redis.on('error', () => {});
  t.after(() => redis.disconnect());
  await redis.set('a', 1);
  const closed = new Promise((resolve) => redis.once('close', resolve));
  await server.kill();
  await closed;
  await eventually(() => gateway.ended.some(({ failure }) => failure === 'connect_refused'));
  await server.restart();
  assert.equal(await redis.set('b', 2), 'OK');
  redis.disconnect();
  await allQuiet(gateway);
});
