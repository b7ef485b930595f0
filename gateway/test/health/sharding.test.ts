import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ownerOf } from '../../src/control/health/rendezvous.ts';
import { FakeProbes, probedService, refOf } from './fake-probes.ts';

const WEB = refOf('web');
const WELL = { healthy: true, reason: 'seen by gw-2' };

/** One whose backends another replica owns, and has spoken of. */
function foreign(): FakeProbes {
  const fake = new FakeProbes();
  fake.owns = () => false;
  fake.checks.update([probedService('web', 1)]);
  fake.checks.adopt(WEB, WELL);
  return fake;
}

test('what another replica owns is left to it', () => {
  const fake = foreign();
  fake.clock.advance(60_000);
  assert.deepEqual(fake.started, []);
});

test('one that nobody speaks of is probed after a second all the same, until there is a verdict', () => {
  const fake = new FakeProbes();
  fake.owns = () => false;
  fake.checks.update([probedService('web', 1)]);
  assert.deepEqual(fake.started, []);
  fake.clock.advance(60_000);
  assert.equal(fake.started.length, 1);
  assert.deepEqual(fake.verdicts, [true]);
});

test('what becomes ours before its first verdict is probed at once', () => {
  const fake = new FakeProbes();
  fake.owns = () => false;
  fake.checks.update([probedService('web', 3)]);
  fake.owns = ({ backend }) => backend !== refOf('web', 2).backend;
  fake.checks.ownersChanged();
  fake.checks.ownersChanged();
  assert.deepEqual(fake.verdicts, [true, true]);
});

test('what became ours is probed within a second when we have not done so lately', () => {
  const fake = foreign();
  fake.clock.advance(10_000);
  fake.owns = () => true;
  fake.checks.ownersChanged();
  fake.clock.advance(1_000);
  assert.equal(fake.started.length, 1);
  // it goes and comes back within its interval
  fake.owns = () => false;
  fake.checks.ownersChanged();
  fake.owns = () => true;
  fake.checks.ownersChanged();
  fake.clock.advance(1_000);
  assert.equal(fake.started.length, 1);
  fake.clock.advance(4_000);
  assert.equal(fake.started.length, 2);
});

test('what is no longer ours is not probed any more, also when it is unhealthy', () => {
  const fake = new FakeProbes();
  fake.outcome = () => 'failure';
  fake.checks.update([probedService('web', 1)]);
  fake.owns = () => false;
  fake.checks.ownersChanged();
  fake.clock.advance(60_000);
  assert.equal(fake.started.length, 1);
});

test('a refusal of our own traffic is looked into whoever owns it, until it is well or its owner has spoken', () => {
  const fake = foreign();
  fake.outcome = () => 'failure';
  fake.checks.probeSoon(WEB);
  fake.clock.advance(3_000);
  assert.deepEqual(fake.verdicts, [true, false]);
  const whileDoubted = fake.started.length;
  assert.ok(whileDoubted >= 3);
  fake.checks.adopt(WEB, { healthy: false, reason: 'seen by gw-2' });
  fake.clock.advance(20_000);
  assert.equal(fake.started.length, whileDoubted);

  const other = foreign();
  other.checks.probeSoon(WEB);
  other.clock.advance(30_000);
  assert.equal(other.started.length, 1, 'one good probe, and it is left to its owner again');
});

test('praise by another replica does not call off a probe that our own traffic asked for', () => {
  const fake = foreign();
  fake.outcome = () => 'failure';
  fake.checks.probeSoon(WEB);
  fake.checks.adopt(WEB, WELL);
  fake.clock.advance(700);
  assert.deepEqual(fake.verdicts, [true, false]);
});

test('two replicas send together as many probes as one, and the one that is left takes all over', () => {
  const service = probedService('web', 60);
  const alive = new Set(['gw-1', 'gw-2']);
  const fleet = ['gw-1', 'gw-2'].map((id) => {
    const fake = new FakeProbes();
    fake.owns = (ref) => ownerOf(ref, alive) === id;
    fake.checks.update([service]);
    return fake;
  });
  const [one, two] = fleet;
  assert.ok(one !== undefined && two !== undefined);
  // what one found the other hears
  for (const [from, to] of [
    [one, two],
    [two, one],
  ] as const)
    for (const { ref, verdict } of [...from.told]) to.checks.adopt(ref, verdict);
  for (const fake of fleet) fake.clock.advance(50_000);
  const sent = one.started.length + two.started.length;
  const alone = new FakeProbes();
  alone.checks.update([service]);
  alone.clock.advance(50_000);
  assert.ok(sent <= alone.started.length * 1.2, `${sent} probes, ${alone.started.length} of one alone`);

  alive.delete('gw-1');
  one.checks.close();
  const before = two.clock.now();
  two.checks.ownersChanged();
  two.clock.advance(6_500);
  const probed = two.started.filter(({ startedMs }) => startedMs > before);
  assert.equal(new Set(probed.map(({ target }) => target.backend.name)).size, 60);
});
