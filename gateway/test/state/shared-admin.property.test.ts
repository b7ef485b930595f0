import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type AdminRecord, formatAdmin, parseAdmin, type Setting } from '../../src/control/state/records.ts';
import { SharedAdmin } from '../../src/control/state/shared-admin.ts';
import type { AdminState } from '../../src/data/port.ts';
import type { Clock } from '../../src/time.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { probedService, REF } from './fleet-stage.ts';

/** Replicas whose clocks differ, and one hash that they share. */
function fleet(skewsMs: readonly number[]) {
  const clock = new ManualClock();
  let stored: string | undefined;
  const replicas = skewsMs.map((skewMs, index) => {
    const applied: { state: AdminState; weight: number | undefined; probed: boolean } = {
      state: 'enabled',
      weight: undefined,
      probed: true,
    };
    const own: Clock = {
      now: () => clock.now(),
      wallNow: () => clock.wallNow() + skewMs,
      every: () => () => {},
    };
    const admin = new SharedAdmin({
      clock: own,
      replicaId: `r${index}`,
      port: {
        setAdmin: (_ref, state) => {
          applied.state = state;
          return true;
        },
        setWeight: (_ref, weight) => {
          applied.weight = weight;
          return true;
        },
      },
      setProbed: (_ref, probed) => {
        applied.probed = probed;
      },
    });
    admin.onPlan([probedService()]);
    const write = (record: AdminRecord | undefined): void => {
      if (record !== undefined) stored = formatAdmin(record);
    };
    return {
      admin,
      applied,
      write,
      sync: () => write(admin.merge(REF, stored === undefined ? undefined : parseAdmin(stored))),
    };
  });
  return {
    clock,
    replicas,
    lose: () => {
      stored = undefined;
    },
  };
}

const step = fc.oneof(
  fc.record({
    kind: fc.constant('state' as const),
    who: fc.nat(2),
    isAway: fc.boolean(),
    value: fc.constantFrom<AdminState>('enabled', 'draining', 'disabled'),
  }),
  fc.record({
    kind: fc.constant('weight' as const),
    who: fc.nat(2),
    isAway: fc.boolean(),
    value: fc.option(fc.integer({ min: 1, max: 1_000 }), { nil: undefined }),
  }),
  fc.record({ kind: fc.constant('sync' as const), who: fc.nat(2) }),
  fc.record({ kind: fc.constant('lose' as const) }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(1_000) }),
);

test('whatever operators do where and when, and whatever Redis loses, all replicas come to want the same', () => {
  fc.assert(
    fc.property(fc.array(step), fc.tuple(fc.nat(10_000), fc.nat(10_000)), (steps, [second, third]) => {
      const { replicas, clock, lose } = fleet([0, second, -third]);
      const states: Setting<AdminState>[] = [];
      for (const each of steps) {
        if (each.kind === 'lose') lose();
        else if (each.kind === 'wait') clock.advance(each.ms);
        else {
          const replica = replicas[each.who];
          if (replica === undefined) continue;
          if (each.kind === 'sync') replica.sync();
          else {
            const record =
              each.kind === 'state'
                ? replica.admin.setState(REF, each.value)
                : replica.admin.setWeight(REF, each.value);
            if (each.kind === 'state' && record?.state !== undefined) states.push(record.state);
            if (!each.isAway) replica.write(record);
          }
        }
      }
      for (const { sync } of [...replicas, ...replicas]) sync();
      const [first, ...others] = replicas.map(({ applied }) => applied);
      for (const other of others) assert.deepEqual(other, first);
      // the latest of all stands, by time and then by name
      const latest = states.sort((a, b) => a.when - b.when || (a.by < b.by ? -1 : 1)).at(-1);
      assert.equal(first?.state, latest?.value ?? 'enabled');
      assert.equal(first?.probed, first?.state !== 'disabled');
    }),
  );
});

test('an operator who has seen a setting can change it, whoever has the wrong clock', () => {
  const { replicas } = fleet([3_600_000, 0]);
  const [ahead, right] = replicas;
  ahead?.write(ahead.admin.setState(REF, 'draining'));
  right?.sync();
  right?.write(right.admin.setState(REF, 'enabled'));
  ahead?.sync();
  assert.equal(ahead?.applied.state, 'enabled');
});

test('nothing is kept of backends that are not there', () => {
  const { replicas } = fleet([0]);
  assert.equal(
    replicas[0]?.admin.setState({ service: 'web', backend: 'elsewhere:1' }, 'draining'),
    undefined,
  );
});
