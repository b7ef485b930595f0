import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeFailure, RedisFailure } from '../../src/control/state/redis-failure.ts';
import { redisAddress } from '../../src/control/state/redis-options.ts';

const TABLE = [
  [
    'redis://h',
    'h:6379',
    { host: 'h', port: 6379, db: 0, username: undefined, password: undefined, tls: undefined },
  ],
  ['redis://h:1/7', 'h:1', { host: 'h', port: 1, db: 7 }],
  ['redis://:p%40ss@h', 'h:6379', { username: undefined, password: 'p@ss' }],
  ['rediss://u:p@[::1]:2', '[::1]:2', { host: '::1', port: 2, username: 'u', password: 'p', tls: {} }],
  [
    'redis+sentinel://u:p@s1,s2:5/main/3',
    'main of sentinels s1:26379,s2:5',
    {
      sentinels: [
        { host: 's1', port: 26379 },
        { host: 's2', port: 5 },
      ],
      name: 'main',
      db: 3,
      username: 'u',
      password: 'p',
      sentinelPassword: undefined,
      sentinelTLS: undefined,
      tls: undefined,
    },
  ],
  [
    'rediss+sentinel://s1/main',
    'main of sentinels s1:26379',
    { tls: {}, sentinelTLS: {}, enableTLSForSentinelMode: true },
  ],
  [
    'redis+cluster://u:p@a:1,b:2',
    'a:1,b:2',
    { host: 'a', port: 1, username: 'u', password: 'p', tls: undefined },
  ],
  ['rediss+cluster://a', 'a:6379', { host: 'a', tls: {} }],
] as const;

for (const [url, label, expected] of TABLE) {
  test(`${url} is read`, () => {
    const address = redisAddress(url);
    assert.equal(address.label, label);
    const server: Readonly<Record<string, unknown>> = { ...address.server };
    for (const [option, value] of Object.entries(expected)) assert.deepEqual(server[option], value, option);
    assert.equal(address.server.enableOfflineQueue, false);
    assert.equal(address.server.commandTimeout, 1_000);
    assert.equal(address.cluster !== undefined, url.includes('+cluster'));
    if (address.cluster !== undefined) {
      assert.equal(address.cluster.options.redisOptions.password, address.server.password);
      assert.equal(address.cluster.nodes.length, label.split(',').length);
    }
  });
}

test('attempts take turns among the nodes of a cluster, and in whether sentinels are sent the password', () => {
  assert.deepEqual(
    [0, 1, 2].map((attempt) => redisAddress('redis+cluster://a,b', attempt).server.host),
    ['a', 'b', 'a'],
  );
  const passwords = [0, 1, 2].map(
    (attempt) => redisAddress('redis+sentinel://:p@s/m', attempt).server.sentinelPassword,
  );
  assert.deepEqual(passwords, [undefined, 'p', undefined]);
});

test('a URL that cannot be read is not shown', () => {
  for (const url of [
    'sesame',
    'redis://u:sesame@h:x',
    'redis://u:sesame@h?sesame',
    'redis+sentinel://:sesame@h',
  ]) {
    assert.throws(
      () => redisAddress(url),
      (error: Error) => error instanceof TypeError && !/sesame/.test(error.message),
    );
  }
});

test('a failure is described without what was sent', () => {
  const coded = (message: string, code?: string): Error => Object.assign(new Error(message), { code });
  for (const [error, says] of [
    [coded('connect ECONNREFUSED 127.0.0.1:1', 'ECONNREFUSED'), 'connection refused'],
    [coded('getaddrinfo ENOTFOUND sesame', 'ENOTFOUND'), 'its name cannot be resolved'],
    [
      coded("ERR unknown command 'HELLO', with args beginning with: '3' 'AUTH' 'sesame'"),
      'it answered with an error',
    ],
    [coded('NOAUTH Authentication required.'), 'it wants a password (NOAUTH)'],
    [coded('All sentinels are unreachable. Last error: NOAUTH sesame'), 'it wants a password (NOAUTH)'],
    [coded('All sentinels are unreachable and retry is disabled.'), 'no sentinel knows where the master is'],
    [coded('Command timed out'), 'no answer in time'],
    [coded('x', 'ERR_TLS_CERT_ALTNAME_INVALID'), 'ERR_TLS_CERT_ALTNAME_INVALID'],
    [coded('Connection is closed.'), 'connection closed'],
    [coded('x', 'sesame'), 'it answered with an error'],
    [
      Object.assign(new Error('Failed to refresh slots cache.'), {
        lastNodeError: coded('WRONGPASS sesame'),
      }),
      'user or password are wrong (WRONGPASS)',
    ],
    [new RedisFailure('as said'), 'as said'],
    ['sesame', 'it failed'],
  ] as const) {
    assert.equal(describeFailure(error), says);
  }
});
