import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Clock, Timer, TimerWheel } from '../src/time.ts';
import { ManualClock } from './support/manual-clock.ts';

const TICK_MS = 50;
const ROUND_MS = 1024 * TICK_MS;

interface Alarm {
  readonly timer: Timer;
  readonly firedAtMs: number[];
}

/** A timer that notes when it fires. */
function alarm(clock: Clock, then: () => void = () => {}): Alarm {
  const firedAtMs: number[] = [];
  const timer = new Timer({
    onDeadline() {
      firedAtMs.push(clock.now());
      then();
    },
  });
  return { timer, firedAtMs };
}

function assertInTime({ firedAtMs }: Alarm, dueMs: number, what = ''): void {
  assert.equal(firedAtMs.length, 1, `${what} fired ${firedAtMs.length} times`);
  const lateMs = (firedAtMs[0] ?? 0) - dueMs;
  assert.ok(lateMs >= 0, `${what} ${-lateMs} ms early`);
  assert.ok(lateMs <= 2 * TICK_MS, `${what} ${lateMs} ms late`);
}

/** Time that flows between its ticks too; they come every 50 ms, but not on the wheel's own grid: intervals drift. */
class SteadyClock implements Clock {
  #nowMs = 1_000;
  #nextTickMs: number;
  #tick: () => void = () => {};

  constructor(phaseMs: number) {
    this.#nextTickMs = this.#nowMs + phaseMs;
  }

  now(): number {
    return this.#nowMs;
  }

  wallNow(): number {
    return this.#nowMs;
  }

  every(_intervalMs: number, tick: () => void): () => void {
    this.#tick = tick;
    return () => {};
  }

  advance(byMs: number): void {
    const untilMs = this.#nowMs + byMs;
    while (this.#nextTickMs <= untilMs) {
      this.#nowMs = this.#nextTickMs;
      this.#nextTickMs += TICK_MS;
      this.#tick();
    }
    this.#nowMs = untilMs;
  }
}

test('a deadline fires once, never early and at most two ticks late, whatever its delay and whenever it is armed', () => {
  const delay = fc.oneof(
    fc.nat(200),
    fc.nat(5_000),
    fc.nat(3 * ROUND_MS),
    fc.constantFrom(0, 1, 49, 50, 51, ROUND_MS - 1, ROUND_MS, ROUND_MS + 1),
  );
  const armed = fc.array(fc.tuple(fc.nat(300), delay), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: TICK_MS }), armed, (phaseMs, given) => {
      const clock = new SteadyClock(phaseMs);
      const wheel = new TimerWheel(clock);
      const alarms: [Alarm, number][] = [];
      for (const [pauseMs, delayMs] of given) {
        clock.advance(pauseMs);
        const set = alarm(clock);
        wheel.arm(set.timer, delayMs);
        alarms.push([set, clock.now() + delayMs]);
      }
      clock.advance(4 * ROUND_MS);
      for (const [set, dueMs] of alarms) assertInTime(set, dueMs, `due at ${dueMs}`);
    }),
    { numRuns: 100 },
  );
});

test('a deadline moved later fires at the later time, and moved sooner at the sooner', () => {
  for (const [first, second] of [
    [1_000, 5_000],
    [5_000, 1_000],
    [100, ROUND_MS + 100],
    [ROUND_MS + 100, 100],
    [1_000, 1_000],
    [1_000, 1_010],
  ] as const) {
    const clock = new ManualClock();
    const wheel = new TimerWheel(clock);
    const set = alarm(clock);
    wheel.arm(set.timer, first);
    clock.advance(50);
    const dueMs = clock.now() + second;
    wheel.arm(set.timer, second);
    clock.advance(3 * ROUND_MS);
    assertInTime(set, dueMs, `${first} then ${second}`);
  }
});

test('a deadline that is moved on and on does not fire until it is left alone', () => {
  const clock = new ManualClock();
  const wheel = new TimerWheel(clock);
  const set = alarm(clock);
  for (let turn = 0; turn < 500; turn++) {
    wheel.arm(set.timer, 1_000);
    clock.advance(900);
  }
  assert.deepEqual(set.firedAtMs, []);
  clock.advance(300);
  assert.equal(set.firedAtMs.length, 1);
});

test('a disarmed or released timer does not fire, and can be armed again', () => {
  for (const stop of ['disarm', 'release'] as const) {
    const clock = new ManualClock();
    const wheel = new TimerWheel(clock);
    const set = alarm(clock);
    wheel.arm(set.timer, 500);
    clock.advance(200);
    if (stop === 'disarm') set.timer.disarm();
    else wheel.release(set.timer);
    clock.advance(2 * ROUND_MS);
    assert.deepEqual(set.firedAtMs, [], stop);
    const dueMs = clock.now() + 300;
    wheel.arm(set.timer, 300);
    clock.advance(1_000);
    assertInTime(set, dueMs, stop);
  }
});

