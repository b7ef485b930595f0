import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { stage } from '../support/stage.ts';

const REFUSED = 'HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno';
const upload = (bytes: number): string => `PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${bytes}\r\n\r\n`;

test('an answer before the end of the upload reaches a client that reads while it sends', async (t) => {
  const { client, backend } = await stage(t, (connection) => {
    if (connection.received.endsWith('first part')) connection.socket.write(REFUSED);
  });
  const browser = await client();
  const answered = await browser.send(`${upload(1000)}first part`).contains('\r\n\r\nno');
  assert.match(answered, /^HTTP\/1\.1 401 Unauthorized\r\n[\s\S]*\r\nConnection: close\r\n\r\nno$/);
  await backend.until(({ connections }) => connections[0]?.closed === true || connections[0]?.ended === true);
  await browser.end();
});

for (const [name, route] of [
  ['of the backend', {}],
  ['of the gateway', { path: '/elsewhere', name: '/elsewhere' }],
  ['of the gateway, for its size', { maxBodyBytes: 10 }],
] as const) {
  test(`an early answer ${name} reaches a client that sends all of its upload before it reads`, async (t) => {
    const { client } = await stage(
      t,
      (connection, _data, { connections }) => {
        if (connections.length === 1 && connection.received.includes('\r\n\r\n'))
          connection.socket.write(REFUSED);
      },
      { route },
    );
    const browser = await client();
    browser.socket.pause();
    const part = Buffer.alloc(64 * 1024, 'x');
    browser.send(upload(80 * part.length));
    for (let sent = 0; sent < 80; sent++)
      if (!browser.socket.write(part)) await once(browser.socket, 'drain');
    browser.socket.resume();
    const answered = await browser.end();
    assert.match(answered, /^HTTP\/1\.1 4\d\d [\s\S]*\r\nConnection: close\r\n/);
    assert.equal(browser.error, undefined);
  });
}

test('a backend that answers and closes in the middle of an upload has answered', async (t) => {
  for (const how of ['FIN', 'RST'] as const) {
    await t.test(how, async (row) => {
      const { client } = await stage(row, ({ socket, received }, data) => {
        if (received === data) socket.write(REFUSED, () => (how === 'FIN' ? socket.end() : socket.destroy()));
      });
      const browser = await client();
      const part = Buffer.alloc(64 * 1024, 'x');
      browser.send(upload(41 * part.length));
      for (let sent = 0; sent < 40 && !browser.ended; sent++) {
        if (!browser.socket.write(part))
          await Promise.race([once(browser.socket, 'drain'), once(browser.socket, 'end')]);
      }
      assert.match(await browser.end(), /^HTTP\/1\.1 401 /);
    });
  }
});

test('an early answer with a chunked upload under way does the same', async (t) => {
  const { client, backend } = await stage(t, (connection) => {
    if (connection.received.includes('abc')) connection.socket.write(REFUSED);
  });
  const browser = await client();
  browser.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
  assert.match(await browser.contains('no'), /\r\nConnection: close\r\n/);
  browser.send('0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n');
  await browser.end();
  assert.doesNotMatch(backend.received, /smuggled/);
});

test('an early answer that is long itself is streamed while the upload goes on', async (t) => {
  const { client, backend } = await stage(t, (connection, data) => {
    if (connection.received === data)
      connection.socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    for (const [letter] of data.matchAll(/[xyz]/g)) connection.socket.write(`1\r\n${letter}\r\n`);
    if (data.includes('z')) connection.socket.write('0\r\n\r\n');
  });
  const browser = await client();
  browser.send(upload(3)).send('x');
  for (const [echo, next] of [
    ['1\r\nx\r\n', 'y'],
    ['1\r\ny\r\n', 'z'],
  ] as const) {
    await browser.contains(echo);
    browser.send(next);
  }
  await browser.contains('1\r\nz\r\n0\r\n\r\n');
  assert.equal(backend.connections.length, 1);
});
