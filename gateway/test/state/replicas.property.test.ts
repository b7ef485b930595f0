import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ownerOf } from '../../src/control/health/rendezvous.ts';
import { fleetBreaker, observe } from '../../src/control/state/breaker-quorum.ts';
import {
  DEAD_AFTER_MS,
  FORGOTTEN_AFTER_MS,
  MAX_REPLICAS,
  Replicas,
} from '../../src/control/state/replicas.ts';

const BEAT_MS = 500;
/** The longest a heartbeat takes to be heard, in this model. */
const DELAY_MS = 100;

const IDS = ['a', 'b', 'c', 'd'];

test('two seconds after any deaths, every backend is probed by exactly one live replica', () => {
  const death = fc.record({ id: fc.constantFrom(...IDS), atMs: fc.integer({ min: 0, max: 8_000 }) });
  fc.assert(
    fc.property(
      fc.array(death, { maxLength: 3 }),
      fc.array(fc.integer({ min: 0, max: 499 }), { minLength: 4, maxLength: 4 }),
      (deaths, phases) => {
        const views = new Map(IDS.map((id) => [id, new Replicas(id)]));
        const diedMs = new Map(deaths.map(({ id, atMs }) => [id, atMs]));
        const alive = (id: string, nowMs: number): boolean =>
          nowMs < (diedMs.get(id) ?? Number.POSITIVE_INFINITY);
        let lastDeathMs = 0;
        for (let nowMs = 0; nowMs <= 12_000; nowMs += 50) {
          for (const [index, id] of IDS.entries()) {
            const sentMs = nowMs - DELAY_MS;
            if ((sentMs + (phases[index] ?? 0)) % BEAT_MS >= 50 || sentMs < 0 || !alive(id, sentMs)) continue;
            for (const [other, view] of views)
              if (alive(other, nowMs)) view.heard(id, Math.ceil(sentMs / BEAT_MS) + 1, nowMs);
          }
          lastDeathMs = Math.max(lastDeathMs, ...[...diedMs.values()].filter((ms) => ms <= nowMs));
          if (nowMs < 1_000 || nowMs - lastDeathMs < 2_000 || nowMs % 500 !== 0) continue;
          const living = IDS.filter((id) => alive(id, nowMs));
          for (let port = 0; port < 8; port++) {
            const ref = { service: 'web', backend: `127.0.0.1:${port}` };
            const owners = living.filter((id) => ownerOf(ref, views.get(id)?.live(nowMs) ?? []) === id);
            assert.equal(owners.length, 1, `${ref.backend} at ${nowMs}: ${owners}`);
          }
        }
      },
    ),
    { numRuns: 30 },
  );
});

test('a replica lives while its number moves, whatever the number is, and always counts itself', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          id: fc.constantFrom(...IDS),
          seq: fc.nat(5),
          afterMs: fc.nat(3_000),
          leaves: fc.boolean(),
        }),
      ),
      (events) => {
        const replicas = new Replicas('a');
        const moved = new Map<string, { seq: number; ms: number; left: boolean }>();
        let nowMs = 0;
        for (const { id, seq, afterMs, leaves } of events) {
          nowMs += afterMs;
          const before = moved.get(id);
          if (leaves) {
            replicas.left(id, seq);
            if (before !== undefined && seq >= before.seq) moved.set(id, { ...before, seq, left: true });
          } else {
            replicas.heard(id, seq, nowMs);
            if (before === undefined || seq > before.seq) moved.set(id, { seq, ms: nowMs, left: false });
          }
          const expected = IDS.filter((each) => {
            const { ms = Number.NEGATIVE_INFINITY, left = true } = moved.get(each) ?? {};
            return each === 'a' || (!left && nowMs - ms < DEAD_AFTER_MS);
          });
          assert.deepEqual(replicas.live(nowMs), expected);
        }
      },
    ),
  );
});

test('the long dead are forgotten once, and there is no end of memory to strangers', () => {
  const replicas = new Replicas('a');
  replicas.heard('b', 1, 0);
  assert.deepEqual(replicas.forget(FORGOTTEN_AFTER_MS - 1), []);
  assert.deepEqual(replicas.forget(FORGOTTEN_AFTER_MS), ['b']);
  assert.deepEqual(replicas.forget(FORGOTTEN_AFTER_MS), []);
  for (let n = 0; n < 10_000; n++) replicas.heard(`id-${n}`, 1, 0);
  assert.equal(replicas.live(0).length, MAX_REPLICAS + 1);
});

test('one replica never opens a breaker for all, nor any number where traffic goes well, nor half of them', () => {
  const beat = fc.record({
    seq: fc.nat(),
    open: fc.subarray(['web/a', 'web/b']),
    good: fc.subarray(['web/a', 'web/b']),
  });
  const view = fc.record({
    key: fc.constantFrom('web/a', 'web/b'),
    open: fc.boolean(),
    lastSuccessAgoMs: fc.option(fc.nat(20_000), { nil: undefined }),
  });
  fc.assert(
    fc.property(view, fc.array(beat, { maxLength: 6 }), fc.nat(3), (seen, others, silent) => {
      const live = 1 + others.length + silent;
      const reports = others.filter(({ open }) => open.includes(seen.key)).length + (seen.open ? 1 : 0);
      const isVetoed = seen.lastSuccessAgoMs !== undefined && seen.lastSuccessAgoMs < 10_000;
      const isOpen = fleetBreaker(seen, others, live) !== undefined;
      assert.equal(isOpen, !isVetoed && reports >= 2 && reports > live / 2);
    }),
  );
});

test('a heartbeat tells of our own breakers, and of success only where someone doubts', () => {
  const others = [{ seq: 1, open: ['web/b', 'web/c'], good: [] }];
  const views = [
    { key: 'web/a', open: true, lastSuccessAgoMs: 5 },
    { key: 'web/b', open: false, lastSuccessAgoMs: 5 },
    { key: 'web/c', open: false, lastSuccessAgoMs: 10_000 },
    { key: 'web/d', open: false, lastSuccessAgoMs: 5 },
  ];
  assert.deepEqual(observe(views, others), { open: ['web/a'], good: ['web/b'] });
});
