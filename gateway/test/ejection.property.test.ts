import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Ejection, mayEject } from '../src/data/ejection.ts';
import type { EjectionPlan } from '../src/data/plan.ts';
import { TimerWheel } from '../src/time.ts';
import { ManualClock } from './support/manual-clock.ts';
import { EJECTION } from './support/plans.ts';

const SLACK_MS = 1e-6;

interface Member {
  readonly ejection: Ejection;
  /** Out for another reason, e.g. unhealthy. */
  down: boolean;
  ejections: number;
  returns: number;
  lastMs: number;
}

/** Several backends under one rule. */
class Pool {
  readonly clock = new ManualClock();
  readonly wheel = new TimerWheel(this.clock);
  readonly plan: EjectionPlan;
  readonly members: readonly Member[];

  constructor(plan: EjectionPlan, size: number, random: () => number) {
    this.plan = plan;
    this.members = Array.from({ length: size }, (_, index) => this.#member(index, random));
  }

  get ejected(): number {
    return this.members.filter(({ ejection }) => ejection.active).length;
  }

  get eligible(): number {
    return this.members.filter(({ ejection, down }) => !ejection.active && !down).length;
  }

  #member(index: number, random: () => number): Member {
    const member: Member = {
      ejection: new Ejection(this.plan, {
        wheel: this.wheel,
        random,
        mayEject: () =>
          mayEject(this.plan, {
            total: this.members.length,
            ejected: this.ejected,
            eligible: this.eligible,
          }),
        onEject: (_reason, forMs) => {
          member.ejections += 1;
          member.lastMs = forMs;
          assert.ok(this.eligible >= 1, `backend ${index} was the last`);
        },
        onReturn: () => {
          member.returns += 1;
        },
      }),
      down: false,
      ejections: 0,
      returns: 0,
      lastMs: 0,
    };
    return member;
  }
}

const planOf = fc.record({
  consecutiveFailures: fc.integer({ min: 1, max: 6 }),
  failurePercent: fc.integer({ min: 1, max: 100 }),
  minRequests: fc.integer({ min: 1, max: 20 }),
  windowMs: fc.integer({ min: 1_000, max: 20_000 }),
  baseMs: fc.integer({ min: 1, max: 12_000 }),
  maxMs: fc.integer({ min: 12_000, max: 60_000 }),
  maxPercent: fc.integer({ min: 1, max: 100 }),
});

type Kind = 'ok' | 'failed' | 'refused' | 'readmit' | 'down' | 'up' | 'wait';

const stepOf = fc.record({
  kind: fc.constantFrom<Kind>('ok', 'failed', 'failed', 'failed', 'refused', 'readmit', 'down', 'up', 'wait'),
  at: fc.nat(7),
  times: fc.integer({ min: 1, max: 8 }),
  ms: fc.oneof(fc.nat(500), fc.nat(15_000)),
});

function act(pool: Pool, member: Member, kind: Kind, ms: number): void {
  if (kind === 'ok') member.ejection.succeeded();
  if (kind === 'failed') member.ejection.failed('backend_closed');
  if (kind === 'refused') member.ejection.connectFailed('connection refused');
  if (kind === 'readmit') member.ejection.readmit();
  if (kind === 'down') member.down = true;
  if (kind === 'up') member.down = false;
  if (kind === 'wait') pool.clock.advance(ms);
}

/** What an ejection that has just begun may last. */
function assertLength(plan: EjectionPlan, { ejection, lastMs }: Member, kind: Kind, nowMs: number): void {
  const least = kind === 'refused' ? Math.min(1_000, plan.baseMs) : plan.baseMs;
  const most = kind === 'refused' ? plan.baseMs : plan.maxMs;
  assert.ok(lastMs >= 0.9 * least - SLACK_MS && lastMs <= 1.1 * most + SLACK_MS, `${kind} for ${lastMs} ms`);
  assert.equal(ejection.untilMs, nowMs + lastMs);
}

function assertConsistent(pool: Pool): void {
  const most = Math.max(1, Math.floor((pool.members.length * pool.plan.maxPercent) / 100));
  assert.ok(pool.ejected <= most, `${pool.ejected} of ${pool.members.length} ejected, ${most} allowed`);
  assert.ok(pool.ejected < pool.members.length, 'all are ejected');
  for (const { ejection, ejections, returns } of pool.members) {
    assert.equal(ejections - returns, ejection.active ? 1 : 0);
    assert.equal(ejection.untilMs > 0, ejection.active);
    assert.equal(ejection.reason !== '', ejection.active);
    // a wheel fires at most two ticks late
    if (ejection.active) assert.ok(ejection.untilMs >= pool.wheel.nowMs - 100);
  }
}

test('for any events: never all ejected, never the last eligible, never over the share, each within its length', () => {
  fc.assert(
    fc.property(
      planOf,
      fc.integer({ min: 1, max: 8 }),
      fc.array(stepOf, { maxLength: 80 }),
      fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })),
      (plan, size, steps, draws) => {
        const pool = new Pool(plan, size, () => draws.next().value ?? 0.5);
        for (const { kind, at, times, ms } of steps) {
          const member = pool.members[at % size];
          if (member === undefined) continue;
          const { ejections } = member;
          for (let time = 0; time < times; time += 1) act(pool, member, kind, ms);
          assert.ok(member.ejections <= ejections + 1, 'ejected while ejected');
          if (member.ejections > ejections) assertLength(plan, member, kind, pool.wheel.nowMs);
          assertConsistent(pool);
        }
        // whatever happened, all come back
        pool.clock.advance(plan.maxMs * 1.1 + 200);
        assert.equal(pool.ejected, 0);
      },
    ),
    { numRuns: 300 },
  );
});

test('each cycle takes the same number of failures, whatever came in during the ejections (envoy#40697)', () => {
  const late = fc.array(fc.constantFrom<Kind>('ok', 'failed', 'refused', 'wait'), { maxLength: 12 });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 8 }),
      fc.array(late, { minLength: 1, maxLength: 6 }),
      (inARow, cycles) => {
        const plan = { ...EJECTION, consecutiveFailures: inARow, maxPercent: 100 };
        const pool = new Pool(plan, 2, () => 0.5);
        const [member] = pool.members;
        assert.ok(member !== undefined);
        for (const events of cycles) {
          for (let failed = 1; failed <= inARow; failed += 1) {
            assert.equal(member.ejection.active, false);
            member.ejection.failed('backend_closed');
          }
          assert.equal(member.ejection.active, true);
          for (const kind of events) act(pool, member, kind, 500);
          pool.clock.advance(plan.maxMs * 1.1 + 200);
        }
      },
    ),
    { numRuns: 50 },
  );
});
