import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { BreakerPlan } from '../../src/data/plan.ts';
import { Stand } from './stand.ts';

const SLOW: Partial<BreakerPlan> = { slowCallMs: 500, slowPercent: 80 };

function tripped(changes: Partial<BreakerPlan> = {}): Stand {
  const stand = new Stand(changes);
  stand.fail(4);
  return stand;
}

function halfOpen(changes: Partial<BreakerPlan> = {}): Stand {
  const stand = tripped(changes);
  stand.halfOpen();
  return stand;
}

const steps: readonly (readonly [string, () => Stand, (stand: Stand) => void, string])[] = [
  ['closed, goes well', () => new Stand(), (on) => on.succeed(100), 'closed, admits'],
  ['closed, fails below the volume', () => new Stand(), (on) => on.fail(3), 'closed, admits'],
  ['closed, fails at the volume', () => new Stand(), (on) => on.fail(4), 'open: 100 % of 4 requests failed'],
  ['closed, drops', () => new Stand(), (on) => on.breaker.dropped(on.breaker.admit()), 'closed, admits'],
  [
    'closed, slow, slow calls not watched',
    () => new Stand(),
    (on) => on.succeed(100, 60_000),
    'closed, admits',
  ],
  ['closed, as slow as allowed', () => new Stand(SLOW), (on) => on.succeed(100, 500), 'closed, admits'],
  [
    'closed, slow',
    () => new Stand(SLOW),
    (on) => on.succeed(4, 501),
    'open: 100 % of 4 answers took longer than 500ms',
  ],
  ['open, goes well', tripped, (on) => on.succeed(100), 'open: 100 % of 4 requests failed'],
  ['open, fails', tripped, (on) => on.fail(100), 'open: 100 % of 4 requests failed'],
  ['open, time passes', tripped, (on) => on.halfOpen(), 'half-open, admits: 100 % of 4 requests failed'],
  ['half-open, admits', halfOpen, (on) => on.breaker.admit(), 'half-open: 100 % of 4 requests failed'],
  [
    'half-open, time passes',
    halfOpen,
    (on) => on.clock.advance(600_000),
    'half-open, admits: 100 % of 4 requests failed',
  ],
  [
    'half-open, drops',
    halfOpen,
    (on) => on.breaker.dropped(on.breaker.admit()),
    'half-open, admits: 100 % of 4 requests failed',
  ],
  ['half-open, goes well', halfOpen, (on) => on.succeed(1), 'closed, admits'],
  ['half-open, fails', halfOpen, (on) => on.fail(1), 'open: its trial failed'],
  [
    'half-open, slow',
    () => halfOpen(SLOW),
    (on) => on.succeed(1, 501),
    'open: its trial took longer than 500ms',
  ],
];

suite('states', () => {
  for (const [name, start, step, shown] of steps) {
    test(`${name} → ${shown}`, () => {
      const stand = start();
      step(stand);
      assert.equal(stand.shown, shown);
    });
  }
});

suite('the share', () => {
  test('opens at it, not above it, and not below it', () => {
    for (const [failures, requests] of [
      [29, 100],
      [57, 100],
      [1, 100],
      [100, 100],
      [7, 25],
      [14, 25],
    ] as const) {
      const percent = (failures * 100) / requests;
      const at = new Stand({ failurePercent: percent, minRequests: requests });
      at.succeed(requests - failures);
      at.fail(failures);
      assert.equal(at.shown, `open: ${percent} % of ${requests} requests failed`);
      const below = new Stand({ failurePercent: percent, minRequests: requests });
      below.succeed(requests - failures + 1);
      below.fail(failures);
      assert.equal(below.breaker.state, 'closed', `${failures} of ${requests + 1}`);
    }
  });

  test('is asked for when a request fails, not when one that goes well completes the volume', () => {
    const stand = new Stand();
    stand.fail(3);
    stand.succeed(1);
    assert.equal(stand.breaker.state, 'closed');
    stand.fail(1);
    assert.equal(stand.shown, 'open: 80 % of 5 requests failed');
  });

  test('of slow answers leaves failures out, and slow answers are no failures', () => {
    const stand = new Stand({ ...SLOW, failurePercent: 60 });
    for (let turn = 0; turn < 3; turn++) {
      stand.succeed(1, 501);
      stand.fail(1);
    }
    assert.equal(stand.breaker.state, 'closed');
    stand.succeed(1, 501);
    assert.equal(stand.shown, 'open: 100 % of 4 answers took longer than 500ms');
  });

  test('forgets what is older than the window', () => {
    for (const [laterMs, state] of [
      [9_950, 'open'],
      [10_000, 'closed'],
    ] as const) {
      const stand = new Stand({ failurePercent: 60 });
      stand.fail(3);
      stand.clock.advance(5_000);
      stand.succeed(2);
      stand.clock.advance(laterMs - 5_000);
      stand.fail(2);
      assert.equal(stand.breaker.state, state, `after ${laterMs} ms`);
    }
  });

  test('forgets everything in a long silence', () => {
    const stand = new Stand();
    stand.fail(3);
    stand.clock.advance(86_400_000);
    stand.fail(3);
    assert.equal(stand.breaker.state, 'closed');
    stand.fail(1);
    assert.equal(stand.shown, 'open: 100 % of 4 requests failed');
  });

  test('does not start with what was known before it opened', () => {
    const stand = halfOpen({ openMs: 100, maxOpenMs: 100 });
    stand.succeed(1);
    stand.fail(2);
    assert.equal(stand.breaker.state, 'closed', '4 failures before and 2 now, all in one window');
  });
});

