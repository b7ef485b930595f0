import assert from 'node:assert/strict';
import { test } from 'node:test';
import { terminationOf } from '../../src/control/access-log/termination.ts';
import { FAILURES, type FailureCode } from '../../src/errors.ts';

const PHASES = ['request', 'queue', 'connect', 'head', 'body'] as const;

test('every failure has letters and words in every phase', () => {
  for (const code of Object.keys(FAILURES) as FailureCode[]) {
    for (const phase of PHASES) {
      const { letters, words } = terminationOf(code, phase);
      assert.match(letters, /^[CcSsPRI][RQCHD]$/, `${code} ${phase}`);
      assert.match(words, /^the (client|backend|gateway) [a-z ]+, [a-z ]+$/, `${code} ${phase}`);
    }
  }
});

test('a failure of the backend is never laid at the door of the client or the gateway, nor the other way round', () => {
  const owners = { client: /^[CcP]/, upstream: /^[Ss]/, gateway: /^[PRI]/ };
  for (const [code, { fault }] of Object.entries(FAILURES))
    assert.match(terminationOf(code as FailureCode, 'head').letters, owners[fault], code);
});

test('what went well ended with nobody', () => {
  assert.equal(terminationOf(undefined, 'body').letters, '--');
});
