import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runLeaks } from './leaks.ts';

test('however an upgrade ends, on either side and at any step, nothing of it is left', async (t) => {
  assert.deepEqual(await runLeaks(40, (line) => t.diagnostic(line)), []);
});
