import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answer, stage } from '../../support/stage.ts';

// @fastify/reply-from: encoded dot segments in a target led out of the base it was configured with (also CVE-2021-21321, CVE-2021-21322).
const ESCAPES = [
  '/hi/%2E%2E/secret',
  '/hi/%2e%2e/secret',
  '/hi/.%2e/secret',
  '/hi/%2e./secret',
  '/hi/../secret',
  '/hi/x/../../secret',
  '/hi/%2E%2E%2Fsecret',
  '/hi/..%2Fsecret',
  '/hi/..%5csecret',
  '/hi/..;/secret',
  '/hi/%2e%2e;x/secret',
  '/hi//../secret',
  '/hi/%c0%ae%c0%ae/secret',
  '/hi/..',
  '/hi/%2e%2e',
];

test('no spelling of a dot segment leads out of the prefix that a route adds', async (t) => {
  const { client, backend } = await stage(t, answer(), {
    route: { path: '/hi', name: '/hi', rewrite: '/base' },
  });
  for (const path of ESCAPES) {
    const browser = await client();
    const answered = await browser.send(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`).end();
    assert.match(answered, /^HTTP\/1\.1 40[04] /, path);
  }
  assert.equal(backend.connections.length, 0);
});

test('a double encoding is sent on as it came: a backend that decodes once sees no dot segment', async (t) => {
  const { client, backend } = await stage(t, answer(), {
    route: { path: '/hi', name: '/hi', rewrite: '/base' },
  });
  const browser = await client();
  await browser.send('GET /hi/%252e%252e/secret HTTP/1.1\r\nHost: a\r\n\r\n').contains('ok');
  assert.match(backend.received, /^GET \/base\/%252e%252e\/secret /);
});
