import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  formatAdmin,
  formatBeat,
  formatEvent,
  formatHealth,
  MAX_BEAT_BYTES,
  MAX_LISTED,
  MAX_RECORD_BYTES,
  parseAdmin,
  parseBeat,
  parseEvent,
  parseHealth,
} from '../../src/control/state/records.ts';

const when = fc.integer({ min: 0, max: 253_402_300_799_999 });
const by = fc.stringMatching(/^[A-Za-z0-9_.-]{1,64}$/);
const name = fc.string({ minLength: 1, maxLength: 300 });
const health = fc.record({
  verdict: fc.record({ healthy: fc.boolean(), reason: fc.string({ unit: 'binary', maxLength: 400 }) }),
  by,
  when,
  seq: fc.nat(),
});
const plain = { noNullPrototype: true };
const state = fc.constantFrom('enabled' as const, 'draining' as const, 'disabled' as const);
const weight = fc.option(fc.integer({ min: 1, max: 1_000 }));
const admin = fc.record(
  {
    state: fc.option(fc.record({ value: state, when, by }, plain), { nil: undefined }),
    weight: fc.option(fc.record({ value: weight, when, by }, plain), { nil: undefined }),
  },
  plain,
);

test('what is written is read again, and is no longer than what is read', () => {
  fc.assert(
    fc.property(health, admin, name, name, (record, wishes, service, backend) => {
      const text = formatHealth(record);
      const again = parseHealth(text);
      assert.equal(again?.verdict.healthy, record.verdict.healthy);
      assert.equal(formatHealth(again), text);
      assert.ok(Buffer.byteLength(text) <= MAX_RECORD_BYTES);
      assert.deepEqual(parseAdmin(formatAdmin(wishes)), wishes);
      const event = { kind: 'admin', by: 'a', service, backend, record: wishes } as const;
      assert.deepEqual(parseEvent(formatEvent(event)), event);
      assert.deepEqual(parseEvent(formatEvent({ kind: 'health', service, backend, record })), {
        kind: 'health',
        service,
        backend,
        record: again,
      });
    }),
  );
});

test('heartbeats stay below their size, however many backends are in trouble', () => {
  const many = Array.from({ length: 1_000 }, (_, n) => `${'s'.repeat(63)}/${'h'.repeat(240)}:${n}`);
  const text = formatBeat({ seq: 1, open: many, good: many });
  assert.ok(Buffer.byteLength(text) <= MAX_BEAT_BYTES);
  assert.equal(parseBeat(text)?.open.length, MAX_LISTED);
});

test('nothing else is read, and nothing throws', () => {
  const parsers = [parseHealth, parseAdmin, parseBeat, parseEvent];
  const field = fc.constantFrom(
    'v',
    'verdict',
    'reason',
    'by',
    'when',
    'seq',
    'open',
    'good',
    'kind',
    'service',
    'backend',
    'record',
    'state',
    'weight',
    'value',
    '__proto__',
  );
  const like = fc.dictionary(field, fc.oneof(fc.constant(1), fc.jsonValue()));
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        like.map((value) => JSON.stringify(value)),
      ),
      (text) => {
        for (const parse of parsers) {
          const read = parse(text);
          if (read !== undefined) assert.equal((JSON.parse(text) as { v: unknown }).v, 1);
        }
      },
    ),
    { numRuns: 1_000 },
  );
  assert.equal(
    parseHealth(JSON.stringify({ v: 2, verdict: 'healthy', reason: '', by: 'a', when: 1, seq: 1 })),
    undefined,
  );
  assert.equal(
    parseHealth(JSON.stringify({ v: 1, verdict: 'healthy', reason: '', by: 'a', when: 1, seq: 1.5 })),
    undefined,
  );
});
