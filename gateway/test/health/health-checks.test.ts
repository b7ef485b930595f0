import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeProbes, probedService, refOf } from './fake-probes.ts';

const WEB = refOf('web');
const NAME = WEB.backend;
const gaps = (times: readonly number[]): number[] =>
  times.slice(1).map((time, index) => time - (times[index] ?? 0));
/** The wheel fires up to two of its ticks late, never early. */
const assertAbout = (actualMs: number, expectedMs: number, slackMs = 0): void =>
  assert.ok(
    actualMs >= expectedMs - slackMs && actualMs <= expectedMs + slackMs + 150,
    `${actualMs} ms, not ${expectedMs} ms`,
  );

test('the first probe is sent at once, and its verdict is told', async () => {
  const fake = new FakeProbes();
  fake.checks.update([probedService('web', 2)]);
  assert.deepEqual(fake.verdicts, [true, true]);
  await fake.checks.firstRound(10_000);
  const verdict = { healthy: true, reason: 'success' };
  assert.deepEqual(fake.shared[0], { ref: WEB, outcome: 'success', verdict, flipped: true });
  assert.deepEqual(fake.logged, []);
});

test('a service without health is not probed', () => {
  const fake = new FakeProbes();
  fake.checks.update([probedService('web', 2, {}, { health: undefined })]);
  fake.clock.advance(20_000);
  assert.deepEqual(fake.started, []);
});

test('first probes of many are spread over a second at most, and over the interval if that is shorter', () => {
  for (const [intervalMs, spreadMs] of [
    [5_000, 1_000],
    [400, 400],
  ] as const) {
    const fake = new FakeProbes();
    fake.outcome = () => undefined;
    fake.checks.update([probedService('web', 200, { intervalMs })]);
    assert.ok(fake.started.length < 10);
    for (let halves = 0; halves < 2; halves++) {
      for (const probe of [...fake.underWay]) probe.answer('success', 'ok');
      fake.clock.advance(spreadMs / 2 + 50);
    }
    for (let rest = 0; rest < 4; rest++) {
      for (const probe of [...fake.underWay]) probe.answer('success', 'ok');
    }
    assert.equal(new Set(fake.started.map(({ target }) => target.backend.name)).size, 200);
  }
});

test('the interval varies by 10 % either way', () => {
  for (const [random, expectedMs] of [
    [0, 4_500],
    [0.5, 5_000],
    [0.999, 5_500],
  ] as const) {
    const fake = new FakeProbes();
    fake.random = random;
    fake.checks.update([probedService('web', 1)]);
    fake.clock.advance(30_000);
    for (const gap of gaps(fake.times(NAME))) assertAbout(gap, expectedMs);
  }
});

test('three bad probes make it unhealthy, a second apart; two good ones healthy again', () => {
  const fake = new FakeProbes();
  fake.checks.update([probedService('web', 1)]);
  fake.outcome = () => 'failure';
  fake.clock.advance(8_000);
  const [first, second, third, fourth] = gaps(fake.times(NAME));
  assertAbout(first ?? 0, 5_000);
  assertAbout(second ?? 0, 1_000);
  assertAbout(third ?? 0, 1_000);
  assert.equal(fourth, undefined);
  assert.deepEqual(fake.verdicts, [true, false]);
  fake.outcome = () => 'success';
  fake.clock.advance(2_400);
  assert.deepEqual(fake.verdicts, [true, false, true]);
  assert.deepEqual(fake.logged, [
    `warn: web ${NAME} is unhealthy: failure`,
    `info: web ${NAME} is healthy again: success`,
  ]);
});

test('one that fell is asked every second for half a minute, then at its interval, and every second once it answers', () => {
  const fake = new FakeProbes();
  fake.outcome = () => 'timeout';
  fake.checks.update([probedService('web', 1, { intervalMs: 10_000 })]);
  fake.clock.advance(60_000);
  const all = gaps(fake.times(NAME));
  const hurried = all.filter((gap) => gap < 1_200).length;
  assert.ok(hurried >= 27 && hurried <= 30, `${hurried} in haste`);
  assertAbout(all.at(-1) ?? 0, 10_000);
  fake.outcome = () => 'success';
  fake.clock.advance(11_500);
  assert.deepEqual(fake.verdicts, [false, true]);
});

test('a verdict keeps the reason of what bears it out', () => {
  const fake = new FakeProbes();
  fake.checks.update([probedService('web', 1)]);
  fake.outcome = () => 'timeout';
  fake.clock.advance(5_200);
  assert.deepEqual(fake.shared.at(-1)?.verdict, { healthy: true, reason: 'success' });
  fake.clock.advance(2_400);
  fake.outcome = () => 'failure';
  fake.clock.advance(1_200);
  assert.deepEqual(fake.shared.at(-1)?.verdict, { healthy: false, reason: 'failure' });
});

