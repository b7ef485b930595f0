import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONTROL_CASES } from './cases-control.ts';
import { FILE_CASES } from './cases-file.ts';
import { LISTENER_CASES } from './cases-listeners.ts';
import { LOG_CASES } from './cases-logs.ts';
import { PROTOCOL_LISTENER_CASES } from './cases-protocol-listeners.ts';
import { PROTOCOL_SERVICE_CASES } from './cases-protocol-services.ts';
import { RESILIENCE_CASES } from './cases-resilience.ts';
import { ROUTE_CASES } from './cases-routes.ts';
import { SERVICE_CASES } from './cases-services.ts';
import { complaints, load } from './loading.ts';

const CASES = [
  ...FILE_CASES,
  ...CONTROL_CASES,
  ...LISTENER_CASES,
  ...LOG_CASES,
  ...PROTOCOL_LISTENER_CASES,
  ...PROTOCOL_SERVICE_CASES,
  ...SERVICE_CASES,
  ...RESILIENCE_CASES,
  ...ROUTE_CASES,
];

for (const { name, text, said } of CASES) {
  test(name, () => assert.deepEqual(complaints(load(text)), said));
}
