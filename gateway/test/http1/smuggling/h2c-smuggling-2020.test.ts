import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answer, stage } from '../../support/stage.ts';

// Bishop Fox 2020, "h2c smuggling": an upgrade to HTTP/2 in the clear that a proxy passes on is a way past all its rules.
test('no spelling of h2c reaches a backend as an upgrade', async (t) => {
  const { client, backend } = await stage(t, answer());
  for (const fields of [
    'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n',
    'Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n',
    'Connection: HTTP2-Settings\r\nConnection: Upgrade\r\nUpgrade: H2C\r\n',
    'Connection: upgrade\r\nUpgrade: websocket, h2c\r\n',
    'Connection: upgrade\r\nUpgrade: h2c, websocket\r\n',
    'Connection: upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c\r\n',
    'Connection: upgrade\r\nUpgrade: h2c-14\r\n',
    'Connection: upgrade\r\nUpgrade: HTTP/2.0\r\n',
    'Connection: upgrade\r\nUpgrade: h2\r\n',
    'Connection: upgrade\r\nUpgrade: foo h2c\r\n',
  ]) {
    const browser = await client();
    await browser.send(`GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`).contains('ok');
  }
  assert.doesNotMatch(backend.received, /h2|HTTP2|HTTP\/2|Upgrade/i);
});