suite('tickets', () => {
  test('of requests admitted before it opened neither close it nor open it again', () => {
    const stand = new Stand();
    const early = Array.from({ length: 50 }, () => stand.breaker.admit());
    stand.fail(4);
    for (const ticket of early.splice(0, 10)) stand.breaker.succeeded(ticket, 1);
    assert.equal(stand.breaker.state, 'open');
    stand.halfOpen();
    for (const ticket of early.splice(0, 10)) stand.breaker.succeeded(ticket, 1);
    for (const ticket of early.splice(0, 10)) stand.breaker.failed(ticket);
    assert.equal(stand.shown, 'half-open, admits: 100 % of 4 requests failed');
    stand.succeed(1);
    for (const ticket of early) stand.breaker.failed(ticket);
    assert.equal(stand.breaker.state, 'closed');
    assert.equal(stand.flips.length, 3);
  });

  test('given out while the trial is under way are not the trial', () => {
    const stand = halfOpen();
    const trial = stand.breaker.admit();
    const beside = stand.breaker.admit();
    stand.breaker.succeeded(beside, 1);
    stand.breaker.failed(beside);
    stand.breaker.dropped(beside);
    assert.equal(stand.breaker.state, 'half-open');
    assert.equal(stand.breaker.admits, false);
    stand.breaker.succeeded(trial, 1);
    assert.equal(stand.breaker.state, 'closed');
  });

  test('given out while it is open are not the trial', () => {
    const stand = tripped();
    const early = stand.breaker.admit();
    stand.halfOpen();
    stand.breaker.succeeded(early, 1);
    assert.equal(stand.breaker.state, 'half-open');
  });
});

test('tickets of a breaker that a reload replaced change nothing', () => {
  const before = new Stand({}, () => 0.1);
  const early = Array.from({ length: 10 }, () => before.breaker.admit());
  const stand = new Stand({}, () => 0.9);
  for (const ticket of early) stand.breaker.failed(ticket);
  assert.equal(stand.shown, 'closed, admits');
});

suite('the open time', () => {
  /** Milliseconds from each trip to the next half-opening. */
  function openTimes({ flips }: Stand): number[] {
    return flips.flatMap(({ to, atMs }, i) => (to === 'open' ? [(flips[i + 1]?.atMs ?? 0) - atMs] : []));
  }

  function tripInARow(stand: Stand, trips: number): void {
    stand.fail(4);
    for (let trip = 1; trip < trips; trip++) {
      stand.halfOpen();
      stand.fail(1);
    }
    stand.halfOpen();
  }

  test('doubles with every trip in a row, up to its most', () => {
    const stand = new Stand();
    tripInARow(stand, 6);
    assert.deepEqual(
      openTimes(stand).map((ms) => ms - 50),
      [5_000, 10_000, 20_000, 40_000, 60_000, 60_000],
    );
  });

  test('does not go wrong after a thousand trips', () => {
    for (const openMs of [0, 1]) {
      const stand = new Stand({ openMs, maxOpenMs: 100 });
      tripInARow(stand, 1_100);
      assert.ok(openTimes(stand).every((ms) => ms > 0 && ms <= 200));
    }
  });

  test('counts from now, even when the event loop had stalled', () => {
    const stand = new Stand();
    const startMs = stand.clock.now();
    stand.wheel.nowMs = startMs - 3_000;
    stand.fail(4);
    assert.equal(stand.breaker.untilMs, startMs + 5_000);
  });

  test('varies by a tenth both ways', () => {
    for (const [random, forMs] of [
      [0, 4_500],
      [0.5, 5_000],
      [0.999, 5_499],
    ] as const) {
      const stand = new Stand({}, () => random);
      const startMs = stand.clock.now();
      stand.fail(4);
      assert.ok(Math.abs(stand.breaker.untilMs - startMs - forMs) < 1);
    }
  });

  test('is the first again once it has stayed closed for the longest', () => {
    for (const [closedMs, nextMs] of [
      [59_950, 20_050],
      [60_000, 5_050],
    ] as const) {
      const stand = new Stand();
      tripInARow(stand, 2);
      stand.succeed(1);
      stand.clock.advance(closedMs);
      stand.fail(4);
      stand.halfOpen();
      assert.equal(openTimes(stand)[2], nextMs, `closed for ${closedMs} ms`);
    }
  });
});

suite('what it tells', () => {
  test('is each flip with its reason, and each change of admits once', () => {
    const stand = tripped();
    stand.halfOpen();
    stand.breaker.dropped(stand.breaker.admit());
    stand.fail(1);
    stand.halfOpen();
    stand.succeed(1);
    assert.deepEqual(
      stand.flips.map(({ from, to, reason }) => `${from} → ${to}: ${reason}`),
      [
        'closed → open: 100 % of 4 requests failed',
        'open → half-open: its open time is over',
        'half-open → open: its trial failed',
        'open → half-open: its open time is over',
        'half-open → closed: its trial succeeded',
      ],
    );
    // trip, half-open, trial, trial back, trial (its failure opens it, which changes nothing), half-open, trial, closed
    assert.deepEqual(stand.admits, [false, true, false, true, false, true, false, true]);
  });

  test('is nothing after close(), whatever it is told', () => {
    const closed = new Stand();
    const opened = tripped();
    const trying = halfOpen();
    for (const stand of [closed, opened, trying]) {
      const early = stand.breaker.admit();
      const told = stand.flips.length + stand.admits.length;
      stand.breaker.close();
      stand.breaker.failed(early);
      stand.fail(10);
      stand.succeed(10);
      stand.clock.advance(60_000);
      stand.breaker.close();
      assert.equal(stand.flips.length + stand.admits.length, told);
      assert.equal(stand.shown, 'closed, admits');
    }
  });
});
