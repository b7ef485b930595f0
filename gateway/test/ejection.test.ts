import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ejection, mayEject } from '../src/data/ejection.ts';
import type { EjectionPlan } from '../src/data/plan.ts';
import { TimerWheel } from '../src/time.ts';
import { ManualClock } from './support/manual-clock.ts';
import { EJECTION } from './support/plans.ts';

/** Late by the timer wheel's two ticks. */
const LATE_MS = 100;

class Stage {
  readonly clock = new ManualClock();
  readonly wheel = new TimerWheel(this.clock);
  readonly lengthsMs: number[] = [];
  readonly reasons: string[] = [];
  returns = 0;
  asked = 0;
  allowed = true;
  /** 0.5 is no jitter. */
  random = 0.5;
  readonly ejection: Ejection;

  constructor(changes: Partial<EjectionPlan> = {}) {
    this.ejection = new Ejection(
      { ...EJECTION, ...changes },
      {
        wheel: this.wheel,
        random: () => this.random,
        mayEject: () => {
          this.asked += 1;
          return this.allowed;
        },
        onEject: (reason, forMs) => {
          this.reasons.push(reason);
          this.lengthsMs.push(Math.round(forMs));
        },
        onReturn: () => {
          this.returns += 1;
        },
      },
    );
  }

  fail(times: number, what = 'backend_closed'): void {
    for (let failed = 0; failed < times; failed += 1) this.ejection.failed(what);
  }

  succeed(times: number): void {
    for (let succeeded = 0; succeeded < times; succeeded += 1) this.ejection.succeeded();
  }

  /** Waits for the end of the ejection that is under way. */
  serve(): void {
    this.clock.advance(this.ejection.untilMs - this.wheel.nowMs + LATE_MS);
    assert.equal(this.ejection.active, false);
  }
}

test('five failures in a row eject, four do not', () => {
  const stage = new Stage();
  stage.fail(4);
  assert.equal(stage.ejection.active, false);
  assert.equal(stage.ejection.reason, '');
  assert.equal(stage.ejection.untilMs, 0);
  stage.fail(1, 'connect_refused');
  assert.equal(stage.ejection.active, true);
  assert.equal(stage.ejection.reason, '5 failures in a row (connect_refused)');
  assert.equal(stage.ejection.untilMs, stage.wheel.nowMs + 10_000);
  assert.deepEqual(stage.reasons, ['5 failures in a row (connect_refused)']);
  assert.deepEqual(stage.lengthsMs, [10_000]);
});

test('a success in between begins the row anew', () => {
  const stage = new Stage({ minRequests: 1_000 });
  for (let round = 0; round < 20; round += 1) {
    stage.fail(4);
    stage.succeed(1);
  }
  assert.equal(stage.ejection.active, false);
});

test('too large a share of enough requests ejects', () => {
  const stage = new Stage({ consecutiveFailures: 1_000, minRequests: 40, failurePercent: 60 });
  stage.succeed(16);
  stage.fail(23);
  assert.equal(stage.ejection.active, false);
  stage.fail(1);
  assert.equal(stage.ejection.reason, '60 % of 40 requests failed');
});

test('failures that left the window count for no share', () => {
  const stage = new Stage({ consecutiveFailures: 1_000 });
  stage.fail(19);
  stage.clock.advance(10_000);
  stage.succeed(20);
  stage.fail(19);
  assert.equal(stage.ejection.active, false);
  stage.fail(1);
  assert.equal(stage.ejection.reason, '50 % of 40 requests failed');
});

test('it ends by itself, once, on time', () => {
  const stage = new Stage();
  stage.fail(5);
  stage.clock.advance(9_950);
  assert.equal(stage.ejection.active, true);
  stage.clock.advance(50 + LATE_MS);
  assert.equal(stage.ejection.active, false);
  assert.equal(stage.ejection.reason, '');
  assert.equal(stage.ejection.untilMs, 0);
  stage.clock.advance(60_000);
  assert.equal(stage.returns, 1);
});

test('each further ejection is twice as long, up to the longest', () => {
  const stage = new Stage();
  for (let round = 0; round < 8; round += 1) {
    stage.fail(5);
    stage.serve();
  }
  assert.deepEqual(stage.lengthsMs, [10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000, 300_000]);
});

test('the length is jittered by a tenth, also at its longest', () => {
  for (const [random, firstMs, longestMs] of [
    [0, 9_000, 18_000],
    [0.999999, 11_000, 22_000],
  ] as const) {
    const stage = new Stage({ maxMs: 20_000 });
    stage.random = random;
    for (let round = 0; round < 3; round += 1) {
      stage.fail(5);
      stage.serve();
    }
    assert.deepEqual(stage.lengthsMs, [firstMs, longestMs, longestMs]);
  }
});

test('a refused connection ejects at once and briefly, longer each time up to the base time', () => {
  const stage = new Stage();
  for (let round = 0; round < 7; round += 1) {
    stage.ejection.connectFailed('connection refused');
    assert.equal(stage.ejection.reason, 'connection refused');
    stage.serve();
  }
  assert.deepEqual(stage.lengthsMs, [1_000, 2_000, 4_000, 8_000, 10_000, 10_000, 10_000]);
});

test('with a base time under a second a refused connection ejects no longer than that', () => {
  const stage = new Stage({ baseMs: 400 });
  stage.ejection.connectFailed('connection refused');
  assert.deepEqual(stage.lengthsMs, [400]);
});

