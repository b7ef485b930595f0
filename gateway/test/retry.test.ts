import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FailedAttempt } from '../src/data/exchange.ts';
import {
  backoffMs,
  decideRetry,
  decideStatusRetry,
  isIdempotent,
  type RetryDecision,
  type RetryFacts,
  retryAfterMs,
} from '../src/data/retry.ts';
import { FAILURES, type FailureCode } from '../src/errors.ts';
import { retryPlan } from './support/plans.ts';

const GET: RetryFacts = {
  method: 'GET',
  bodyKept: true,
  races: 0,
  replays: 0,
  plan: retryPlan({ attempts: 1 }),
};
const planned = (changes: Parameters<typeof retryPlan>[0]) => ({ plan: retryPlan(changes) });
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
    { method: 'POST', replays: 1 },
    'elsewhere',
  ],
  [
    'nor does a lost body matter, of which nothing was sent',
    'connect_timeout',
    UNSENT,
    { method: 'POST', bodyKept: false },
    'elsewhere',
  ],
  ['unless retries are off', 'connect_refused', UNSENT, { plan: undefined }, 'off'],
  ['or not for that', 'connect_refused', UNSENT, planned({ on: ['reset'] }), 'not_listed'],
  ['a full queue sends it elsewhere', 'queue_full', UNSENT, { method: 'POST' }, 'elsewhere'],
  ['so does a backend that a reload took away', 'shutting_down', UNSENT, { method: 'POST' }, 'elsewhere'],
  ['whoever waited in a queue has waited enough', 'queue_timeout', UNSENT, {}, 'no_cure'],
  ['a reused connection that died: the same backend on a fresh one', 'backend_closed', REUSED, {}, 'fresh'],
  ['so often, as several may be stopping', 'backend_closed', REUSED, { races: 2 }, 'fresh'],
  ['whatever is listed', 'backend_closed', REUSED, planned({ on: [] }), 'fresh'],
  ['even when retries are off', 'backend_closed', REUSED, { plan: undefined }, 'fresh'],
  ['which a fresh connection is not', 'backend_closed', SENT, { plan: undefined }, 'off'],
  ['a POST was perhaps executed', 'backend_closed', REUSED, { method: 'POST' }, 'not_idempotent'],
  [
    'but for operators who know better',
    'backend_closed',
    REUSED,
    { method: 'POST', ...planned({ nonIdempotent: true }) },
    'fresh',
  ],
  ['a body not kept cannot be sent again', 'backend_closed', REUSED, { bodyKept: false }, 'body_not_kept'],
  [
    'a byte of an answer came: it was executed',
    'backend_closed',
    { ...REUSED, answered: true },
    {},
    'no_cure',
  ],
  ['a fresh connection that died: another backend', 'backend_closed', SENT, {}, 'replay'],
  ['as often as is allowed', 'backend_closed', SENT, { replays: 1 }, 'attempts'],
  ['and listed', 'backend_closed', SENT, planned({ on: ['timeout'] }), 'not_listed'],
  ['PUT and DELETE are idempotent', 'backend_closed', SENT, { method: 'DELETE' }, 'replay'],
  ['PATCH is not', 'backend_closed', SENT, { method: 'PATCH' }, 'not_idempotent'],
  ['an unknown method is not', 'backend_closed', SENT, { method: 'get' }, 'not_idempotent'],
  ['a backend that hangs: another one', 'response_timeout', SENT, {}, 'replay'],
  ['reused or not', 'response_timeout', REUSED, {}, 'replay'],
  ['one that takes no more of the request too', 'idle_timeout', SENT, {}, 'replay'],
  ['not what was perhaps executed', 'response_timeout', SENT, { method: 'POST' }, 'not_idempotent'],
  ['a bad answer is an answer', 'bad_response', SENT, {}, 'no_cure'],
  ['the total time is over for all backends', 'total_timeout', SENT, {}, 'no_cure'],
];

for (const [what, code, attempt, facts, decision] of TABLE) {
  test(`${code}, ${decision}: ${what}`, () =>
    assert.equal(decideRetry(code, attempt, { ...GET, ...facts }), decision));
}

test('a client’s own fault is never tried again', () => {
  for (const [code, { fault }] of Object.entries(FAILURES)) {
    if (fault !== 'client') continue;
    for (const attempt of [UNSENT, SENT, REUSED])
      assert.equal(decideRetry(code as FailureCode, attempt, GET), 'no_cure', code);
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

test('a status is retried where the route lists it, and the request can be sent again', () => {
  const listed = { ...GET, ...planned({ on: ['503'] }) };
  assert.equal(decideStatusRetry(503, GET), undefined);
  assert.equal(decideStatusRetry(503, listed), 'replay');
  assert.equal(decideStatusRetry(502, listed), undefined);
  assert.equal(decideStatusRetry(503, { ...listed, method: 'POST' }), 'not_idempotent');
  assert.equal(decideStatusRetry(503, { ...listed, bodyKept: false }), 'body_not_kept');
  assert.equal(decideStatusRetry(503, { ...listed, replays: 1 }), 'attempts');
  assert.equal(decideStatusRetry(503, { ...listed, plan: undefined }), undefined);
});

test('the first replay is made at once, later ones after a random share of a doubling pause', () => {
  const plan = retryPlan({ backoffMs: 25 });
  const longest = [0, 1, 2, 3, 10].map((replays) => backoffMs(plan, replays, () => 0.999_999));
  assert.deepEqual(longest.map(Math.round), [0, 25, 50, 100, 1_000]);
  assert.equal(
    backoffMs(plan, 3, () => 0),
    0,
  );
});

test('Retry-After is seconds or a date, and too long a pause is none', () => {
  const nowMs = Date.parse('Sat, 21 Nov 2026 12:00:00 GMT');
  assert.equal(retryAfterMs('1', nowMs), 1_000);
  assert.equal(retryAfterMs('0', nowMs), 0);
  assert.equal(retryAfterMs('Sat, 21 Nov 2026 12:00:02 GMT', nowMs), 2_000);
  assert.equal(retryAfterMs('Sat, 21 Nov 2026 11:00:00 GMT', nowMs), 0);
  for (const bad of ['3', '120', '', 'soon', '-1', 'Sat, 21 Nov 2026 12:00:03 GMT'])
    assert.equal(retryAfterMs(bad, nowMs), undefined, bad);
});
