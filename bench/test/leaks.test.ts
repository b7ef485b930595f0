import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

const LEAKS = join(import.meta.dirname, '..', 'leaks.ts');

test('connections of every protocol that end badly leave no descriptor open', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [LEAKS, '--count', '60', '--together']);
  assert.match(stdout, /^13 kinds: 60 times: .*descriptors \d+ to \d+: PASS\nPASS\n$/);
});
