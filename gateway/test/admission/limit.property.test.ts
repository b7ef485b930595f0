import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Priority } from '../../src/data/plan.ts';
import { limited, type RecordingEntrant } from './entrant.ts';

type Step =
  | { readonly do: 'enter'; readonly priority: Priority; readonly react: Reaction }
  | { readonly do: 'leave'; readonly overloaded: boolean; readonly latencyMs: number }
  | { readonly do: 'cancel'; readonly which: number }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'reload'; readonly max: number; readonly queue: number; readonly adaptive: boolean };

/** What an entrant does in turn when it hears of its admission or its end. */
type Reaction = 'nothing' | 'leave' | 'enter' | 'cancel another';

const priorities = fc.constantFrom<Priority>('high', 'normal', 'low');
const reactions = fc.constantFrom<Reaction>('nothing', 'leave', 'enter', 'cancel another');
const max = fc.integer({ min: 1, max: 4 });
const queue = fc.integer({ min: 0, max: 5 });
const enter = fc.record({ do: fc.constant('enter' as const), priority: priorities, react: reactions });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: enter },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('leave' as const),
      overloaded: fc.boolean(),
      latencyMs: fc.integer({ min: 0, max: 500 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), which: fc.nat() }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 50, max: 700 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('reload' as const), max, queue, adaptive: fc.boolean() }),
  },
);

/** Drives a limit, and checks after each step what must always hold. */
class Driver {
  readonly #stage: ReturnType<typeof limited>;
  readonly outcomes = new Map<RecordingEntrant, string[]>();
  /** Who waits by our own account, in the order they came. */
  readonly #waiting: RecordingEntrant[] = [];
  #inFlight = 0;
  #entered = 0;
  #depth = 0;

  constructor(stage: ReturnType<typeof limited>) {
    this.#stage = stage;
  }

  take(step: Step): void {
    const { limit, clock } = this.#stage;
    if (step.do === 'enter') this.#enter(step.priority, step.react);
    else if (step.do === 'leave') this.#leave(step.latencyMs, step.overloaded);
    else if (step.do === 'cancel') this.#cancel(step.which);
    else if (step.do === 'wait') clock.advance(step.ms);
    else limit.update({ max: step.max, queue: step.queue, adaptive: step.adaptive, queueTimeoutMs: 300 });
    assert.equal(limit.inFlight, this.#inFlight);
    assert.equal(limit.queued, this.#waiting.length);
    assert.ok(limit.limit >= 1);
    if (limit.queued > 0) assert.ok(limit.inFlight >= limit.limit, 'nobody waits where there is room');
  }

  #enter(priority: Priority, react: Reaction): void {
    const { limit, entrant } = this.#stage;
    const one = entrant(`${this.#entered++}`, priority);
    const heard: string[] = [];
    this.outcomes.set(one, heard);
    one.reaction = () => {
      const what = one.heard.at(-1) ?? '';
      heard.push(what);
      this.#noLongerWaits(one, what);
      this.#react(react);
    };
    const answer = limit.enter(one);
    if (answer === 'waiting') {
      // not before: those whom this lets in may cancel any who wait, and this one does not wait yet
      this.#waiting.push(one);
      return;
    }
    heard.push(answer);
    if (answer === 'shed') return;
    const passedOver = this.#waiting.filter(
      (other) => other.priority === 'high' || other.priority === priority,
    );
    assert.deepEqual(passedOver, [], 'in before none of its own priority or higher');
    this.#admitted();
  }

  #noLongerWaits(one: RecordingEntrant, what: string): void {
    if (what === 'admitted') {
      const ahead = this.#waiting.find(({ priority }) => priority === 'high') ?? this.#waiting[0];
      assert.equal(one, ahead, 'high before normal, then first come');
      this.#admitted();
    } else if (what === 'shed') {
      const newest = this.#waiting.findLast(({ priority }) => priority === 'normal');
      assert.equal(one, newest, 'the newest normal one makes way');
    }
    const at = this.#waiting.indexOf(one);
    assert.ok(at >= 0, 'one hears only while it waits');
    this.#waiting.splice(at, 1);
  }

  #admitted(): void {
    this.#inFlight += 1;
    assert.ok(this.#stage.limit.inFlight <= this.#stage.limit.limit, 'never above the limit');
  }

  #leave(latencyMs: number, overloaded: boolean): void {
    if (this.#inFlight === 0) return;
    this.#inFlight -= 1;
    this.#stage.limit.leave(overloaded ? undefined : latencyMs, overloaded);
  }

  #cancel(which: number): void {
    const one = this.#waiting[which % Math.max(1, this.#waiting.length)];
    if (one === undefined) return;
    this.#waiting.splice(this.#waiting.indexOf(one), 1);
    this.outcomes.get(one)?.push('cancelled');
    this.#stage.limit.cancel(one);
  }

  #react(reaction: Reaction): void {
    if (this.#depth > 3) return;
    this.#depth += 1;
    if (reaction === 'leave') this.#leave(5, false);
    else if (reaction === 'enter') this.#enter('normal', 'leave');
    else if (reaction === 'cancel another') this.#cancel(this.#entered);
    this.#depth -= 1;
  }
}

test('whatever happens: no admission above the limit, nobody lost, nobody waits where there is room, in order', () => {
  fc.assert(
    fc.property(
      max,
      queue,
      fc.boolean(),
      fc.array(step, { minLength: 5, maxLength: 120, size: '+1' }),
      (max, queue, adaptive, steps) => {
        const stage = limited({ max, queue, adaptive, queueTimeoutMs: 300 });
        const driver = new Driver(stage);
        for (const one of steps) driver.take(one);
        // whoever still waits runs out of time now
        stage.clock.advance(1_000);
        for (const [one, outcomes] of driver.outcomes)
          assert.equal(outcomes.length, 1, `${one.name}: ${outcomes.join(', ')}`);
      },
    ),
    { numRuns: 1_000 },
  );
});