test('an interval shorter than a second is not made longer by haste', () => {
  const fake = new FakeProbes();
  fake.outcome = () => 'failure';
  fake.checks.update([probedService('web', 1, { intervalMs: 300 })]);
  fake.clock.advance(3_000);
  for (const gap of gaps(fake.times(NAME))) assertAbout(gap, 300);
});

test('live traffic that was refused brings a probe within half a second, and one failure is enough', () => {
  const fake = new FakeProbes();
  fake.checks.update([probedService('web', 1)]);
  fake.clock.advance(1_000);
  fake.outcome = () => 'failure';
  for (let call = 0; call < 5; call++) fake.checks.probeSoon(WEB);
  const calledMs = fake.clock.now();
  fake.clock.advance(700);
  assert.equal(fake.times(NAME).length, 2);
  assertAbout((fake.times(NAME)[1] ?? 0) - calledMs, 275);
  assert.deepEqual(fake.verdicts, [true, false]);
  fake.checks.probeSoon(WEB);
  fake.clock.advance(500);
  assert.equal(fake.times(NAME).length, 2, 'that an unhealthy backend refuses is no news');
});

test('a good probe clears the suspicion', () => {
  const fake = new FakeProbes();
  fake.checks.update([probedService('web', 1)]);
  fake.checks.probeSoon(WEB);
  fake.clock.advance(700);
  assert.equal(fake.times(NAME).length, 2);
  fake.outcome = () => 'failure';
  fake.clock.advance(6_000);
  assert.deepEqual(fake.verdicts, [true]);
});

test('a probe that was under way when traffic was refused does not clear the suspicion', () => {
  const fake = new FakeProbes();
  fake.checks.update([probedService('web', 1)]);
  fake.outcome = () => undefined;
  fake.clock.advance(5_200);
  fake.checks.probeSoon(WEB);
  for (const probe of fake.underWay) probe.answer('success', 'answered before');
  fake.outcome = () => 'failure';
  fake.clock.advance(700);
  assert.equal(fake.times(NAME).length, 3);
  assert.deepEqual(fake.verdicts, [true, false]);
});

test('a verdict of another replica is told if it is news, and thresholds start afresh', () => {
  const fake = new FakeProbes();
  fake.checks.update([probedService('web', 1)]);
  fake.outcome = () => 'failure';
  fake.clock.advance(6_500);
  assert.equal(fake.shared.length, 3);
  fake.checks.adopt(WEB, { healthy: true, reason: 'seen by gw-2' });
  assert.deepEqual(fake.verdicts, [true]);
  // two of three were bad: after another word three more are needed
  fake.clock.advance(7_300);
  assert.deepEqual(fake.verdicts, [true, false]);
  assert.equal(fake.shared.length, 6);
  fake.checks.adopt(WEB, { healthy: true, reason: 'seen by gw-2' });
  assert.deepEqual(fake.told.at(-1)?.verdict, { healthy: true, reason: 'seen by gw-2' });
});

test('a warm boot counts as a verdict', async () => {
  const fake = new FakeProbes();
  fake.outcome = () => undefined;
  fake.checks.update([probedService('web', 1)]);
  let over = false;
  const round = fake.checks.firstRound(10_000).then(() => {
    over = true;
  });
  await Promise.resolve();
  assert.equal(over, false);
  fake.checks.adopt(WEB, { healthy: true, reason: 'remembered' });
  await round;
  assert.equal(over, true);
});

test('the first round ends when its time is over', async () => {
  const fake = new FakeProbes();
  fake.outcome = () => undefined;
  fake.checks.update([probedService('web', 1)]);
  const round = fake.checks.firstRound(3_000);
  fake.clock.advance(3_200);
  await round;
  assert.deepEqual(fake.told, []);
});

test('to confirm is to probe now, without counting, without telling, and without moving the schedule', async () => {
  const fake = new FakeProbes();
  fake.checks.update([probedService('web', 1, { fall: 1 })]);
  fake.clock.advance(3_000);
  fake.outcome = () => 'failure';
  const result = await fake.checks.confirm(WEB);
  assert.deepEqual([result.outcome, result.reason], ['failure', 'failure']);
  assert.deepEqual(fake.verdicts, [true]);
  assert.equal(fake.shared.length, 1);
  fake.outcome = () => 'success';
  fake.clock.advance(2_200);
  assertAbout((fake.times(NAME)[2] ?? 0) - (fake.times(NAME)[0] ?? 0), 5_000);
  assert.deepEqual(fake.checks.results(), [{ ...WEB, success: 2, failure: 1, timeout: 0 }]);
});

