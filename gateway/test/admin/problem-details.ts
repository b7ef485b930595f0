import assert from 'node:assert/strict';
import { STATUS_CODES } from 'node:http';
import type { Answer } from './admin-stage.ts';

/** Asserts problem details (RFC 9457) of a status, with the headers every answer has; returns the body. */
export function assertProblem(
  { status, headers, body }: Answer,
  expected: number,
): Readonly<Record<string, unknown>> {
  assert.equal(status, expected, body);
  assert.match(String(headers['content-type']), /^application\/problem\+json/);
  assert.equal(headers['cache-control'], 'no-store');
  assert.equal(headers['x-content-type-options'], 'nosniff');
  const problem: Readonly<Record<string, unknown>> = JSON.parse(body);
  assert.equal(problem['type'], 'about:blank');
  assert.equal(problem['title'], STATUS_CODES[expected]);
  assert.equal(problem['status'], expected);
  assert.equal(typeof problem['detail'], 'string');
  return problem;
}
