import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { clientText, cut, msText, quoted, TimeText } from '../../src/control/access-log/json-text.ts';

const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: fc.constantFrom('"', '\\', '\n', '\r', '\u2028', '\u0085', '\x1b', '\ud800', 'a') }),
);

test('any text becomes a JSON string in printable ASCII, and is that text again when it is read', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const json = quoted(text);
      assert.match(json, /^[\x20-\x7e]*$/);
      assert.equal(JSON.parse(json), text);
    }),
  );
});

test('bytes of a client are read as UTF-8 where they are that, and never lost', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 50 }), (bytes) => {
      const latin1 = Buffer.from(bytes).toString('latin1');
      const text = clientText(latin1, 100);
      assert.ok(text === latin1 || Buffer.from(text, 'utf8').equals(bytes));
    }),
  );
  assert.equal(clientText('caf\xc3\xa9', 100), 'café');
  assert.equal(clientText('caf\xc3', 100), 'caf\xc3');
});

test('what is too long is cut, and says by how much', () => {
  assert.equal(cut('abcdef', 6), 'abcdef');
  assert.equal(cut('abcdefg', 6), 'abcdef...(1 more)');
});

test('milliseconds are numbers of JSON, to the microsecond', () => {
  const cases = [0, -0.1, 0.0004, 0.001, 0.01, 1, 1.5, 12.345, 999.999, 1000, 86_400_000.0006, Number.NaN];
  assert.deepEqual(cases.map(msText), [
    ...['0', '0', '0', '0.001', '0.01', '1', '1.5', '12.345', '999.999', '1000', '86400000.001', '0'],
  ]);
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e9, noNaN: true }), (ms) => {
      assert.ok(Math.abs(JSON.parse(msText(ms)) - ms) <= 0.0006);
    }),
  );
});

test('times are those of Date', () => {
  const time = new TimeText();
  for (const ms of [0, 999, 1_000, 1_700_000_000_123.7, 1_700_000_000_123, 1_699_999_999_999])
    assert.equal(time.of(ms), new Date(Math.floor(ms)).toISOString());
});
