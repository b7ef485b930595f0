import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FieldLines } from '../../src/data/http1/field-lines.ts';
import { FIELD_ID } from '../../src/data/http1/field-names.ts';

/** Parses `text` as it would stand in the middle of a head, at position 5 of its bytes. */
function parse(text: string, capacity = 10): { readonly fields: FieldLines; readonly end: string } {
  const fields = new FieldLines(capacity);
  const bytes = Buffer.from(`GET \n${text}\0`, 'latin1');
  const end = fields.parse(bytes, 5, bytes.length - 1);
  fields.base = 2;
  fields.text = bytes.toString('latin1', 2, bytes.length - 1);
  return { fields, end };
}

const pairs = (fields: FieldLines): [string, string][] =>
  Array.from({ length: fields.count }, (_, i) => [fields.name(i), fields.value(i)]);

test('names and values are found, white space around values left out', () => {
  for (const [text, expected] of [
    ['\r\n', []],
    ['A: b\r\n\r\n', [['A', 'b']]],
    [
      'A:b\r\nC:\r\nD: \t e f \t\r\n\r\n',
      [
        ['A', 'b'],
        ['C', ''],
        ['D', 'e f'],
      ],
    ],
    ['A:  \r\n\r\n', [['A', '']]],
    ['A: b:c\r\n\r\n', [['A', 'b:c']]],
  ] as const) {
    const { fields, end } = parse(text);
    assert.equal(end, 'complete', JSON.stringify(text));
    assert.deepEqual(pairs(fields), expected);
    assert.equal(fields.end, 5 + text.length);
  }
});

test('what follows the empty line is not looked at', () => {
  const { fields, end } = parse('A: b\r\n\r\nC d\n\0');
  assert.equal(end, 'complete');
  assert.equal(fields.end, 5 + 8);
});

test('the end of what has arrived is told from what is wrong, at every byte', () => {
  const whole = 'Host: a\r\nX: \t b \r\nY:\r\n\r\n';
  for (let length = 0; length < whole.length; length++) {
    assert.equal(parse(whole.slice(0, length)).end, 'incomplete', JSON.stringify(whole.slice(0, length)));
  }
  assert.equal(parse(whole).end, 'complete');
});

test('what is wrong is seen as soon as it is there', () => {
  for (const text of [
    'A b',
    'A :',
    ':',
    ' ',
    '\t',
    '\n',
    'A: b\n',
    'A: b\rX',
    'A: \0',
    'A: \x7f',
    '\rX',
    'A: b\r\n ',
    'A: b\r\n\rX',
    'A\x80',
    'A(',
  ]) {
    assert.equal(parse(text).end, 'malformed', JSON.stringify(text));
  }
});

test('one field more than there is room for is too many', () => {
  assert.equal(parse('A: b\r\nC: d\r\n\r\n', 2).end, 'complete');
  assert.equal(parse('A: b\r\nC: d\r\nE', 2).end, 'too-many');
});

test('known fields are found by id: the first, all as a list, whether there are several', () => {
  const { fields } = parse('Via: 1\r\nHost: a\r\nvia: 2\r\nX: 3\r\nVIA:\r\n\r\n');
  assert.equal(fields.first(FIELD_ID.via), '1');
  assert.equal(fields.list(FIELD_ID.via), '1, 2, ');
  assert.equal(fields.repeated(FIELD_ID.via), true);
  assert.equal(fields.indexOf(FIELD_ID.host), 1);
  assert.equal(fields.repeated(FIELD_ID.host), false);
  assert.equal(fields.has(FIELD_ID.te), false);
  assert.equal(fields.indexOf(FIELD_ID.te), -1);
  assert.equal(fields.first(FIELD_ID.te), '');
  assert.equal(fields.list(FIELD_ID.te), '');
});

test('nothing of a former head is left in the next', () => {
  const fields = new FieldLines(10);
  const parseNext = (text: string): void => {
    const bytes = Buffer.from(`${text}\0`, 'latin1');
    assert.equal(fields.parse(bytes, 0, text.length), 'complete');
    fields.text = text;
  };
  parseNext('Host: a\r\nTE: b\r\nTE: c\r\n\r\n');
  parseNext('TE: d\r\n\r\n');
  assert.equal(fields.has(FIELD_ID.host), false);
  assert.equal(fields.list(FIELD_ID.te), 'd');
  parseNext('\r\n');
  assert.equal(fields.count, 0);
  assert.equal(fields.has(FIELD_ID.te), false);
  assert.equal(fields.textBetween(0, 0), '');
});

test('stretches of lines are cut out exactly', () => {
  const { fields } = parse('A: b\r\nC:d\r\nE: f \r\nG: h\r\n\r\n');
  assert.deepEqual(
    [0, 1, 2, 3].map((i) => fields.canonical(i)),
    [true, false, false, true],
  );
  // `text` starts two bytes before the bytes that `parse` got its fields from
  assert.equal(fields.textBetween(0, 0), ' \n'.slice(0, 3).padStart(3, fields.text.slice(0, 1)));
  assert.equal(fields.textBetween(fields.textAfter(0), 2), 'C:d\r\n');
  assert.equal(fields.textBetween(fields.textAfter(2), 4), 'G: h\r\n');
  assert.equal(fields.textBetween(fields.textAfter(3), 4), '');
});

test('any fields that are well-formed come out as they went in', () => {
  const token = fc.string({
    unit: fc.constantFrom(..."abcXYZ019!#$%&'*+-.^_`|~"),
    minLength: 1,
    maxLength: 12,
  });
  const value = fc.string({
    unit: fc.constantFrom('a', ' ', '\t', ':', '"', ',', '\x80', '\xff', '~', '!'),
    maxLength: 12,
  });
  const space = fc.constantFrom('', ' ', '\t', '  ');
  fc.assert(
    fc.property(fc.array(fc.tuple(token, space, value, space), { maxLength: 10 }), (lines) => {
      const text = `${lines.map(([name, before, content, after]) => `${name}:${before}${content}${after}\r\n`).join('')}\r\n`;
      const { fields, end } = parse(text);
      assert.equal(end, 'complete');
      const trimmed = (content: string): string => content.replace(/^[ \t]+|[ \t]+$/g, '');
      assert.deepEqual(
        pairs(fields),
        lines.map(([name, , content]) => [name, trimmed(content)]),
      );
    }),
  );
});
