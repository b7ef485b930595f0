import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withNumbers } from '../readme.ts';

describe('the numbers in the README', () => {
  it('replace what stood between the markers and nothing else', () => {
    const before = '# Portway\n<!-- bench:start -->\nold $& numbers\n<!-- bench:end -->\nend\n';
    const once = withNumbers(before, '| new $& |');
    assert.equal(once, '# Portway\n<!-- bench:start -->\n| new $& |\n<!-- bench:end -->\nend\n');
    assert.equal(withNumbers(once ?? '', '| new $& |'), once);
  });

  it('are left alone without a pair of markers in order', () => {
    assert.equal(withNumbers('# Portway\n', 'x'), undefined);
    assert.equal(withNumbers('<!-- bench:start -->', 'x'), undefined);
    assert.equal(withNumbers('<!-- bench:end --><!-- bench:start -->', 'x'), undefined);
  });
});
