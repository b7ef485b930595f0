import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ProbeQueue, type QueuedProbe } from '../../src/control/health/probe-queue.ts';

/** Probes that note their start and keep their release. */
function recorder() {
  const started: string[] = [];
  const releases = new Map<string, () => void>();
  const probe = (lane: string, name: string): QueuedProbe => ({
    lane,
    start(release) {
      started.push(name);
      releases.set(name, release);
    },
  });
  return { started, releases, probe };
}

test('lanes take turns, so that one with many waiting does not hold up another', () => {
  const { started, releases, probe } = recorder();
  const queue = new ProbeQueue(1);
  for (const name of ['a1', 'a2', 'a3', 'a4']) queue.add(probe('a', name), false);
  queue.add(probe('b', 'b1'), false);
  queue.add(probe('b', 'b2'), false);
  for (let turn = 0; turn < 6; turn++) releases.get(started.at(-1) ?? '')?.();
  assert.deepEqual(started, ['a1', 'a2', 'b1', 'a3', 'b2', 'a4']);
});

test('an urgent probe goes before all others', () => {
  const { started, releases, probe } = recorder();
  const queue = new ProbeQueue(1);
  for (const name of ['a1', 'a2']) queue.add(probe('a', name), false);
  queue.add(probe('b', 'urgent'), true);
  releases.get('a1')?.();
  assert.deepEqual(started, ['a1', 'urgent']);
});

test('a probe that waits and becomes urgent still starts once', () => {
  const { started, releases, probe } = recorder();
  const queue = new ProbeQueue(1);
  queue.add(probe('a', 'a1'), false);
  const twice = probe('a', 'a2');
  queue.add(twice, false);
  queue.add(twice, true);
  releases.get('a1')?.();
  releases.get('a2')?.();
  assert.deepEqual(started, ['a1', 'a2']);
  assert.equal(queue.running, 0);
});

test('ten thousand probes that end at once need no deep stack', () => {
  const queue = new ProbeQueue(2);
  let ended = 0;
  const blocked: (() => void)[] = [];
  for (const name of ['x', 'y']) queue.add({ lane: name, start: (release) => blocked.push(release) }, false);
  for (let index = 0; index < 10_000; index++)
    queue.add(
      {
        lane: 'a',
        start(release) {
          ended += 1;
          release();
        },
      },
      false,
    );
  blocked[0]?.();
  assert.equal(ended, 10_000);
});

type Step =
  | { readonly kind: 'add'; readonly lane: string; readonly urgent: boolean }
  | { readonly kind: 'release' | 'remove'; readonly which: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('add' as const),
    lane: fc.constantFrom('a', 'b', 'c'),
    urgent: fc.boolean(),
  }),
  fc.record({ kind: fc.constantFrom('release' as const, 'remove' as const), which: fc.nat() }),
);

test('never more than the limit run, none starts twice, and none that waits is left when all are released', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), fc.integer({ min: 1, max: 4 }), (steps, max) => {
      const { started, releases, probe } = recorder();
      const queue = new ProbeQueue(max);
      const added: { readonly name: string; readonly probe: QueuedProbe; removed: boolean }[] = [];
      for (const each of steps) {
        const one = each.kind === 'add' ? undefined : added[each.which % Math.max(1, added.length)];
        if (each.kind === 'add') {
          const name = `${added.length}`;
          added.push({ name, probe: probe(each.lane, name), removed: false });
          queue.add(added.at(-1)?.probe ?? probe('', ''), each.urgent);
        } else if (one !== undefined && each.kind === 'remove') {
          queue.remove(one.probe);
          one.removed ||= !started.includes(one.name);
        } else if (one !== undefined) {
          releases.get(one.name)?.();
          releases.get(one.name)?.();
        }
        assert.ok(queue.running <= max);
      }
      for (let index = 0; index < started.length; index++) releases.get(started[index] ?? '')?.();
      assert.equal(queue.running, 0);
      const expected = added.filter(({ removed }) => !removed).map(({ name }) => name);
      assert.deepEqual(started.toSorted(), expected.toSorted());
    }),
  );
});
