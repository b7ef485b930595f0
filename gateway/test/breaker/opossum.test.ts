import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, suite, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import CircuitBreaker from 'opossum';
import { Stand } from './stand.ts';

/** Every circuit that was made since the test began. */
let circuits: CircuitBreaker[];

/** Timers that were made and are still running, and how many were made. Node itself does not list those that are unref'd. */
class Timers {
  made = 0;
  readonly running = new Set<unknown>();

  constructor() {
    for (const name of ['setTimeout', 'setInterval'] as const) {
      const set = globalThis[name];
      mock.method(globalThis, name, (act: () => void, delayMs: number) => {
        const timer = set(act, delayMs);
        this.made += 1;
        this.running.add(timer);
        return timer;
      });
    }
    for (const name of ['clearTimeout', 'clearInterval'] as const) {
      const clear = globalThis[name];
      mock.method(globalThis, name, (timer: NodeJS.Timeout | undefined) => {
        this.running.delete(timer);
        clear(timer);
      });
    }
  }
}

function rotationListeners(circuit: CircuitBreaker): number {
  const { rotateBucketController } = (circuit as unknown as { options: CircuitBreaker.Options }).options;
  assert.ok(rotateBucketController);
  return rotateBucketController.listenerCount('rotate');
}

function live(): CircuitBreaker[] {
  return circuits.filter((circuit) => !circuit.isShutdown);
}

suite('opossum', () => {
  beforeEach(() => {
    circuits = [];
    const { fallback } = CircuitBreaker.prototype;
    // each is given a fallback once, when it is made
    mock.method(CircuitBreaker.prototype, 'fallback', function (this: CircuitBreaker, act: () => void) {
      circuits.push(this);
      return fallback.call(this, act);
    });
  });
  afterEach(() => mock.restoreAll());

  test('sees what was counted', () => {
    const stand = new Stand({ slowCallMs: 500, minRequests: 1_000 });
    stand.succeed(30);
    stand.clock.advance(1_000);
    stand.fail(20);
    stand.succeed(10, 501);
    const counts = circuits.map(({ stats: { fires, successes, failures } }) => [fires, successes, failures]);
    assert.deepEqual(counts, [
      [60, 40, 20],
      [40, 30, 10],
    ]);
    assert.equal(circuits[0]?.status.window.filter((bucket) => bucket.fires > 0).length, 2);
  });

  test('keeps nothing of each call, and no call makes a circuit', async () => {
    const stand = new Stand({ slowCallMs: 500, failurePercent: 100, slowPercent: 100 });
    stand.succeed(1);
    for (let second = 0; second < 15; second++) {
      stand.succeed(500);
      stand.succeed(100, 501);
      stand.fail(100);
      stand.clock.advance(1_000);
    }
    assert.equal(stand.breaker.state, 'closed');
    assert.equal(circuits.length, 2);
    for (const { status } of circuits) {
      assert.equal(status.window.length, 10);
      for (const { latencyTimes } of status.window) assert.equal(latencyTimes.length, 0);
      assert.equal(status.stats.latencyMean, -1, 'no percentiles');
    }
    // an unhandled rejection would fail this test here
    await nextTurn();
  });

  test('has no timer of its own, and leaves nothing behind when it flips or is closed', () => {
    const timers = new Timers();
    const stand = new Stand({ slowCallMs: 500 });
    stand.succeed(3);
    stand.fail(2);
    stand.succeed(1, 501);
    assert.equal(timers.made, 0, 'closed');
    stand.fail(2);
    assert.equal(stand.breaker.state, 'open');
    assert.equal(timers.running.size, 0, 'open');
    assert.equal(live().length, 0);
    stand.halfOpen();
    assert.equal(live().length, 1);
    stand.fail(1);
    assert.equal(live().length, 0);
    stand.halfOpen();
    stand.succeed(1);
    assert.equal(live().length, 2);
    assert.equal(live()[0]?.closed, true);
    stand.breaker.close();
    assert.equal(live().length, 0);
    for (const circuit of circuits) {
      assert.deepEqual(circuit.eventNames(), []);
      assert.equal(rotationListeners(circuit), 0);
    }
    assert.equal(timers.running.size, 0, 'at the end');
  });

  test('decides on the trial', () => {
    const stand = new Stand();
    stand.fail(4);
    stand.halfOpen();
    const [, circuit] = circuits;
    assert.equal(circuit?.halfOpen, true);
    stand.succeed(1);
    assert.equal(circuit?.closed, true);
    assert.equal(circuit?.stats.successes, 1);
  });
});
