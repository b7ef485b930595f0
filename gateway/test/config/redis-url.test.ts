import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { RedisTarget } from '../../src/control/config/redis-url.ts';
import { parseRedisUrl } from '../../src/control/config/redis-url.ts';

const PLAIN: RedisTarget = {
  kind: 'server',
  tls: false,
  username: undefined,
  password: undefined,
  nodes: [{ host: 'h', port: 6379 }],
  master: undefined,
  database: 0,
};

const GOOD: readonly (readonly [url: string, target: Partial<RedisTarget>])[] = [
  ['redis://h', {}],
  ['redis://H/', {}],
  ['redis://h:1/15', { nodes: [{ host: 'h', port: 1 }], database: 15 }],
  ['rediss://h', { tls: true }],
  ['redis://[::1]:7', { nodes: [{ host: '::1', port: 7 }] }],
  ['redis://127.0.0.1', { nodes: [{ host: '127.0.0.1', port: 6379 }] }],
  ['redis://:p@h', { password: 'p' }],
  ['redis://u:p:q@h', { username: 'u', password: 'p:q' }],
  ['redis://u:p@q@h', { username: 'u', password: 'p@q' }],
  ['redis://u%3A:%2F%40%25@h', { username: 'u:', password: '/@%' }],
  [
    'redis+sentinel://a,b:1,[::1]:2/my-master',
    {
      kind: 'sentinel',
      nodes: [
        { host: 'a', port: 26_379 },
        { host: 'b', port: 1 },
        { host: '::1', port: 2 },
      ],
      master: 'my-master',
    },
  ],
  [
    'rediss+sentinel://:p@a:1/m/3',
    { kind: 'sentinel', tls: true, password: 'p', nodes: [{ host: 'a', port: 1 }], master: 'm', database: 3 },
  ],
  [
    'redis+cluster://a:1,b',
    {
      kind: 'cluster',
      nodes: [
        { host: 'a', port: 1 },
        { host: 'b', port: 6379 },
      ],
    },
  ],
  ['rediss+cluster://u:p@h/', { kind: 'cluster', tls: true, username: 'u', password: 'p' }],
];

for (const [url, target] of GOOD) {
  test(`${url} is read`, () => {
    assert.deepEqual(parseRedisUrl(url), { ok: true, value: { ...PLAIN, ...target } });
  });
}

test('a user and password survive whatever they hold, when they are escaped', () => {
  const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }).filter((it) => it.isWellFormed());
  fc.assert(
    fc.property(text, text, (username, password) => {
      const parsed = parseRedisUrl(
        `redis://${encodeURIComponent(username)}:${encodeURIComponent(password)}@h`,
      );
      assert.deepEqual(parsed, { ok: true, value: { ...PLAIN, username, password } });
    }),
  );
});

test('whatever is wrong with a URL, no part of it is shown', () => {
  const sign = fc.constantFrom(...':/?#@,[]%. ', 'zq7', 'redis://', 'redis+sentinel://', '1', '99999');
  fc.assert(
    fc.property(fc.array(sign, { maxLength: 12 }), (signs) => {
      const parsed = parseRedisUrl(`redis://${signs.join('')}`);
      if (!parsed.ok) assert.ok(!parsed.complaint.includes('zq7') && !parsed.complaint.includes('99999'));
    }),
    { numRuns: 1000 },
  );
});
