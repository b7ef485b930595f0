import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ownerOf } from '../../src/control/health/rendezvous.ts';

const ids = fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 8 });
const ref = fc.record({ service: fc.string(), backend: fc.string() });

test('the owner is one of the replicas, whatever their order and however often each is named', () => {
  fc.assert(
    fc.property(ref, ids, (what, replicas) => {
      const owner = ownerOf(what, replicas);
      assert.ok(replicas.includes(owner));
      assert.equal(ownerOf(what, replicas.toReversed()), owner);
      assert.equal(ownerOf(what, new Set([...replicas, ...replicas])), owner);
    }),
  );
});

test('a replica that goes moves only its own backends; one that comes takes only what it then owns', () => {
  fc.assert(
    fc.property(ref, ids, fc.nat(), (what, replicas, index) => {
      const gone = replicas[index % replicas.length] ?? '';
      const rest = replicas.filter((id) => id !== gone);
      if (rest.length === 0) return;
      const owner = ownerOf(what, replicas);
      if (owner !== gone) assert.equal(ownerOf(what, rest), owner);
    }),
  );
});

test('work is shared evenly within reason', () => {
  const replicas = ['gw-1', 'gw-2', 'gw-3', 'gw-4'];
  const counts = new Map<string, number>();
  for (let index = 0; index < 2_000; index++) {
    const owner = ownerOf({ service: 'web', backend: `10.0.${index >> 8}.${index & 255}:80` }, replicas);
    counts.set(owner, (counts.get(owner) ?? 0) + 1);
  }
  for (const id of replicas) assert.ok(Math.abs((counts.get(id) ?? 0) - 500) < 100, `${[...counts]}`);
});

test('replicas of any version say the same: the hash is pinned', () => {
  const owners = ['a:1', 'b:2', 'c:3', 'd:4'].map((backend) =>
    ownerOf({ service: 'web', backend }, ['one', 'two', 'three']),
  );
  assert.deepEqual(owners, ['one', 'one', 'one', 'three']);
});

test('the parts of a reference are kept apart', () => {
  const replicas = Array.from({ length: 64 }, (_, index) => `${index}`);
  const differs = ['1', '2', '3', '4'].some(
    (end) =>
      ownerOf({ service: 'a', backend: `b${end}` }, replicas) !==
      ownerOf({ service: 'ab', backend: end }, replicas),
  );
  assert.ok(differs);
});

test('without replicas there is no owner', () => {
  assert.throws(() => ownerOf({ service: 'web', backend: 'a:1' }, []), RangeError);
});
