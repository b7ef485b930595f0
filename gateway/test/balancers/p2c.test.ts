import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { P2c } from '../../src/data/balancers/p2c.ts';
import { PeakEwma } from '../../src/data/peak-ewma.ts';
import {
  candidate,
  countPicks,
  type FakeCandidate,
  idle,
  seeded,
  weighted,
  withinBinomial,
} from './fakes.ts';
import { type SimulatedBackend, simulate } from './simulation.ts';

const clock = { now: () => 0 };

test('p2c gives idle equals equal shares', () => {
  const candidates = idle(5);
  const balancer = new P2c<FakeCandidate>(clock, seeded(1));
  for (const count of countPicks(candidates, 20_000, () => balancer.pick(candidates))) {
    assert.ok(withinBinomial(count, 20_000, 0.2), `${count} of 20000`);
  }
});

test('p2c draws two different backends, every pair alike', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 9 }), fc.integer(), (size, seed) => {
      const candidates = idle(size);
      const worst = candidates[seed % 2 === 0 ? 0 : size - 1];
      assert.ok(worst);
      worst.pending = 100;
      const balancer = new P2c<FakeCandidate>(clock, seeded(seed));
      for (let turn = 0; turn < 200; turn++) assert.notEqual(balancer.pick(candidates), worst);
    }),
  );
});

test('the neighbour of a saturated backend gets no more than the others (traefik#13643)', () => {
  const candidates = idle(5);
  const [saturated, ...others] = candidates;
  assert.ok(saturated);
  saturated.pending = 1000;
  const balancer = new P2c<FakeCandidate>(clock, seeded(3));
  for (const count of countPicks(others, 20_000, () => balancer.pick(candidates))) {
    assert.ok(withinBinomial(count, 20_000, 0.25), `${count} of 20000`);
  }
});

test('p2c takes the lower latency × (pending + 1) of two', () => {
  const load = fc.record({ pending: fc.nat(50), latency: fc.double({ min: 0.1, max: 1000, noNaN: true }) });
  fc.assert(
    fc.property(load, load, fc.integer(), (some, other, seed) => {
      const [a, b] = [candidate('a', some), candidate('b', other)];
      const picked = new P2c<FakeCandidate>(clock, seeded(seed)).pick([a, b]);
      const cost = (each: FakeCandidate) => each.latency * (each.pending + 1);
      assert.ok(cost(picked) <= Math.min(cost(a), cost(b)));
    }),
  );
});

test('idle backends of different weight share by weight', () => {
  const candidates = weighted([99, 1]);
  const balancer = new P2c<FakeCandidate>(clock, seeded(4));
  const [, light = 0] = countPicks(candidates, 20_000, () => balancer.pick(candidates));
  assert.ok(withinBinomial(light, 20_000, 0.01), `${light} of 20000`);
});

test('a light backend is drawn by its weight, however fast it is', () => {
  const [light, ...heavy] = [candidate('light', { latency: 0.001 }), ...weighted([50, 50])];
  const candidates = [light, ...heavy];
  const balancer = new P2c<FakeCandidate>(clock, seeded(9));
  balancer.pick(idle(3));
  const [count = 0] = countPicks(candidates, 20_000, () => balancer.pick(candidates));
  assert.ok(count > 300 && count < 700, `${count} of 20000`);
});

test('a newcomer is picked as often as its peers and never holds more than they do', () => {
  const newcomer = candidate('newcomer', { latency: 0 });
  const candidates = [candidate('a', { pending: 3 }), candidate('b', { pending: 3 }), newcomer];
  const balancer = new P2c<FakeCandidate>(clock, seeded(5));
  let picks = 0;
  for (let turn = 0; turn < 1000; turn++) {
    if (balancer.pick(candidates) !== newcomer) continue;
    newcomer.pending++;
    picks++;
  }
  assert.ok(picks >= 3 && newcomer.pending <= 4, `${newcomer.pending} pending`);
});

test('one slow spike does not starve a backend for ever (traefik#12306)', () => {
  for (const spikeMs of [100, 10_000, 60_000]) {
    const backends = equals(3);
    const [spiked] = backends;
    assert.ok(spiked);
    spiked.ewma.observe(spikeMs, 0);
    const random = seeded(6);
    simulate({ backends, random, requestsPerSecond: 100, fromMs: 0, untilMs: 21_000 });
    const before = spiked.picks;
    simulate({ backends, random, requestsPerSecond: 100, fromMs: 21_000, untilMs: 51_000 });
    const share = (spiked.picks - before) / 3000;
    assert.ok(share > 0.2, `${share} of the requests 21 s after a spike of ${spikeMs} ms`);
  }
});

test('a backend ten times slower than the others is tried now and then, not more', () => {
  const backends = equals(3);
  const [slow] = backends;
  assert.ok(slow);
  slow.meanMs = 100;
  simulate({ backends, random: seeded(7), requestsPerSecond: 200, fromMs: 0, untilMs: 60_000 });
  assert.ok(slow.picks >= 2 && slow.picks < 0.02 * 12_000, `${slow.picks} of about 12000`);
});

test('a light backend gets its share at any rate, and no more for being a little faster', () => {
  for (const requestsPerSecond of [10, 200, 1000]) {
    const backends = equals(2, [99, 1]);
    const [, light] = backends;
    assert.ok(light);
    light.meanMs = 8;
    simulate({
      backends,
      random: seeded(8),
      requestsPerSecond,
      fromMs: 0,
      untilMs: 30_000_000 / requestsPerSecond,
    });
    const share = light.picks / 30_000;
    assert.ok(share > 0.003 && share < 0.02, `${share} at ${requestsPerSecond}/s`);
  }
});

function equals(count: number, weights: readonly number[] = []): readonly SimulatedBackend[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `backend-${index}:80`,
    weight: weights[index] ?? 1,
    pending: 0,
    picks: 0,
    meanMs: 10,
    ewma: new PeakEwma(),
    latencyMs(nowMs: number) {
      return this.ewma.read(nowMs);
    },
  }));
}
