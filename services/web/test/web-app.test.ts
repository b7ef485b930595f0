import assert from 'node:assert/strict';
import { test } from 'node:test';
import { started, stillOptions } from '../../shared/test/support.ts';
import { buildWebApp } from '../src/web-app.ts';

test('the landing page names the instance, the map of paths to ports and the chat page', async (t) => {
  const url = await started(t, await buildWebApp(stillOptions({ instance: 'web-<1>' })));
  const response = await fetch(url);
  const html = await response.text();
  assert.equal(response.headers.get('x-instance'), 'web-<1>');
  assert.match(html, /web-&#60;1&#62;/);
  for (const text of ['/db', '3021', '/files', '3012', '/chat-page', '3013'])
    assert.ok(html.includes(text), text);
});

test('all that the pages load comes from this service', async (t) => {
  const url = await started(t, await buildWebApp(stillOptions()));
  for (const page of ['/', '/chat-page']) {
    const response = await fetch(`${url}${page}`);
    assert.equal(response.headers.get('content-type'), 'text/html; charset=utf-8');
    const loaded = [
      ...(await response.text()).matchAll(
        /(?:<script (?:type="module" )?src|<link rel="stylesheet" href)="([^"]+)"/g,
      ),
    ];
    assert.equal(loaded.length, 2, page);
    for (const [, path] of loaded) {
      const file = await fetch(`${url}${path}`);
      assert.equal(file.status, 200, String(path));
      assert.match(file.headers.get('content-type') ?? '', path?.endsWith('.js') ? /javascript/ : /css/);
    }
  }
});

test('the policy allows no script but its own, and WebSockets', async (t) => {
  const url = await started(t, await buildWebApp(stillOptions()));
  const response = await fetch(`${url}/chat-page`);
  const policy = response.headers.get('content-security-policy') ?? '';
  assert.match(policy, /default-src 'self';/);
  assert.doesNotMatch(policy, /unsafe/);
  const html = await response.text();
  assert.doesNotMatch(html, /<script>|<style| on[a-z]+=|https?:\/\//);
});
