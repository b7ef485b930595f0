import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chaos } from './chaos.ts';

test('clients and backends that break off anywhere and send nearly anything harm nobody else', async (t) => {
  const { steady, unreadable } = await chaos(t, 1, 2_000);
  assert.deepEqual(unreadable, []);
  for (const [name, times] of Object.entries(steady)) assert.ok(times > 0, `${name}: ${times} times`);
});
