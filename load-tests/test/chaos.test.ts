import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Backend, readBackends } from '../chaos/backends.ts';
import { FAULTS, readFaults } from '../chaos/faults.ts';
import { faultAt, readSchedule } from '../chaos/schedule.ts';
import { type Use, Victims } from '../chaos/victims.ts';

const labels = (env: Record<string, string>) =>
  [...readBackends(env).values()].flat().map(({ label, address }) => `${label} ${address}`);

test("the backends are the demo's, moved by its environment, and web is left out while it is alone", () => {
  assert.deepEqual(labels({}), [
    'db-1 127.0.0.1:3001',
    'db-2 127.0.0.1:3011',
    'db-3 127.0.0.1:3021',
    'files-1 127.0.0.1:3002',
    'files-2 127.0.0.1:3012',
    'chat-1 127.0.0.1:3003',
    'chat-2 127.0.0.1:3013',
  ]);
  const moved = labels({ DB_PORT_2: '4', FILES_HOST_1: 'files-a', DB_PORT_4: '5', WEB_PORT: '6' });
  assert.ok(moved.includes('db-2 127.0.0.1:4'));
  assert.ok(moved.includes('db-4 127.0.0.1:5'));
  assert.ok(moved.includes('files-1 files-a:3002'));
  assert.ok(!moved.some((label) => label.startsWith('web')));
  assert.deepEqual(labels({ WEB_PORT: '6', WEB_PORT_2: '7' }).slice(0, 2), [
    'web-1 127.0.0.1:6',
    'web-2 127.0.0.1:7',
  ]);
});

test('each fault has its time, then the gateway has the time to take its victims back', () => {
  const { slots, totalS } = readSchedule({});
  assert.deepEqual(
    slots.map(({ fault }) => fault.name),
    FAULTS.map(({ name }) => name),
  );
  for (const [index, slot] of slots.entries()) {
    assert.equal(slot.endS - slot.startS, 5);
    assert.ok(slot.settledS - slot.endS >= 2);
    const next = slots[index + 1];
    assert.equal(slot.settledS, next?.startS ?? totalS);
    if (next !== undefined) assert.ok(slot.settledS - slot.startS >= slot.fault.outS);
  }
  assert.ok(totalS <= 45, `${totalS} s is too long for every build`);
});

test('the environment changes the schedule, and nonsense in it is refused', () => {
  const env = {
    CHAOS_SECONDS: '1',
    CHAOS_SETTLE_SECONDS: '0.5',
    CHAOS_FAULTS: 'hang, kill',
    CHAOS_ROUNDS: '2',
  };
  const { slots, totalS } = readSchedule(env);
  assert.deepEqual(
    slots.map(({ fault }) => fault.name),
    ['hang', 'kill', 'hang', 'kill'],
  );
  assert.equal(totalS, 2 + 4 * 1.5);
  assert.throws(() => readSchedule({ CHAOS_SECONDS: '-1' }), /CHAOS_SECONDS must be a number above 0/);
  assert.throws(() => readFaults('kil'), /there is no fault 'kil'; known: kill, slow/);
});

test('a moment belongs to the fault that is on or was last', () => {
  const schedule = readSchedule({ CHAOS_FAULTS: 'kill,hang', CHAOS_SECONDS: '1', CHAOS_SETTLE_SECONDS: '1' });
  const names = [0, 1.9, 2, 3.9, 4, 99].map((atS) => faultAt(atS, schedule));
  assert.deepEqual(names, ['none', 'none', 'kill', 'kill', 'hang', 'hang']);
});

const DB: readonly Backend[] = [1, 2, 3].map((number) => ({
  service: 'db',
  label: `db-${number}`,
  address: `127.0.0.1:${number}`,
}));

test('victims take turns, and those without requests are passed over', () => {
  const victims = new Victims(new Map([['db', DB]]));
  const next = (uses: Readonly<Record<string, Use>> = {}) =>
    victims.next(({ label }) => uses[label] ?? 'used').map(({ label }) => label);
  assert.deepEqual(next(), ['db-1']);
  assert.deepEqual(next(), ['db-2']);
  assert.deepEqual(next({ 'db-3': 'idle' }), ['db-1']);
  assert.deepEqual(next({ 'db-2': 'out' }), ['db-3']);
  assert.deepEqual(next({ 'db-1': 'out', 'db-2': 'out' }), ['db-1']);
});

test('the last backend in the rotation is never broken', () => {
  const use = fc.constantFrom<Use>('used', 'idle', 'out');
  const views = fc.array(fc.tuple(use, use, use), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(views, (rounds) => {
      const victims = new Victims(new Map([['db', DB]]));
      for (const uses of rounds) {
        const useOf = (backend: Backend) => uses[DB.indexOf(backend)] ?? 'out';
        const [victim] = victims.next(useOf);
        const left = DB.filter((backend) => useOf(backend) !== 'out' && backend !== victim);
        const before = DB.filter((backend) => useOf(backend) !== 'out');
        assert.ok(victim !== undefined);
        assert.ok(before.length === 0 || left.length > 0);
      }
    }),
  );
});
