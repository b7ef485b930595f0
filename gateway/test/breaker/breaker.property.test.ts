import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { BreakerPlan } from '../../src/data/plan.ts';
import { type ModelTicket, ReferenceModel } from './reference-model.ts';
import { Stand } from './stand.ts';

/** Milliseconds to a good answer, or what became of the request instead. */
type Outcome = 'failed' | 'dropped' | number;

type Step =
  | { readonly kind: 'admit'; readonly count: number }
  /** Ends one of the requests under way, the oldest or any other. */
  | { readonly kind: 'settle'; readonly which: number; readonly outcome: Outcome }
  /** Admitted and ended at once. */
  | { readonly kind: 'burst'; readonly count: number; readonly outcome: Outcome }
  | { readonly kind: 'advance'; readonly byMs: number };

const SLOW_CALL_MS = 500;
/** Two ticks of the wheel, and the one that an advance by a part of a tick cuts short. */
const WHEEL_LATENESS_MS = 150;

const outcome: fc.Arbitrary<Outcome> = fc.oneof(
  { weight: 4, arbitrary: fc.constant('failed' as const) },
  { weight: 1, arbitrary: fc.constant('dropped' as const) },
  { weight: 5, arbitrary: fc.constantFrom(1, SLOW_CALL_MS, SLOW_CALL_MS + 1) },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('admit' as const), count: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ kind: fc.constant('settle' as const), which: fc.nat(), outcome }),
  fc.record({ kind: fc.constant('burst' as const), count: fc.integer({ min: 1, max: 8 }), outcome }),
  fc.record({
    kind: fc.constant('advance' as const),
    byMs: fc.oneof(fc.nat(300), fc.nat(3_000), fc.nat(30_000)),
  }),
);
const percent = fc.oneof(fc.integer({ min: 1, max: 100 }), fc.constantFrom(50, 100));
const plan: fc.Arbitrary<BreakerPlan> = fc.record({
  failurePercent: percent,
  minRequests: fc.integer({ min: 1, max: 8 }),
  windowMs: fc.oneof(fc.constant(1_000), fc.integer({ min: 1_000, max: 4_000 })),
  openMs: fc.integer({ min: 1, max: 3_000 }),
  maxOpenMs: fc.integer({ min: 1, max: 9_000 }),
  slowCallMs: fc.constantFrom(0, SLOW_CALL_MS),
  slowPercent: percent,
});

/** A breaker and its model, told the same. */
class Run {
  readonly stand: Stand;
  readonly #model: ReferenceModel;
  readonly #underWay: { readonly ticket: number; readonly model: ModelTicket }[] = [];
  #seenFlips = 0;
  #openedAtMs = 0;
  #untilMs = 0;

  constructor(given: BreakerPlan, random: () => number) {
    this.stand = new Stand(given, random);
    this.#model = new ReferenceModel(given, this.stand.clock.now());
  }

  take(next: Step): void {
    if (next.kind === 'advance') this.#advance(next.byMs);
    else if (next.kind === 'settle') this.#settle(next.which, next.outcome);
    else {
      for (let turn = 0; turn < next.count; turn++) {
        this.#admit();
        if (next.kind === 'burst') this.#settle(this.#underWay.length - 1, next.outcome);
      }
    }
    this.#check();
  }

  #admit(): void {
    const model = this.#model.admit();
    this.#underWay.push({ ticket: this.stand.breaker.admit(), model });
  }

  #settle(which: number, how: Outcome): void {
    if (this.#underWay.length === 0) return;
    const [request] = this.#underWay.splice(which % this.#underWay.length, 1);
    if (request === undefined) return;
    const { breaker, clock, flips, admits } = this.stand;
    const before = [this.stand.shown, breaker.untilMs, flips.length, admits.length];
    const wasLate = this.#isLate(request.model);
    this.#model.settle(request.model, how, clock.now());
    if (how === 'failed') breaker.failed(request.ticket);
    else if (how === 'dropped') breaker.dropped(request.ticket);
    else breaker.succeeded(request.ticket, how);
    const now = [this.stand.shown, breaker.untilMs, flips.length, admits.length];
    if (wasLate) assert.deepEqual(now, before, 'a late outcome changed something');
    this.#check();
  }

  #isLate({ era }: ModelTicket): boolean {
    return era !== this.#model.era;
  }

  #advance(byMs: number): void {
    const { clock, flips } = this.stand;
    clock.advance(byMs);
    if (this.#model.state !== 'open') return;
    const last = flips.at(-1);
    if (last?.to === 'half-open') {
      assert.ok(
        last.atMs >= this.#untilMs && last.atMs <= this.#untilMs + WHEEL_LATENESS_MS,
        'half-opens in time',
      );
      this.#model.halfOpen(last.atMs);
    } else assert.ok(clock.now() < this.#untilMs + WHEEL_LATENESS_MS, 'still open');
  }

  #check(): void {
    const { breaker, flips, admits } = this.stand;
    assert.equal(breaker.state, this.#model.state);
    assert.equal(breaker.admits, this.#model.admits);
    assert.equal(breaker.reason === '', breaker.state === 'closed');
    assert.equal(breaker.untilMs > 0, breaker.state === 'open');
    assert.equal(admits.at(-1) ?? true, breaker.admits, 'told of the last change of admits');
    assert.equal(flips.at(-1)?.to ?? 'closed', breaker.state, 'told of the last flip');
    const trials = this.#underWay.filter(({ model }) => model.isTrial && !this.#isLate(model));
    assert.ok(trials.length <= 1, `${trials.length} trials under way`);
    for (; this.#seenFlips < flips.length; this.#seenFlips++) {
      const flip = flips[this.#seenFlips];
      assert.equal(flip?.from, flips[this.#seenFlips - 1]?.to ?? 'closed', 'flips follow each other');
      if (flip?.to === 'open') this.#checkOpenTime();
    }
  }

  #checkOpenTime(): void {
    this.#openedAtMs = this.stand.clock.now();
    this.#untilMs = this.stand.breaker.untilMs;
    const factor = (this.#untilMs - this.#openedAtMs) / this.#model.openForMs;
    assert.ok(factor > 0.899_999 && factor < 1.100_001, `open for ${factor} of ${this.#model.openForMs} ms`);
  }
}

test('whatever happens, it does what the model does, with never two trials under way', () => {
  /** How often each kind of flip came: a property of breakers that never open says nothing. */
  const reached = new Map<string, number>();
  const draws = fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { minLength: 1 });
  fc.assert(
    fc.property(plan, draws, fc.array(step, { minLength: 60, maxLength: 160 }), (given, random, steps) => {
      let drawn = 0;
      const run = new Run(given, () => random[drawn++ % random.length] ?? 0);
      for (const next of steps) run.take(next);
      for (const { reason } of run.stand.flips) {
        const kind = reason.replace(/\d+ %.*(requests|answers)/, '$1');
        reached.set(kind, (reached.get(kind) ?? 0) + 1);
      }
      run.stand.breaker.close();
    }),
    { numRuns: 1_000 },
  );
  assert.deepEqual([...reached.keys()].sort(), [
    'answers took longer than 500ms',
    'its open time is over',
    'its trial failed',
    'its trial succeeded',
    'its trial took longer than 500ms',
    'requests failed',
  ]);
  for (const [kind, times] of reached) assert.ok(times > 50, `${kind}: ${times} times`);
});
