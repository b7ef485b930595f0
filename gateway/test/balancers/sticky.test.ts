import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cookieValue } from '../../src/data/balancers/cookie.ts';
import { Sticky } from '../../src/data/balancers/sticky.ts';
import { candidate, idle, request } from './fakes.ts';

const plan = { cookie: 'portway', ttlMs: undefined };

function requestWith(cookieHeader: string | undefined) {
  return request({ cookie: (name) => cookieValue(cookieHeader, name) });
}

function sentBack(setCookie: string | undefined): string {
  return setCookie?.split(';')[0] ?? '';
}

test('a client comes back to the backend its cookie names', () => {
  const candidates = idle(5);
  const [, , chosen] = candidates;
  assert.ok(chosen);
  const cookie = sentBack(new Sticky(plan, 'db').cookieFor(chosen, requestWith(undefined)));
  const afterRestart = new Sticky(plan, 'db');
  assert.equal(afterRestart.find(candidates, requestWith(`a=1; ${cookie}; b=2`)), chosen);
  assert.equal(afterRestart.cookieFor(chosen, requestWith(cookie)), undefined);
});

test('a cookie for a backend that is out finds nothing, and the next pick is set anew', () => {
  const candidates = idle(3);
  const [gone, next] = candidates;
  assert.ok(gone && next);
  const sticky = new Sticky(plan, 'db');
  const cookie = sentBack(sticky.cookieFor(gone, requestWith(undefined)));
  assert.equal(sticky.find(candidates.slice(1), requestWith(cookie)), undefined);
  assert.notEqual(sentBack(sticky.cookieFor(next, requestWith(cookie))), cookie);
});

test('the cookie is for the browser only and does not tell the address', () => {
  const setCookie = new Sticky(plan, 'db').cookieFor(candidate('10.1.2.3:8080'), requestWith(undefined));
  assert.match(setCookie ?? '', /^portway=[\w-]{16}; Path=\/; HttpOnly; SameSite=Lax$/);
});

test('with a ttl the cookie lives as many seconds, at least one', () => {
  const maxAge = (ttlMs: number) =>
    /Max-Age=(\d+)/.exec(
      new Sticky({ cookie: 'c', ttlMs }, 's').cookieFor(candidate('a'), request()) ?? '',
    )?.[1];
  assert.equal(maxAge(3_600_000), '3600');
  assert.equal(maxAge(1500), '2');
  assert.equal(maxAge(1), '1');
});

test('another service gives the same backend another cookie', () => {
  const backend = candidate('a:80');
  const of = (salt: string) => new Sticky(plan, salt).cookieFor(backend, requestWith(undefined));
  assert.notEqual(of('db'), of('web'));
});

test('made-up cookies find nothing', () => {
  const candidates = idle(3);
  const sticky = new Sticky(plan, 'db');
  for (const value of ['', 'backend-0:80', 'A'.repeat(16), '__proto__', 'x'.repeat(5000)]) {
    assert.equal(sticky.find(candidates, requestWith(`portway=${value}`)), undefined);
  }
});
