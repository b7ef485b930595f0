import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RawConnection } from '../support/raw-backend.ts';
import { answer, OK, stage } from '../support/stage.ts';
import { splitHead } from './refusals.ts';

const ASK =
  'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: bytes\r\nSec-WebSocket-Key: k\r\n\r\n';
const SWITCH =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: Bytes\r\nSec-WebSocket-Accept: s\r\n\r\n';

/** Answers the request for an upgrade with `response` and leaves all later bytes alone. */
const upgrades =
  (response = SWITCH) =>
  (connection: RawConnection, data: string): void => {
    if (connection.received === data) connection.socket.write(response, 'latin1');
  };

test('an upgrade that the backend accepts becomes a tunnel of any bytes both ways', async (t) => {
  const { client, backend } = await stage(t, upgrades());
  const browser = await client();
  const [head] = splitHead(await browser.send(ASK).contains('\r\n\r\n'));
  assert.match(head, /^HTTP\/1\.1 101 Switching Protocols\r\n/);
  assert.match(head, /\r\nConnection: Upgrade\r\nUpgrade: bytes$/);
  assert.match(head, /\r\nSec-WebSocket-Accept: s\r\n/);
  assert.equal(head.match(/Upgrade: /g)?.length, 1);
  assert.match(
    backend.received,
    /^GET \/chat HTTP\/1\.1\r\n[\s\S]*\r\nConnection: Upgrade\r\nUpgrade: bytes\r\n/,
  );
  assert.match(backend.received, /\r\nSec-WebSocket-Key: k\r\n/);
  const bytes = String.fromCharCode(...Array(256).keys());
  browser.send(`${bytes}GET / HTTP/1.1\r\n\r\n`);
  await backend.until(({ received }) => received.endsWith(`${bytes}GET / HTTP/1.1\r\n\r\n`));
  browser.received = '';
  backend.connections[0]?.socket.write(`${bytes}HTTP/1.1 500 Not an answer\r\n\r\n`, 'latin1');
  await browser.until((received) => received === `${bytes}HTTP/1.1 500 Not an answer\r\n\r\n`);
});

test('bytes that a client sends with its request, before 101, reach the backend after it', async (t) => {
  const { client, backend } = await stage(t);
  const browser = await client();
  browser.send(`${ASK}early `);
  await backend.until(({ received }) => received.endsWith('\r\n\r\n'));
  browser.send('bytes');
  assert.doesNotMatch(backend.received, /early/, 'they are no part of the request');
  backend.connections[0]?.socket.write(SWITCH);
  await backend.until(({ received }) => received.endsWith('\r\n\r\nearly bytes'));
});

test('bytes that the backend sends with its 101 reach the client right after it', async (t) => {
  const { client } = await stage(t, upgrades(`${SWITCH}early bytes`));
  const browser = await client();
  assert.match(await browser.send(ASK).contains('early bytes'), /\r\nUpgrade: bytes\r\n\r\nearly bytes$/);
});

