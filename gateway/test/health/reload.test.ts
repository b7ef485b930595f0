import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServicePlan } from '../../src/data/plan.ts';
import { FakeProbes, probedService, refOf } from './fake-probes.ts';

const WEB = refOf('web');

test('what did not change keeps its verdict, its schedule and its probe under way', () => {
  const fake = new FakeProbes();
  fake.checks.update([probedService('web', 1)]);
  fake.clock.advance(4_000);
  // chance would have it sooner if it were asked again
  fake.random = 0;
  for (let reload = 0; reload < 50; reload++) fake.checks.update([probedService('web', 1)]);
  fake.clock.advance(950);
  assert.equal(fake.started.length, 1);
  fake.outcome = () => undefined;
  fake.clock.advance(250);
  assert.equal(fake.started.length, 2);
  fake.checks.update([probedService('web', 1)]);
  assert.equal(fake.underWay.size, 1);
});

test('standing verdicts are told again: the data plane may have built a backend anew', () => {
  const fake = new FakeProbes();
  fake.checks.update([probedService('web', 1)]);
  fake.checks.update([probedService('web', 1)]);
  assert.deepEqual(fake.verdicts, [true, true]);
});

test('thresholds survive a reload', () => {
  const fake = new FakeProbes();
  fake.checks.update([probedService('web', 1)]);
  fake.outcome = () => 'failure';
  fake.clock.advance(6_400);
  assert.deepEqual(fake.verdicts, [true]);
  fake.checks.update([probedService('web', 1)]);
  fake.clock.advance(1_200);
  assert.equal(fake.verdicts.at(-1), false);
});

test('a backend that went is forgotten, its probe aborted; when it returns it is a new one', () => {
  const fake = new FakeProbes();
  fake.checks.update([probedService('web', 2)]);
  fake.outcome = () => undefined;
  fake.clock.advance(5_300);
  const second = [...fake.underWay].find(({ target }) => target.backend.name === refOf('web', 1).backend);
  fake.checks.update([probedService('web', 1)]);
  assert.equal(second?.aborted, true);
  assert.deepEqual(
    fake.checks.results().map(({ backend }) => backend),
    [WEB.backend],
  );
  fake.outcome = () => 'failure';
  fake.checks.update([probedService('web', 2)]);
  assert.deepEqual(fake.told.at(-1)?.ref, refOf('web', 1));
  assert.equal(fake.told.at(-1)?.verdict.healthy, false);
});

test('a service whose health is switched off is forgotten', () => {
  const fake = new FakeProbes();
  fake.checks.update([probedService('web', 1)]);
  fake.checks.update([probedService('web', 1, {}, { health: undefined })]);
  fake.clock.advance(30_000);
  assert.equal(fake.started.length, 1);
});

test('one that is asked otherwise is asked at once, and the first result decides alone', () => {
  const fake = new FakeProbes();
  const changes: ((service: ServicePlan) => ServicePlan)[] = [
    (service) => ({ ...service, tls: { ...service.tls, serverName: 'other' } }),
    (service) => ({ ...service, backends: service.backends.map((each) => ({ ...each, port: 81 })) }),
    () => probedService('web', 1, { timeoutMs: 1_000 }),
  ];
  for (const [index, change] of changes.entries()) {
    fake.outcome = () => 'success';
    fake.checks.update([probedService('web', 1)]);
    const before = fake.started.length;
    fake.outcome = () => 'failure';
    fake.checks.update([change(probedService('web', 1))]);
    assert.equal(fake.started.length, before + 1, `change ${index}`);
    assert.equal(fake.verdicts.at(-1), false);
  }
});

test('a new interval moves the next probe, and new thresholds count from now on', () => {
  const fake = new FakeProbes();
  fake.checks.update([probedService('web', 1, { intervalMs: 60_000 })]);
  fake.clock.advance(10_000);
  fake.outcome = () => 'failure';
  fake.checks.update([probedService('web', 1, { intervalMs: 2_000, fall: 1 })]);
  fake.clock.advance(200);
  assert.equal(fake.started.length, 2);
  assert.equal(fake.verdicts.at(-1), false);
});