test('an owner may arm itself again while it fires, and fires again in time', () => {
  const clock = new ManualClock();
  const wheel = new TimerWheel(clock);
  const times: number[] = [];
  const timer = new Timer({
    onDeadline() {
      times.push(clock.now());
      if (times.length < 50) wheel.arm(timer, 100);
    },
  });
  wheel.arm(timer, 100);
  clock.advance(20_000);
  assert.equal(times.length, 50);
  times.slice(1).forEach((time, i) => {
    const gapMs = time - (times[i] ?? 0);
    assert.ok(gapMs >= 100 && gapMs <= 200, `${gapMs} ms`);
  });
});

const DEEDS = ['release', 'arm later', 'arm a round later', 'arm now', 'disarm', 'nothing'] as const;

test('whatever an owner does to its neighbours while it fires, all others fire in time', () => {
  const deed = fc.record({ kind: fc.constantFrom(...DEEDS), on: fc.nat(7) });
  fc.assert(
    fc.property(
      fc.array(fc.record({ delayMs: fc.constantFrom(100, 100, 100, 120, 150, ROUND_MS + 100), deed }), {
        minLength: 2,
        maxLength: 8,
      }),
      (given) => {
        const clock = new ManualClock();
        const wheel = new TimerWheel(clock);
        const due = new Map<number, number>();
        const alarms: Alarm[] = given.map(({ deed: { kind, on } }, index) =>
          alarm(clock, () => {
            due.delete(index);
            const target = on % given.length;
            const other = alarms[target];
            // its own deed is done once: the second time round it is quiet
            if (other === undefined || (alarms[index]?.firedAtMs.length ?? 0) > 1 || kind === 'nothing')
              return;
            const delayMs = {
              release: undefined,
              disarm: undefined,
              'arm later': 500,
              'arm a round later': ROUND_MS - TICK_MS,
              'arm now': 0,
            }[kind];
            if (kind === 'release') wheel.release(other.timer);
            else if (kind === 'disarm') other.timer.disarm();
            else wheel.arm(other.timer, delayMs ?? 0);
            if (delayMs === undefined) due.delete(target);
            else due.set(target, clock.now() + delayMs);
          }),
        );
        given.forEach(({ delayMs }, index) => {
          const set = alarms[index];
          if (set !== undefined) wheel.arm(set.timer, delayMs);
          due.set(index, clock.now() + delayMs);
        });
        // each deed may put off the end by a round
        for (let step = 0; step < 12 * 1024 && due.size > 0; step++) {
          clock.advance(TICK_MS);
          for (const [index, dueMs] of due)
            assert.ok(
              clock.now() - dueMs <= 2 * TICK_MS,
              `timer ${index} is late by ${clock.now() - dueMs} ms`,
            );
        }
        assert.equal(due.size, 0);
      },
    ),
    { numRuns: 100 },
  );
});

/** A clock whose ticks can be held back, as an event loop that is busy does. */
class StallingClock extends ManualClock {
  stalled = false;

  override every(intervalMs: number, tick: () => void): () => void {
    return super.every(intervalMs, () => {
      if (!this.stalled) tick();
    });
  }
}

test('after a long stall everything overdue fires at the next tick, once, and the rest in time', () => {
  for (const stallMs of [500, ROUND_MS - 1, ROUND_MS, 3 * ROUND_MS + 777]) {
    const clock = new StallingClock();
    const wheel = new TimerWheel(clock);
    const startMs = clock.now();
    const delays = [0, 100, 450, 500, 10_000, ROUND_MS, 2 * ROUND_MS, 3 * ROUND_MS + 700, 4 * ROUND_MS];
    const alarms = delays.map((delayMs) => {
      const set = alarm(clock);
      wheel.arm(set.timer, delayMs);
      return set;
    });
    clock.stalled = true;
    clock.advance(stallMs);
    clock.stalled = false;
    clock.advance(100);
    const resumedMs = clock.now();
    alarms.forEach(({ firedAtMs }, i) => {
      if (startMs + (delays[i] ?? 0) + 2 * TICK_MS <= resumedMs)
        assert.equal(firedAtMs.length, 1, `${delays[i]} after ${stallMs}`);
    });
    clock.advance(5 * ROUND_MS);
    alarms.forEach((set, i) => {
      const dueMs = startMs + (delays[i] ?? 0);
      assert.equal(set.firedAtMs.length, 1);
      assert.ok((set.firedAtMs[0] ?? 0) >= dueMs, 'never early');
      if (dueMs > resumedMs) assertInTime(set, dueMs);
    });
  }
});

test('a closed wheel fires nothing more', () => {
  const clock = new ManualClock();
  const wheel = new TimerWheel(clock);
  const set = alarm(clock);
  wheel.arm(set.timer, 100);
  wheel.close();
  clock.advance(1_000);
  assert.deepEqual(set.firedAtMs, []);
});