test('bytes after a 101 that arrives byte by byte are not lost', async (t) => {
  const { client, backend } = await stage(t);
  const browser = await client();
  browser.send(ASK);
  await backend.until(({ received }) => received.endsWith('\r\n\r\n'));
  for (const byte of `${SWITCH}early`) {
    backend.connections[0]?.socket.write(byte);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await browser.contains('\r\n\r\nearly');
});

test('either side may close its half of a tunnel and still hear the other', async (t) => {
  for (const first of ['client', 'backend'] as const) {
    await t.test(`${first} first`, async (row) => {
      const { client, backend } = await stage(row, upgrades());
      const browser = await client();
      await browser.send(ASK).contains('\r\n\r\n');
      const server = backend.connections[0];
      assert.ok(server);
      if (first === 'client') {
        browser.socket.end('last words', 'latin1');
        await backend.until(() => server.ended);
        assert.match(server.received, /last words$/);
        server.socket.end('reply');
        assert.match(await browser.end(), /reply$/);
      } else {
        server.socket.end('last words');
        await browser.contains('last words');
        if (!browser.ended) await new Promise((resolve) => browser.socket.once('end', resolve));
        browser.socket.end('reply', 'latin1');
        await backend.until(() => server.ended);
        assert.match(server.received, /reply$/);
      }
    });
  }
});

test('a client that closed its half before the 101 is heard to have done so', async (t) => {
  const { client, backend } = await stage(t);
  const browser = await client();
  browser.socket.end(`${ASK}last words`, 'latin1');
  // the gateway asks whether it is still there: then it has seen the end of its half
  await browser.contains('102 Processing');
  const [server] = backend.connections;
  assert.ok(server);
  server.socket.write(SWITCH);
  await backend.until(() => server.ended);
  assert.match(server.received, /\r\n\r\nlast words$/);
  server.socket.end('reply');
  assert.match(await browser.end(), /reply$/);
});

test('when one side of a tunnel is gone, so is the other', async (t) => {
  for (const gone of ['client', 'backend'] as const) {
    await t.test(gone, async (row) => {
      const { client, backend } = await stage(row, upgrades());
      const browser = await client();
      await browser.send(ASK).contains('\r\n\r\n');
      const server = backend.connections[0];
      if (gone === 'client') {
        browser.socket.resetAndDestroy();
        await backend.until(() => server?.ended === true || server?.closed === true);
      } else {
        server?.socket.resetAndDestroy();
        await browser.end().catch(() => {});
      }
    });
  }
});

test('an upgrade that the backend refuses is an answer like any other, and both connections go on', async (t) => {
  for (const response of [OK, 'HTTP/1.1 426 Upgrade Required\r\nContent-Length: 2\r\n\r\nok']) {
    await t.test(response.slice(9, 12), async (row) => {
      const { client, backend } = await stage(row, answer(response));
      const browser = await client();
      for (let turn = 0; turn < 2; turn++) {
        browser.received = '';
        await browser.send(ASK).contains('\r\n\r\nok');
      }
      assert.equal(backend.connections.length, 1);
    });
  }
});

test('after a refused upgrade, early bytes are read as what they are: the next request, through the gateway', async (t) => {
  const { client, backend } = await stage(t, answer(), { route: { path: '/chat', name: '/chat' } });
  const browser = await client();
  browser.send(`${ASK}GET /admin HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
  assert.match(await browser.end(), /^HTTP\/1\.1 200 [\s\S]*HTTP\/1\.1 404 /);
  assert.doesNotMatch(backend.received, /admin/);
});

const NOT_PASSED_ON: readonly { readonly name: string; readonly request: string }[] = [
  {
    name: 'h2c, by which a client could talk past the gateway',
    request:
      'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n',
  },
  {
    name: 'h2c in capitals',
    request: 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: H2C\r\n\r\n',
  },
  {
    name: 'h2c in a list',
    request: 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket, h2c\r\n\r\n',
  },
  {
    name: 'h2c in a second field',
    request: 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c\r\n\r\n',
  },
  {
    name: 'HTTP/2.0',
    request: 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: HTTP/2.0\r\n\r\n',
  },
  {
    name: 'an Upgrade that Connection does not name',
    request: 'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n',
  },
  {
    name: 'an upgrade option without Upgrade',
    request: 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n\r\n',
  },
  {
    name: 'an upgrade with a body',
    request:
      'POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 4\r\n\r\n\r\n\r\n',
  },
];

test('an Upgrade that may not be passed on is left out of the request', async (t) => {
  for (const { name, request } of NOT_PASSED_ON) {
    await t.test(name, async (row) => {
      const { client, backend } = await stage(row, answer());
      const browser = await client();
      await browser.send(request).contains('ok');
      assert.doesNotMatch(backend.received, /Upgrade|HTTP2-Settings|\r\nConnection/i);
    });
  }
});

test('a switch to a protocol that was not asked for is a 502 (RFC 9110 §7.8)', async (t) => {
  for (const upgrade of ['Upgrade: h2c\r\n', 'Upgrade: websocket, h2c\r\n', '']) {
    await t.test(JSON.stringify(upgrade), async (row) => {
      const { client, backend } = await stage(
        row,
        answer(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n${upgrade}\r\n`),
      );
      const browser = await client();
      const answered = await browser.send(ASK).contains('"bad_upgrade"');
      assert.match(answered, /^HTTP\/1\.1 502 /);
      await backend.until(
        ({ connections }) => connections[0]?.closed === true || connections[0]?.ended === true,
      );
    });
  }
});
