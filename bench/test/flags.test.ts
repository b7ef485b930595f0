import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { casesNamed } from '../cases.ts';
import { parseFlags } from '../flags.ts';

describe('the flags', () => {
  it('default to five rounds of five seconds of everything', () => {
    const flags = parseFlags([]);
    assert.deepEqual([flags.rounds, flags.seconds, flags.cases, flags.peers], [5, 5, [], []]);
  });

  it('--quick is one second of the small case, and gives way to what is said beside it', () => {
    assert.deepEqual(parseFlags(['--quick']).cases, ['small']);
    const flags = parseFlags(['--quick', '--cases', 'down1m,newconn', '--seconds', '3']);
    assert.deepEqual([flags.rounds, flags.seconds, flags.cases], [1, 3, ['down1m', 'newconn']]);
  });

  it('refuse what they do not know', () => {
    assert.throws(() => parseFlags(['--round', '3']), /round/);
    assert.throws(() => parseFlags(['--rounds', 'many']), /whole number/);
    assert.throws(() => parseFlags(['--rounds', '0']), /whole number/);
  });
});

describe('the cases', () => {
  it('come in running order, with the one they are compared with', () => {
    assert.deepEqual(
      casesNamed(['routes10k', 'small']).map((each) => each.name),
      ['small', 'routes10', 'routes10k'],
    );
  });

  it('are refused when unknown, naming the known ones', () => {
    assert.throws(() => casesNamed(['smal']), /no case 'smal'; known: small/);
  });
});