test('an ejection is forgiven for each base time that went well', () => {
  const stage = new Stage();
  stage.fail(5);
  stage.serve();
  stage.clock.advance(9_800);
  stage.fail(5);
  stage.serve();
  // the last one was of 20 s: one of the two is forgiven
  stage.clock.advance(20_000);
  stage.fail(5);
  stage.serve();
  stage.clock.advance(60_000);
  stage.fail(5);
  assert.deepEqual(stage.lengthsMs, [10_000, 20_000, 20_000, 10_000]);
});

test('an hour at the longest ejection is forgiven as soon as the way up to it', () => {
  const stage = new Stage({ maxMs: 40_000 });
  for (let round = 0; round < 90; round += 1) {
    stage.fail(5);
    stage.serve();
  }
  assert.equal(stage.lengthsMs.at(-1), 40_000);
  stage.clock.advance(2 * 40_000);
  stage.fail(5);
  assert.equal(stage.lengthsMs.at(-1), 10_000);
});

test('a backend that was down for long by refusing is not put away for the longest time at its first failures', () => {
  const stage = new Stage();
  for (let round = 0; round < 100; round += 1) {
    stage.ejection.connectFailed('connection refused');
    stage.serve();
  }
  stage.fail(5);
  assert.equal(stage.lengthsMs.at(-1), 160_000);
});

test('what comes in while ejected neither prolongs nor ends it, and does not count after the return', () => {
  const stage = new Stage();
  stage.fail(5);
  const { untilMs } = stage.ejection;
  stage.clock.advance(5_000);
  stage.fail(100, 'head_timeout');
  stage.ejection.connectFailed('connection refused');
  stage.succeed(100);
  assert.equal(stage.ejection.untilMs, untilMs);
  assert.equal(stage.ejection.reason, '5 failures in a row (backend_closed)');
  assert.equal(stage.lengthsMs.length, 1);
  stage.serve();
  stage.fail(4);
  assert.equal(stage.ejection.active, false);
  stage.fail(1);
  assert.equal(stage.ejection.active, true);
});

test('when the service can spare none nothing happens, and the next failure asks again', () => {
  const stage = new Stage();
  stage.allowed = false;
  stage.fail(7);
  assert.equal(stage.asked, 3);
  assert.equal(stage.ejection.active, false);
  stage.allowed = true;
  stage.fail(1);
  assert.deepEqual(stage.reasons, ['8 failures in a row (backend_closed)']);
  assert.deepEqual(stage.lengthsMs, [10_000]);
});

test('a refused connection that may not eject counts as a failure', () => {
  const stage = new Stage();
  stage.allowed = false;
  for (let refused = 0; refused < 4; refused += 1) stage.ejection.connectFailed('connection refused');
  stage.allowed = true;
  stage.fail(1, 'status 503');
  assert.deepEqual(stage.reasons, ['5 failures in a row (status 503)']);
});

test('readmission ends it at once, and its time does not end the next one', () => {
  const stage = new Stage();
  stage.fail(5);
  stage.clock.advance(9_000);
  stage.ejection.readmit();
  assert.equal(stage.ejection.active, false);
  assert.equal(stage.returns, 1);
  stage.fail(5);
  stage.clock.advance(19_900);
  assert.equal(stage.ejection.active, true);
  stage.serve();
  assert.deepEqual(stage.lengthsMs, [10_000, 20_000]);
  assert.equal(stage.returns, 2);
});

test('after an early readmission the share of failures is counted anew', () => {
  const stage = new Stage({ consecutiveFailures: 1_000 });
  stage.fail(20);
  stage.ejection.readmit();
  stage.succeed(1);
  stage.fail(18);
  assert.equal(stage.ejection.active, false);
  stage.fail(1);
  assert.equal(stage.ejection.reason, '95 % of 20 requests failed');
});

test('readmitting one that is not ejected does nothing', () => {
  const stage = new Stage();
  stage.fail(4);
  stage.ejection.readmit();
  assert.equal(stage.returns, 0);
  stage.fail(1);
  assert.equal(stage.ejection.active, true);
});

test('after a stall of the event loop the ejection still lasts its length', () => {
  const stage = new Stage();
  // time passes without a tick: the wheel does not know yet
  const { now } = stage.clock;
  stage.clock.now = () => now.call(stage.clock) + 3_000;
  stage.ejection.connectFailed('connection refused');
  stage.clock.advance(950);
  assert.equal(stage.ejection.active, true);
});

test('once closed it tells nothing and holds no timer', () => {
  const stage = new Stage();
  stage.fail(5);
  stage.ejection.close();
  assert.equal(stage.ejection.active, false);
  stage.clock.advance(60_000);
  stage.fail(100);
  stage.ejection.connectFailed('connection refused');
  stage.ejection.readmit();
  stage.succeed(1);
  assert.equal(stage.returns, 0);
  assert.equal(stage.lengthsMs.length, 1);
});

test('a service spares its share, at least one, and never the last that is eligible', () => {
  const spares = (maxPercent: number, total: number, ejected: number, eligible: number): boolean =>
    mayEject({ ...EJECTION, maxPercent }, { total, ejected, eligible });
  assert.equal(spares(50, 4, 1, 3), true);
  assert.equal(spares(50, 4, 2, 2), false);
  assert.equal(spares(50, 5, 2, 3), false);
  // 10 % of three is none, but one may go
  assert.equal(spares(10, 3, 0, 3), true);
  assert.equal(spares(10, 3, 1, 2), false);
  assert.equal(spares(100, 3, 1, 2), true);
  assert.equal(spares(100, 3, 2, 1), false);
  // the others are out for other reasons
  assert.equal(spares(50, 4, 0, 1), false);
  assert.equal(spares(100, 1, 0, 1), false);
  assert.equal(spares(29, 100, 28, 72), true);
  assert.equal(spares(29, 100, 29, 71), false);
});
