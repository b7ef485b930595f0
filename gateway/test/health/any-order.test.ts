import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MAX_PROBES } from '../../src/control/health/health-checks.ts';
import type { BackendRef } from '../../src/data/port.ts';
import { FakeProbes, probedService, refOf } from './fake-probes.ts';

// Whatever happens in whatever order: reloads, refusals, verdicts of others, late and aborted probes.

const SERVICES = ['a', 'b', 'c'];

const event = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('time' as const), ms: fc.integer({ min: 50, max: 7_000 }) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('answer' as const),
      which: fc.nat(),
      outcome: fc.constantFrom('success' as const, 'failure' as const, 'timeout' as const, 'unable' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('answer all' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('reload' as const),
      counts: fc.tuple(fc.nat(40), fc.nat(40), fc.nat(40)),
      intervalMs: fc.constantFrom(500, 5_000),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'soon' as const,
        'confirm' as const,
        'adopt' as const,
        'disable' as const,
        'enable' as const,
      ),
      service: fc.constantFrom(...SERVICES),
      index: fc.nat(40),
      healthy: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('owners' as const), modulus: fc.integer({ min: 1, max: 3 }) }),
  },
);
type Event = typeof event extends fc.Arbitrary<infer E> ? E : never;

const indexOf = ({ backend }: BackendRef): number => Number(/-(\d+):/.exec(backend)?.[1]);

function apply(fake: FakeProbes, what: Event, confirmed: Promise<unknown>[]): void {
  switch (what.kind) {
    case 'time':
      fake.clock.advance(what.ms);
      return;
    case 'answer':
      [...fake.underWay][what.which % Math.max(1, fake.underWay.size)]?.answer(what.outcome, 'said');
      return;
    case 'answer all':
      for (const probe of [...fake.underWay]) probe.answer('success', 'said');
      return;
    case 'reload':
      fake.checks.update(
        SERVICES.map((name, index) =>
          probedService(name, what.counts[index] ?? 0, { intervalMs: what.intervalMs }),
        ),
      );
      return;
    case 'owners':
      fake.owns = (ref) => indexOf(ref) % what.modulus === 0;
      fake.checks.ownersChanged();
      return;
    default:
      applyTo(fake, refOf(what.service, what.index), what, confirmed);
  }
}

function applyTo(
  { checks }: FakeProbes,
  ref: BackendRef,
  { kind, healthy }: { readonly kind: string; readonly healthy: boolean },
  confirmed: Promise<unknown>[],
): void {
  if (kind === 'soon') checks.probeSoon(ref);
  else if (kind === 'confirm') confirmed.push(checks.confirm(ref));
  else if (kind === 'adopt') checks.adopt(ref, { healthy, reason: 'adopted' });
  else checks.setProbed(ref, kind === 'enable');
}

function assertBounds({ underWay, mostUnderWay }: FakeProbes): void {
  assert.ok(mostUnderWay <= MAX_PROBES);
  const names = [...underWay].map(({ target }) => target.backend.name);
  assert.equal(new Set(names).size, names.length, 'two probes of one backend');
}

test('never more than 64 probes, never two of one backend, and nothing is left when all is over', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 5, maxLength: 60 }), async (events) => {
      const fake = new FakeProbes();
      fake.outcome = () => undefined;
      const confirmed: Promise<unknown>[] = [];
      fake.checks.update(SERVICES.map((name) => probedService(name, 40)));
      for (const what of events) {
        apply(fake, what, confirmed);
        assertBounds(fake);
      }
      fake.checks.close();
      assert.equal(fake.underWay.size, 0);
      const started = fake.started.length;
      fake.clock.advance(20_000);
      assert.equal(fake.started.length, started);
      await Promise.all(confirmed);
    }),
    { numRuns: 60 },
  );
});

test('whatever happened, every backend is probed again and comes to a verdict when its probes are answered', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      const fake = new FakeProbes();
      fake.outcome = () => undefined;
      fake.checks.update(SERVICES.map((name) => probedService(name, 40)));
      for (const what of events) apply(fake, what, []);
      for (const name of SERVICES)
        for (let index = 0; index < 40; index++) fake.checks.setProbed(refOf(name, index), true);
      fake.owns = () => true;
      fake.checks.ownersChanged();
      fake.outcome = () => 'success';
      for (const probe of [...fake.underWay]) probe.answer('success', 'said');
      const before = fake.clock.now();
      fake.clock.advance(9_000);
      const probed = new Set(
        fake.started.filter(({ startedMs }) => startedMs >= before).map(({ target }) => target.backend.name),
      );
      const healthy = new Map(fake.told.map(({ ref, verdict }) => [ref.backend, verdict.healthy]));
      for (const { backend } of fake.checks.results()) {
        assert.ok(probed.has(backend), `${backend} is not probed any more`);
        assert.equal(healthy.get(backend), true);
      }
    }),
    { numRuns: 60 },
  );
});

test('the data plane hears of a verdict when it is the first, when it flips, and not otherwise', () => {
  const outcome = fc.constantFrom('success' as const, 'failure' as const, 'timeout' as const);
  const small = fc.integer({ min: 1, max: 4 });
  fc.assert(
    fc.property(fc.array(outcome, { minLength: 1, maxLength: 40 }), small, small, (outcomes, rise, fall) => {
      const fake = new FakeProbes();
      let at = 0;
      fake.outcome = () => outcomes[at++] ?? 'success';
      fake.checks.update([probedService('a', 1, { intervalMs: 1_000, rise, fall })]);
      while (at < outcomes.length) fake.clock.advance(50);
      const expected: boolean[] = [];
      let row = 0;
      for (const each of outcomes) {
        const good = each === 'success';
        const verdict = expected.at(-1);
        row = good === verdict ? 0 : row + 1;
        if (verdict === undefined || row === (good ? rise : fall)) {
          expected.push(good);
          row = 0;
        }
      }
      assert.deepEqual(fake.verdicts, expected);
    }),
  );
});
