import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cookieValue } from '../../src/data/balancers/cookie.ts';

test('a cookie is found by its exact name, the first of several', () => {
  const cases: readonly (readonly [header: string, value: string | undefined])[] = [
    ['id=1', '1'],
    ['a=0; id=1; b=2', '1'],
    ['a=0;id=1', '1'],
    ['  id=1  ', '1'],
    ['id=1; id=2', '1'],
    ['xid=1; id=2', '2'],
    ['idx=1', undefined],
    ['ID=1', undefined],
    ['id', undefined],
    ['id =1', undefined],
    ['a=id=1', undefined],
    ['id=a=b', 'a=b'],
    ['id=', ''],
    ['id="quoted"', 'quoted'],
    ['id="', '"'],
    ['id=""', ''],
    ['', undefined],
    [';;; id=1', '1'],
  ];
  for (const [header, value] of cases) assert.equal(cookieValue(header, 'id'), value, header);
});

test('overlong fields and values and control characters are not a cookie', () => {
  assert.equal(cookieValue(`id=${'x'.repeat(4096)}`, 'id')?.length, 4096);
  assert.equal(cookieValue(`id=${'x'.repeat(4097)}`, 'id'), undefined);
  assert.equal(cookieValue(`id=1; ${'x'.repeat(17_000)}`, 'id'), undefined);
  assert.equal(cookieValue('id=a\u0001b', 'id'), undefined);
  assert.equal(cookieValue(undefined, 'id'), undefined);
  assert.equal(cookieValue('=1', ''), undefined);
});

test('what the parser finds is what splitting the field finds', () => {
  const pair = fc.tuple(fc.stringMatching(/^[a-c]{1,2}$/), fc.stringMatching(/^[!#-+\--:<-[\]-~]{0,8}$/));
  fc.assert(
    fc.property(fc.array(pair), fc.stringMatching(/^[a-c]{1,2}$/), (pairs, name) => {
      const header = pairs.map(([key, value]) => `${key}=${value}`).join('; ');
      assert.equal(cookieValue(header, name), pairs.find(([key]) => key === name)?.[1]);
    }),
  );
});
