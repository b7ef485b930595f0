import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBalancer } from '../../src/data/balancers/balancer.ts';
import type { BalancePlan } from '../../src/data/plan.ts';
import { candidate, type FakeCandidate, idle, request, seeded } from './fakes.ts';

const plans: readonly BalancePlan[] = [
  { kind: 'round-robin' },
  { kind: 'least-pending' },
  { kind: 'p2c' },
  { kind: 'random' },
  { kind: 'hash', key: { from: 'clientIp' }, balanceFactor: 1.25 },
];

for (const plan of plans) {
  test(`${plan.kind} picks one of the candidates while they come and go`, () => {
    const balancer = createBalancer<FakeCandidate>(plan, { clock: { now: () => 0 }, random: seeded(1) });
    for (const size of [3, 1, 7, 2, 2, 40, 1, 3]) {
      const candidates = idle(size);
      for (let turn = 0; turn < 20; turn++)
        assert.ok(candidates.includes(balancer.pick(candidates, request())));
    }
  });

  test(`${plan.kind} returns a single candidate without a look at time, chance or load`, () => {
    const never = () => assert.fail('asked');
    const random = seeded(1);
    const balancer = createBalancer<FakeCandidate>(plan, { clock: { now: never }, random });
    const only = { ...candidate('only'), latencyMs: never };
    assert.equal(balancer.pick([only], request({ header: never, cookie: never })), only);
    assert.equal(random(), seeded(1)());
  });
}
