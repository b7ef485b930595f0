import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FIELD_ID, fieldId } from '../../src/data/http1/field-names.ts';

const NAMES = Object.entries(FIELD_ID).filter(([name]) => name !== 'other' && name !== 'lookalike');
const TOKEN = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

function idOf(name: string): number {
  const bytes = Buffer.from(`x${name}:`, 'latin1');
  return fieldId(bytes, 1, 1 + name.length, name.includes('_'));
}

/** What a name means, told plainly. */
function expected(name: string): number {
  const lower = name.toLowerCase();
  const known = new Map<string, number>(NAMES);
  if (!lower.includes('_')) return known.get(lower) ?? FIELD_ID.other;
  return known.has(lower.replaceAll('_', '-')) ? FIELD_ID.lookalike : FIELD_ID.other;
}

test('every known name is known in any case', () => {
  for (const [name, id] of NAMES) {
    const capitals = name.replace(/\b[a-z]/g, (letter) => letter.toUpperCase());
    const mixed = [...name].map((letter, at) => (at % 2 === 0 ? letter.toUpperCase() : letter)).join('');
    for (const spelling of [name, name.toUpperCase(), capitals, mixed])
      assert.equal(idOf(spelling), id, spelling);
  }
});

test('ids fit the bits of a number, and no two names share one', () => {
  const ids = NAMES.map(([, id]) => id);
  assert.equal(new Set(ids).size, ids.length);
  for (const id of ids) assert.ok(id > 0 && id < 32);
});

test('a name with underscores for hyphens is a look-alike, any of them, in any case', () => {
  for (const [name] of NAMES.filter(([known]) => known.includes('-'))) {
    for (const spelling of [
      name.replace('-', '_'),
      name.replaceAll('-', '_'),
      name.replaceAll('-', '_').toUpperCase(),
    ]) {
      assert.equal(idOf(spelling), FIELD_ID.lookalike, spelling);
    }
  }
  for (const other of ['x_mine', 'host_', '_host', 'hos_t', 'user_agent'])
    assert.equal(idOf(other), FIELD_ID.other, other);
});

test('a name that differs from a known one in one byte is not that one', () => {
  for (const [name] of NAMES) {
    for (let at = 0; at < name.length; at++) {
      for (const character of TOKEN) {
        const spelling = name.slice(0, at) + character + name.slice(at + 1);
        assert.equal(idOf(spelling), expected(spelling), spelling);
      }
    }
    for (const spelling of [name.slice(1), name.slice(0, -1), `${name}x`, `x${name}`])
      assert.equal(idOf(spelling), expected(spelling), spelling);
  }
});

test('any other token is another name', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...TOKEN), minLength: 1, maxLength: 30 }), (name) => {
      assert.equal(idOf(name), expected(name));
    }),
    { numRuns: 2_000 },
  );
});
