import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BodyText } from '../../src/control/health/body-text.ts';

test('a text is found however the body is cut', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('a', 'b', 'é') }),
      fc.string({ unit: fc.constantFrom('a', 'b', 'é'), minLength: 1, maxLength: 4 }),
      fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1 }),
      (body, wanted, sizes) => {
        const bytes = Buffer.from(body);
        const text = new BodyText(wanted);
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const size = sizes[turn % sizes.length] ?? 1;
          text.read(bytes.subarray(at, at + size));
          at += size;
        }
        assert.equal(text.lacks, body.includes(wanted) ? undefined : wanted);
      },
    ),
  );
});

test('what stands beyond 64 KiB is not seen', () => {
  const at = new BodyText('ok');
  at.read(Buffer.from(`${'x'.repeat(65_534)}ok`));
  assert.equal(at.lacks, undefined);
  const beyond = new BodyText('ok');
  beyond.read(Buffer.from(`${'x'.repeat(65_535)}ok`));
  assert.equal(beyond.lacks, 'ok');
  assert.equal(beyond.decided, true);
  const inPieces = new BodyText('ok');
  inPieces.read(Buffer.alloc(65_000));
  inPieces.read(Buffer.from(`${'x'.repeat(535)}ok`));
  assert.equal(inPieces.lacks, 'ok');
});

test('without a text nothing is lacking, and a body is read to its end or to 64 KiB', () => {
  const none = new BodyText(undefined);
  assert.equal(none.lacks, undefined);
  none.read(Buffer.alloc(1_000));
  assert.equal(none.decided, false);
  none.read(Buffer.alloc(65_536));
  assert.equal(none.decided, true);
});
