import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FailedAttempt } from '../src/data/exchange.ts';
import { decideRetry, isIdempotent, type RetryDecision, type RetryFacts } from '../src/data/retry.ts';
import { FAILURES, type FailureCode } from '../src/errors.ts';

const GET: RetryFacts = {
  method: 'GET',
  bodyKept: true,
  races: 0,
  replays: 0,
  maxReplays: 1,
  nonIdempotent: false,
};
const UNSENT: FailedAttempt = { sent: false, reused: false, answered: false };
const SENT: FailedAttempt = { sent: true, reused: false, answered: false };
const REUSED: FailedAttempt = { sent: true, reused: true, answered: false };

const TABLE: readonly (readonly [
  what: string,
  code: FailureCode,
  attempt: FailedAttempt,
  facts: Partial<RetryFacts>,
  decision: RetryDecision,
])[] = [
  [
    'nothing was sent: any method may go elsewhere',
    'connect_refused',
    UNSENT,
    { method: 'POST', maxReplays: 0 },
    'other',
  ],
  [
    'nor does a lost body matter, of which nothing was sent',
    'connect_timeout',
    UNSENT,
    { method: 'POST', bodyKept: true },
    'other',
  ],
  ['a full queue sends it elsewhere', 'queue_full', UNSENT, { method: 'POST' }, 'other'],
  ['whoever waited in a queue has waited enough', 'queue_timeout', UNSENT, {}, 'no'],
  ['a reused connection that died: the same backend on a fresh one', 'backend_closed', REUSED, {}, 'fresh'],
  ['so often, as several may be stopping', 'backend_closed', REUSED, { races: 2 }, 'fresh'],
  ['a POST was perhaps executed', 'backend_closed', REUSED, { method: 'POST' }, 'no'],
  [
    'but for operators who know better',
    'backend_closed',
    REUSED,
    { method: 'POST', nonIdempotent: true },
    'fresh',
  ],
  ['a body that was not kept cannot be sent again', 'backend_closed', REUSED, { bodyKept: false }, 'no'],
  ['a byte of an answer came: it was executed', 'backend_closed', { ...REUSED, answered: true }, {}, 'no'],
  ['a fresh connection that died: another backend', 'backend_closed', SENT, {}, 'other'],
  ['as often as is allowed', 'backend_closed', SENT, { replays: 1 }, 'no'],
  ['PUT and DELETE are idempotent', 'backend_closed', SENT, { method: 'DELETE' }, 'other'],
  ['PATCH is not', 'backend_closed', SENT, { method: 'PATCH' }, 'no'],
  ['an unknown method is not', 'backend_closed', SENT, { method: 'get' }, 'no'],
  ['a slow answer may still be executed', 'response_timeout', SENT, {}, 'no'],
  ['a bad answer is an answer', 'bad_response', SENT, {}, 'no'],
  ['the total time is over for all backends', 'total_timeout', SENT, {}, 'no'],
];

for (const [what, code, attempt, facts, decision] of TABLE) {
  test(`${code}, ${decision}: ${what}`, () =>
    assert.equal(decideRetry(code, attempt, { ...GET, ...facts }), decision));
}

test('a client’s own fault is never tried again', () => {
  for (const [code, { fault }] of Object.entries(FAILURES)) {
    if (fault !== 'client') continue;
    for (const attempt of [UNSENT, SENT, REUSED])
      assert.equal(decideRetry(code as FailureCode, attempt, GET), 'no', code);
  }
});

test('races end at some time', () => {
  assert.notEqual(decideRetry('backend_closed', REUSED, { ...GET, races: 3 }), 'fresh');
});

test('idempotent methods are those of RFC 9110 §9.2.2', () => {
  assert.deepEqual(
    ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'POST', 'PATCH', 'CONNECT', 'PURGE'].filter(
      isIdempotent,
    ),
    ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE'],
  );
});
