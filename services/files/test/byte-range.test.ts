import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseRange } from '../src/byte-range.ts';

const WHOLE = { kind: 'whole' };
const UNSATISFIABLE = { kind: 'unsatisfiable' };
const part = (first: number, last: number) => ({ kind: 'part', first, last });

test('ranges are read as RFC 9110 §14.1.2 has its examples', () => {
  const cases: [string | undefined, object][] = [
    [undefined, WHOLE],
    ['bytes=0-499', part(0, 499)],
    ['bytes=500-999', part(500, 999)],
    ['bytes=-500', part(9500, 9999)],
    ['bytes=9500-', part(9500, 9999)],
    ['bytes=9999-20000', part(9999, 9999)],
    ['bytes=-20000', part(0, 9999)],
    ['bytes=0-0', part(0, 0)],
    ['Bytes=0-0', part(0, 0)],
    ['bytes=10000-', UNSATISFIABLE],
    ['bytes=-0', UNSATISFIABLE],
  ];
  for (const [header, expected] of cases)
    assert.deepEqual(parseRange(header, 10_000), expected, String(header));
});

test('what is malformed, several or of another unit is ignored', () => {
  const headers = [
    '',
    'bytes',
    'bytes=',
    'bytes=-',
    'bytes=2-1',
    'bytes=a-b',
    'bytes=0-1,5-6',
    'lines=0-1',
    'bytes=0x1-2',
    'bytes=--1',
    'bytes=1.5-2',
  ];
  for (const header of headers) assert.deepEqual(parseRange(header, 10_000), WHOLE, header);
});

test('nothing of an empty file can be had by range', () => {
  for (const header of ['bytes=0-', 'bytes=0-0', 'bytes=-1'])
    assert.deepEqual(parseRange(header, 0), UNSATISFIABLE, header);
});

test('a part lies within the file, whatever is asked', () => {
  const bound = fc.oneof(fc.nat({ max: 2_000 }), fc.constant(''));
  fc.assert(
    fc.property(bound, bound, fc.nat({ max: 1_000 }), (from, to, size) => {
      const range = parseRange(`bytes=${from}-${to}`, size);
      if (range.kind !== 'part') return;
      assert.ok(range.first >= 0 && range.first <= range.last && range.last < size);
      if (from !== '') assert.equal(range.first, from);
    }),
  );
});
