import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { Redis } from 'ioredis';
import { freePort } from '../restarts/free-port.ts';
import { FakeReplica, PORTS, REF, replica } from './fleet-stage.ts';
import { RedisServer } from './redis-server.ts';
import { TcpProxy } from './tcp-proxy.ts';

const warnings = ({ lines }: FakeReplica): string[] => lines.filter((line) => line.startsWith('warn'));
const infos = ({ lines }: FakeReplica): string[] => lines.filter((line) => line.startsWith('info'));

test('a killed Redis that comes back empty is told again what operators want and what probes found', async (t) => {
  const redis = await RedisServer.start(t);
  const a = await replica(t, 'a', redis.url);
  const b = await replica(t, 'b', redis.url);
  await a.until(({ fleet }) => fleet.replicas.length === 2);
  a.fleet.setAdmin(REF, 'draining');
  await b.until(({ admin }) => admin.get(REF.backend) === 'draining');
  await redis.kill();
  await Promise.all([a, b].map((each) => each.until(({ fleet }) => !fleet.up)));
  assert.equal(b.admin.get(REF.backend), 'draining');
  assert.equal(a.owned(), PORTS.length);
  assert.deepEqual(a.fleet.replicas, ['a']);
  a.probe(REF, true);
  b.fleet.setWeight(REF, 3);
  await redis.restart();
  await Promise.all([a, b].map((each) => each.until(({ fleet }) => fleet.up)));
  await a.until(({ weights }) => weights.get(REF.backend) === 3);
  await b.until(({ health }) => health.get(REF.backend)?.healthy === true);
  await b.until(({ fleet }) => fleet.replicas.length === 2);
  const c = await replica(t, 'c', redis.url);
  assert.equal(c.admin.get(REF.backend), 'draining');
  assert.equal(c.weights.get(REF.backend), 3);
  for (const each of [a, b]) {
    assert.equal(warnings(each).length, 1, each.lines.join('\n'));
    assert.equal(infos(each).length, 1, each.lines.join('\n'));
  }
});

test('a Redis that hangs is away within two seconds and back when it wakes', async (t) => {
  const redis = await RedisServer.start(t);
  t.after(() => redis.resume());
  const a = await replica(t, 'a', redis.url);
  redis.pause();
  const awayMs = await a.until(({ fleet }) => !fleet.up);
  assert.ok(awayMs < 2_000, `${awayMs} ms`);
  a.fleet.setAdmin(REF, 'draining');
  assert.equal(a.admin.get(REF.backend), 'draining');
  for (let n = 0; n < 10_000; n++) a.probe(REF, n % 2 === 0);
  redis.resume();
  const backMs = await a.until(({ fleet }) => fleet.up);
  const b = await replica(t, 'b', redis.url);
  assert.equal(b.admin.get(REF.backend), 'draining');
  assert.equal(warnings(a).length, 1, a.lines.join('\n'));
  t.diagnostic(`away after ${Math.round(awayMs)} ms, back after ${Math.round(backMs)} ms`);
});

test('start resolves within about a second while Redis is away, and stop within half of one', async (t) => {
  const redis = await RedisServer.start(t);
  t.after(() => redis.resume());
  redis.pause();
  const a = new FakeReplica('a', redis.url);
  const startMs = performance.now();
  await a.fleet.start();
  assert.ok(performance.now() - startMs < 1_500);
  assert.equal(a.fleet.up, false);
  const stopMs = performance.now();
  await a.fleet.stop();
  assert.ok(performance.now() - stopMs < 700);
});

test('a replica that stops while Redis hangs does so in half a second', async (t) => {
  const redis = await RedisServer.start(t);
  t.after(() => redis.resume());
  const a = await replica(t, 'a', redis.url);
  redis.pause();
  const stopMs = performance.now();
  await a.fleet.stop();
  assert.ok(performance.now() - stopMs < 800);
});

test('a Redis that is not there is waited for with one warning', async (t) => {
  const port = await freePort();
  const a = await replica(t, 'a', `redis://:sesame@127.0.0.1:${port}`);
  assert.equal(a.fleet.up, false);
  assert.equal(a.owned(), PORTS.length);
  await RedisServer.start(t, { port, args: ['--requirepass', 'sesame'] });
  await a.until(({ fleet }) => fleet.up);
  assert.deepEqual(warnings(a), [
    `warn Redis at 127.0.0.1:${port} is away: connection refused; what was last known of the fleet stands`,
  ]);
  assert.equal(infos(a).length, 1);
});

