import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FILE_CASES } from './cases-file.ts';
import { LISTENER_CASES } from './cases-listeners.ts';
import { ROUTE_CASES } from './cases-routes.ts';
import { SERVICE_CASES } from './cases-services.ts';
import { complaints, load } from './loading.ts';

for (const { name, text, said } of [...FILE_CASES, ...LISTENER_CASES, ...SERVICE_CASES, ...ROUTE_CASES]) {
  test(name, () => assert.deepEqual(complaints(load(text)), said));
}