test('several confirmations, and a probe due meanwhile, are one probe', async () => {
  const fake = new FakeProbes();
  fake.checks.update([probedService('web', 1)]);
  fake.clock.advance(4_500);
  fake.outcome = () => undefined;
  const asked = [fake.checks.confirm(WEB), fake.checks.confirm(WEB)];
  fake.clock.advance(1_000);
  assert.equal(fake.underWay.size, 1);
  for (const probe of fake.underWay) probe.answer('success', 'fine');
  assert.deepEqual(
    (await Promise.all(asked)).map(({ reason }) => reason),
    ['fine', 'fine'],
  );
  assert.equal(fake.shared.length, 2);
});

test('what cannot be confirmed is answered all the same', async () => {
  const fake = new FakeProbes();
  assert.equal((await fake.checks.confirm(WEB)).reason, 'not a probed backend');
  fake.outcome = () => undefined;
  fake.checks.update([probedService('web', 1)]);
  const asked = fake.checks.confirm(WEB);
  fake.checks.setProbed(WEB, false);
  assert.equal((await asked).reason, 'not probed while disabled');
  assert.equal((await fake.checks.confirm(WEB)).reason, 'not probed while disabled');
});

test('a disabled backend is not probed; enabled again, it is at once and the result decides alone', async () => {
  const fake = new FakeProbes();
  fake.checks.update([probedService('web', 1)]);
  fake.outcome = () => undefined;
  fake.clock.advance(5_200);
  fake.checks.setProbed(WEB, false);
  assert.equal(fake.underWay.size, 0);
  fake.clock.advance(60_000);
  assert.equal(fake.times(NAME).length, 2);
  fake.outcome = () => 'failure';
  fake.checks.setProbed(WEB, true);
  assert.equal(fake.times(NAME).length, 3);
  assert.deepEqual(fake.verdicts, [true, false]);
});

test('an aborted probe gives its turn to another, and its late answer is dropped', () => {
  const fake = new FakeProbes();
  fake.outcome = () => undefined;
  fake.checks.update([probedService('a', 64), probedService('b', 64)]);
  fake.clock.advance(1_500);
  const first = [...fake.underWay];
  assert.equal(first.length, 64);
  for (let index = 0; index < 64; index++) {
    fake.checks.setProbed(refOf('a', index), false);
    fake.checks.setProbed(refOf('b', index), false);
  }
  for (const probe of first) probe.answer('failure', 'late');
  assert.deepEqual(fake.told, []);
  assert.ok(fake.checks.results().every(({ failure }) => failure === 0));
  fake.checks.setProbed(refOf('a'), true);
  assert.equal(fake.underWay.size, 1);
});

test('the first round does not wait for what is disabled', async () => {
  const fake = new FakeProbes();
  fake.outcome = () => undefined;
  fake.checks.update([probedService('web', 1)]);
  const round = fake.checks.firstRound(10_000);
  fake.checks.setProbed(WEB, false);
  await round;
});

test('short of descriptors, verdicts stand, and it is said once', () => {
  const fake = new FakeProbes();
  fake.checks.update([probedService('web', 3)]);
  fake.outcome = () => 'unable';
  fake.clock.advance(30_000);
  assert.deepEqual(fake.verdicts, [true, true, true]);
  assert.equal(fake.logged.length, 1);
  assert.match(fake.logged[0] ?? '', /^error: cannot probe web .*; verdicts stay as they are$/);
  assert.equal(fake.shared.length, 3);
});

test('listeners that throw are logged and end nothing', () => {
  const failing = (): never => {
    throw new Error('listener');
  };
  const fake = new FakeProbes({ setHealth: failing, onProbe: failing, owns: failing });
  fake.checks.update([probedService('web', 1)]);
  fake.clock.advance(20_000);
  assert.equal(fake.times(NAME).length, 4);
  assert.ok(fake.logged.every((line) => line.startsWith('error: health: Error: listener')));
});

test('after close nothing is under way, nothing is told and no tick is left', async () => {
  let ticking = 0;
  const fake = new FakeProbes();
  const every = fake.clock.every.bind(fake.clock);
  fake.clock.every = (intervalMs, tick) => {
    ticking += 1;
    const stop = every(intervalMs, tick);
    return () => {
      ticking -= 1;
      stop();
    };
  };
  const closing = new FakeProbes({ clock: fake.clock });
  closing.outcome = () => undefined;
  closing.checks.update([probedService('web', 200)]);
  fake.clock.advance(2_000);
  assert.equal(ticking, 1);
  const left = [...closing.underWay];
  const waiting = [closing.checks.firstRound(60_000), closing.checks.confirm(WEB)];
  closing.checks.close();
  closing.checks.close();
  await Promise.all(waiting);
  for (const probe of left) probe.answer('success', 'late');
  closing.checks.update([probedService('web', 1)]);
  closing.checks.probeSoon(WEB);
  closing.checks.ownersChanged();
  fake.clock.advance(60_000);
  assert.ok(left.length === 64 && left.every(({ aborted }) => aborted));
  assert.equal(closing.started.length, 64);
  assert.deepEqual(closing.told, []);
  assert.equal(ticking, 0);
});
