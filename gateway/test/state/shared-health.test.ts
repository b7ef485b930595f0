import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { HealthRecord } from '../../src/control/state/records.ts';
import { SharedHealth } from '../../src/control/state/shared-health.ts';
import type { BackendStatus, HealthVerdict } from '../../src/data/port.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { probedService, REF } from './fleet-stage.ts';

/** A replica that has one backend, and hears of it. */
function stage(finds: HealthVerdict = { healthy: false, reason: 'refused' }) {
  const clock = new ManualClock();
  const calls: string[] = [];
  const here: { health: BackendStatus['health']; lastSuccessAgoMs: number | undefined } = {
    health: 'unknown',
    lastSuccessAgoMs: undefined,
  };
  const shared = new SharedHealth({
    clock,
    replicaId: 'a',
    health: {
      adopt: (_ref, { healthy }) => {
        calls.push(healthy ? 'adopt healthy' : 'adopt unhealthy');
        here.health = healthy ? 'healthy' : 'unhealthy';
      },
      confirm: () => {
        calls.push('confirm');
        return Promise.resolve(finds);
      },
    },
  });
  shared.onPlan([probedService()]);
  let seq = 0;
  const record = (healthy: boolean, changes: Partial<HealthRecord> = {}): HealthRecord => {
    seq += 1;
    return { verdict: { healthy, reason: '' }, by: 'b', when: clock.wallNow(), seq, ...changes };
  };
  return {
    clock,
    calls,
    here,
    shared,
    record,
    /** What is done about what was heard. */
    async look(): Promise<string[]> {
      shared.consider(() => here as BackendStatus);
      await turn();
      return calls.splice(0);
    },
    own(healthy: boolean): void {
      here.health = healthy ? 'healthy' : 'unhealthy';
      shared.probed(REF, { healthy, reason: '' }, true);
      clock.advance(50);
    },
  };
}

test('good news of a backend nothing is known of is taken at its word', async () => {
  const { shared, record, look } = stage();
  shared.heard(REF, record(true), 'told');
  assert.deepEqual(await look(), ['adopt healthy']);
  assert.deepEqual(await look(), []);
});

test('bad news needs a failing probe of our own', async () => {
  const { shared, record, look, own } = stage();
  own(true);
  shared.heard(REF, record(false), 'told');
  assert.deepEqual(await look(), ['confirm', 'adopt unhealthy']);
});

test('bad news that our own probe denies changes nothing, and is looked into again after five seconds', async () => {
  const { shared, record, look, own, clock, here } = stage({ healthy: true, reason: '' });
  own(true);
  shared.heard(REF, record(false), 'told');
  assert.deepEqual(await look(), ['confirm']);
  clock.advance(4_900);
  assert.deepEqual(await look(), []);
  clock.advance(200);
  assert.deepEqual(await look(), ['confirm']);
  assert.equal(here.health, 'healthy');
});

test('our own success of the last second outweighs bad news, for as long as it is that recent', async () => {
  const { shared, record, look, own, here } = stage();
  own(true);
  here.lastSuccessAgoMs = 900;
  shared.heard(REF, record(false), 'told');
  assert.deepEqual(await look(), []);
  here.lastSuccessAgoMs = 1_000;
  assert.deepEqual(await look(), ['confirm', 'adopt unhealthy']);
});

test('bad news of a backend nothing is known of is looked into too, and what we find stands', async () => {
  const { shared, record, look } = stage({ healthy: true, reason: '' });
  shared.heard(REF, record(false), 'read');
  assert.deepEqual(await look(), ['confirm', 'adopt healthy']);
});

test('what our own probe found later than the news stands', async () => {
  const { shared, record, look, own, clock } = stage();
  const old = record(true);
  clock.advance(1_000);
  own(false);
  shared.heard(REF, old, 'read');
  assert.deepEqual(await look(), []);
});

test('good news of a backend that failed before our own eyes needs our own probe', async () => {
  const partitioned = stage();
  partitioned.own(false);
  partitioned.shared.heard(REF, partitioned.record(true), 'told');
  assert.deepEqual(await partitioned.look(), ['confirm']);
  const recovered = stage({ healthy: true, reason: '' });
  recovered.own(false);
  recovered.shared.heard(REF, recovered.record(true), 'told');
  assert.deepEqual(await recovered.look(), ['confirm', 'adopt healthy']);
});

test('records that stood there longer than a minute, or are from the future, are not believed until they change', async () => {
  for (const offMs of [-60_100, 60_100]) {
    const { shared, record, look, clock } = stage();
    const when = clock.wallNow() + offMs;
    shared.heard(REF, record(true, { when }), 'read');
    assert.deepEqual(await look(), []);
    shared.heard(REF, record(true, { when: when + 1 }), 'read');
    assert.deepEqual(await look(), ['adopt healthy'], 'the writer has a wrong clock, and writes');
  }
});

test('older numbers of the same replica, and our own record, are no news', async () => {
  const { shared, record, look } = stage();
  const first = record(false);
  shared.heard(REF, record(true), 'told');
  assert.deepEqual(await look(), ['adopt healthy']);
  shared.heard(REF, first, 'read');
  shared.heard(REF, record(false, { by: 'a' }), 'told');
  assert.deepEqual(await look(), []);
});

test('a backend that its owner says nothing of is overdue, until it does', () => {
  const { shared, record, clock } = stage();
  const key = 'web/127.0.0.1:3001';
  clock.advance(3_000);
  assert.equal(shared.overdue().has(key), false);
  clock.advance(100);
  assert.equal(shared.overdue().has(key), true);
  shared.heard(REF, record(true), 'told');
  assert.equal(shared.overdue().has(key), false);
  clock.advance(22_000);
  assert.equal(shared.overdue().has(key), false);
  clock.advance(100);
  assert.equal(shared.overdue().has(key), true);
});

test('a flip is written whoever probed; what merely stands, by its owner', () => {
  const { shared, own } = stage();
  own(true);
  assert.equal(shared.due(() => false).length, 1);
  shared.probed(REF, { healthy: true, reason: '' }, false);
  assert.equal(shared.due(() => false).length, 0);
  shared.probed(REF, { healthy: true, reason: '' }, false);
  assert.deepEqual(
    shared.due(() => true).map(({ isNews }) => isNews),
    [false],
  );
  assert.equal(shared.due(() => true).length, 0);
  shared.onConnected();
  assert.equal(shared.due(() => true).length, 1, 'Redis may have lost it');
});