/** Takes connections and says `reply` to whatever comes; undefined: nothing. */
async function babbling(
  t: TestContext,
  reply: string | undefined,
): Promise<{ url: string; connections: () => number }> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      if (reply === undefined) return;
      // one reply for each command
      const commands = bytes.toString('latin1').match(/\*\d+\r\n/g)?.length ?? 1;
      socket.write(reply.repeat(commands));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `redis://annabel:sesame@127.0.0.1:${port}`, connections: () => connections };
}

const BABBLE: readonly (readonly [string | undefined, string])[] = [
  ['-LOADING Redis is loading the dataset in memory\r\n', 'it is loading its data (LOADING)'],
  [
    "-ERR unknown command 'HELLO', with args beginning with: '3' 'AUTH' 'annabel' 'sesame'\r\n",
    'it answered with an error',
  ],
  ['-WRONGPASS invalid username-password pair\r\n', 'user or password are wrong (WRONGPASS)'],
  [
    '-NOPERM this user has no permissions\r\n',
    'the user may not use these keys, channels or commands (NOPERM)',
  ],
  ['-MASTERDOWN Link with MASTER is down\r\n', 'its master is down (MASTERDOWN)'],
  ['HTTP/1.1 400 Bad Request\r\n\r\n', ''],
  ['$5\r\nhello\r\n', 'it is not a Redis'],
  ['$4\r\nPONG\r\n', ''],
  ['*1\r\n$-1\r\n', 'it is not a Redis'],
  [undefined, 'no answer in time'],
];

test('what answers all alike is Redis away, with one warning that has no secret', {
  concurrency: true,
}, async (suite) => {
  const tests = BABBLE.map(([reply, says]) =>
    suite.test(JSON.stringify(reply ?? 'nothing'), async (t) => {
      const { url, connections } = await babbling(t, reply);
      const a = await replica(t, 'a', url);
      await a.until(() => connections() >= 4);
      await a.until(({ lines }) => lines.length > 0);
      assert.equal(a.fleet.up, false);
      assert.equal(a.lines.length, 1, a.lines.join('\n'));
      assert.ok(a.lines.join('\n').includes(says), a.lines.join('\n'));
      assert.ok(!/sesame|annabel/.test(JSON.stringify([a.lines, a.fleet.status()])), a.lines.join('\n'));
    }),
  );
  await Promise.all(tests);
});

test('a read-only Redis is away until it takes writes', async (t) => {
  const master = await RedisServer.start(t);
  const redis = await RedisServer.start(t, { args: ['--replicaof', '127.0.0.1', String(master.port)] });
  const a = await replica(t, 'a', redis.url);
  await a.until(({ lines }) => lines.length > 0);
  assert.equal(a.fleet.up, false);
  const operator = new Redis(redis.url);
  t.after(() => operator.disconnect());
  await operator.call('REPLICAOF', 'NO', 'ONE');
  await a.until(({ fleet }) => fleet.up);
  assert.match(a.lines.join('\n'), /^warn .*READONLY.*\ninfo .*is back.*$/);
});

test('a subscription that is cut off is made anew', async (t) => {
  const redis = await RedisServer.start(t);
  const a = await replica(t, 'a', redis.url);
  const operator = new Redis(redis.url);
  t.after(() => operator.disconnect());
  // the subscription goes, the connection stays
  await operator.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
  await a.until(({ lines }) => lines.some((line) => line.startsWith('info')));
  assert.equal(a.fleet.up, true);
  const b = await replica(t, 'b', redis.url);
  b.fleet.setAdmin(REF, 'draining');
  await a.until(({ admin }) => admin.get(REF.backend) === 'draining');
});

test('a port that is blackholed is away within two seconds and back when it is not', async (t) => {
  const redis = await RedisServer.start(t);
  const proxy = await TcpProxy.start(t, redis.port);
  const a = await replica(t, 'a', proxy.url);
  proxy.blackholes = () => true;
  const awayMs = await a.until(({ fleet }) => !fleet.up);
  assert.ok(awayMs < 2_000, `${awayMs} ms`);
  proxy.blackholes = () => false;
  const backMs = await a.until(({ fleet }) => fleet.up);
  assert.equal(warnings(a).length, 1, a.lines.join('\n'));
  t.diagnostic(`away after ${Math.round(awayMs)} ms, back after ${Math.round(backMs)} ms`);
});

test('a channel that falls silent while commands are answered is noticed', async (t) => {
  const redis = await RedisServer.start(t);
  const proxy = await TcpProxy.start(t, redis.port);
  const a = await replica(t, 'a', proxy.url);
  proxy.blackholes = (sent) => /subscribe/i.test(sent);
  await a.until(({ lines }) => lines.some((line) => line.includes('its channel is silent')));
  proxy.blackholes = () => false;
  await a.until(({ fleet }) => fleet.up);
});
