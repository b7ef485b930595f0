import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Hash } from '../../src/data/balancers/hash.ts';
import { P2c } from '../../src/data/balancers/p2c.ts';
import type { HashKeyPlan } from '../../src/data/plan.ts';
import { candidate, type FakeCandidate, idle, request, seeded, weighted, withinBinomial } from './fakes.ts';

function hashBy(key: HashKeyPlan, bounded = true): Hash<FakeCandidate> {
  return new Hash<FakeCandidate>(
    key,
    bounded ? 1.25 : undefined,
    new P2c<FakeCandidate>({ now: () => 0 }, seeded(1)),
  );
}

function pickForPath(candidates: readonly FakeCandidate[], paths: readonly string[]): readonly string[] {
  const balancer = hashBy({ from: 'path' });
  return paths.map((path) => balancer.pick(candidates, request({ path })).name);
}

const manyPaths = Array.from({ length: 20_000 }, (_, index) => `/items/${index}`);

test('the same key goes to the same backend, in whatever order the backends stand', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.integer({ min: 2, max: 12 }), (path, size) => {
      const candidates = idle(size);
      const there = pickForPath(candidates, [path]);
      assert.deepEqual(pickForPath(candidates.toReversed(), [path]), there);
    }),
  );
});

test('keys spread in proportion to weight', () => {
  const weights = [1, 1, 2, 6];
  const picked = pickForPath(weighted(weights), manyPaths);
  weights.forEach((weight, index) => {
    const count = picked.filter((name) => name === `backend-${index}:80`).length;
    assert.ok(withinBinomial(count, manyPaths.length, weight / 10), `${count} for weight ${weight}`);
  });
});

test('when a backend leaves only its keys move, and to all the others', () => {
  const candidates = idle(6);
  const gone = 'backend-2:80';
  const before = pickForPath(candidates, manyPaths);
  const after = pickForPath(
    candidates.filter(({ name }) => name !== gone),
    manyPaths,
  );
  const heirs = new Map<string, number>();
  before.forEach((name, index) => {
    const now = after[index] ?? '';
    if (name !== gone) assert.equal(now, name);
    else heirs.set(now, (heirs.get(now) ?? 0) + 1);
  });
  const moved = before.filter((name) => name === gone).length;
  for (const count of heirs.values()) assert.ok(withinBinomial(count, moved, 0.2), `${count} of ${moved}`);
});

test('when a weight grows, keys move to that backend only', () => {
  const before = pickForPath(weighted([1, 1, 1]), manyPaths);
  const after = pickForPath(weighted([1, 3, 1]), manyPaths);
  before.forEach((name, index) => {
    const now = after[index];
    assert.ok(now === name || now === 'backend-1:80');
  });
});

test('a backend beyond 1.25 times its share of what is pending is passed over for the next', () => {
  const key = request({ path: '/hot' });
  const candidates = idle(4);
  const balancer = hashBy({ from: 'path' });
  const home = balancer.pick(candidates, key);
  for (let turn = 0; turn < 400; turn++) balancer.pick(candidates, key).pending++;
  const loads = candidates.map(({ pending }) => pending);
  assert.ok(home.pending === Math.max(...loads) && home.pending <= Math.ceil(1.25 * 100), `${loads}`);
});

test('no pick ever exceeds the bound, whatever the loads and weights', () => {
  const loads = fc.array(fc.record({ pending: fc.nat(200), weight: fc.integer({ min: 1, max: 10 }) }), {
    minLength: 2,
    maxLength: 10,
  });
  fc.assert(
    fc.property(loads, fc.string({ minLength: 1 }), (given, path) => {
      const candidates = given.map((load, index) => candidate(`b${index}`, load));
      const picked = hashBy({ from: 'path' }).pick(candidates, request({ path }));
      const pending = given.reduce((sum, load) => sum + load.pending, 1);
      const weight = given.reduce((sum, load) => sum + load.weight, 0);
      const bound = Math.max(8, Math.ceil((1.25 * pending * picked.weight) / weight));
      assert.ok(picked.pending + 1 <= bound, `${picked.pending + 1} > ${bound}`);
    }),
  );
});

test('a few requests at once of one client stay together on an idle service', () => {
  const candidates = idle(5);
  const balancer = hashBy({ from: 'clientIp' });
  const home = balancer.pick(candidates, request());
  for (let turn = 0; turn < 6; turn++) balancer.pick(candidates, request()).pending++;
  assert.equal(home.pending, 6);
});

test('each kind of key is read from its place', () => {
  const candidates = idle(50);
  const values = ['one', 'two', 'three', 'four', 'five', 'six'];
  const spread = (key: HashKeyPlan, make: (value: string) => ReturnType<typeof request>) => {
    const balancer = hashBy(key);
    return values.map((value) => balancer.pick(candidates, make(value)).name);
  };
  const byPath = spread({ from: 'path' }, (path) => request({ path }));
  const only = (wanted: string, value: string) => (name: string) => (name === wanted ? value : undefined);
  assert.ok(new Set(byPath).size > 1);
  assert.deepEqual(
    spread({ from: 'clientIp' }, (clientIp) => request({ clientIp })),
    byPath,
  );
  assert.deepEqual(
    spread({ from: 'header', name: 'x-user' }, (v) => request({ header: only('x-user', v) })),
    byPath,
  );
  assert.deepEqual(
    spread({ from: 'cookie', name: 'id' }, (v) => request({ cookie: only('id', v) })),
    byPath,
  );
});

test('requests without the key are spread, not sent to one backend', () => {
  const candidates = idle(4);
  for (const value of [undefined, '']) {
    const balancer = hashBy({ from: 'header', name: 'x-user' });
    const picked = Array.from({ length: 100 }, () =>
      balancer.pick(candidates, request({ header: () => value })),
    );
    assert.equal(new Set(picked).size, 4);
  }
});

test('without a balance factor a key stays with its backend however much that holds', () => {
  const crowd = [candidate('a:80', { pending: 500 }), candidate('b:80')];
  const paths = manyPaths.slice(0, 100);
  const bound = hashBy({ from: 'path' });
  const free = hashBy({ from: 'path' }, false);
  const picked = (balancer: Hash<FakeCandidate>) =>
    new Set(paths.map((path) => balancer.pick(crowd, request({ path })).name));
  assert.deepEqual([...picked(bound)], ['b:80']);
  assert.deepEqual([...picked(free)].sort(), ['a:80', 'b:80']);
});
