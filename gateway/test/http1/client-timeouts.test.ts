import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../support/manual-clock.ts';
import { answer, OK, stage } from '../support/stage.ts';
import { assertRefused, brokenOff } from './refusals.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
/** Long enough that the gateway has read what was sent before it: an exchange on another connection. */
async function settled(
  open: () => Promise<{ send(text: string): { contains(part: string): Promise<string> } }>,
): Promise<void> {
  await (await open()).send(GET).contains('ok');
}

test('a head that drips is answered 408 when its time is over, however lively it is', async (t) => {
  const clock = new ManualClock();
  const { client, backend } = await stage(t, answer(), {}, { clock });
  const browser = await client();
  browser.send('GET / HTTP/1.1\r\nHost: a\r\n');
  await settled(client);
  for (let second = 0; second < 9; second++) {
    clock.advance(1_000);
    browser.send('X: 1\r\n');
    await settled(client);
    assert.equal(browser.received, '');
  }
  clock.advance(1_200);
  assertRefused(await browser.end(), 408, 'head_timeout');
  assert.equal(backend.connections.length, 1);
});

test('a client that sends nothing at all is let go without an answer', async (t) => {
  const clock = new ManualClock();
  const { client } = await stage(t, answer(), {}, { clock });
  const browser = await client();
  await settled(client);
  clock.advance(9_900);
  await settled(client);
  assert.equal(browser.ended, false);
  clock.advance(300);
  assert.equal(await browser.end(), '');
});

test('an idle keep-alive connection is closed when its time is over, and not before', async (t) => {
  const clock = new ManualClock();
  const { client } = await stage(t, answer(), {}, { clock });
  const browser = await client();
  await browser.send(GET).contains('ok');
  clock.advance(74_900);
  browser.received = '';
  await browser.send(GET).contains('ok');
  clock.advance(74_900);
  assert.equal(browser.ended, false);
  clock.advance(300);
  assert.match(await browser.end(), /ok$/);
});

test('the second head of a connection has as long as the first, from its first byte', async (t) => {
  const clock = new ManualClock();
  const { client } = await stage(t, answer(), {}, { clock });
  const browser = await client();
  await browser.send(GET).contains('ok');
  clock.advance(60_000);
  browser.received = '';
  browser.send('GET /2');
  await settled(client);
  clock.advance(9_900);
  assert.equal(browser.received, '');
  clock.advance(300);
  assertRefused(await browser.end(), 408, 'head_timeout');
});

test('a body that stops arriving is answered 408, and its request to the backend given up', async (t) => {
  for (const [name, request] of [
    ['with length', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello'],
    ['chunked', 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'],
  ] as const) {
    await t.test(name, async (row) => {
      const clock = new ManualClock();
      const { client, backend } = await stage(row, undefined, {}, { clock });
      const browser = await client();
      browser.send(request);
      await backend.until(({ received }) => received.includes('hello'));
      clock.advance(59_000);
      assert.equal(browser.received, '');
      browser.send(name === 'chunked' ? '1\r\n!\r\n' : '!');
      await backend.until(({ received }) => received.includes('!'));
      clock.advance(59_900);
      assert.equal(browser.received, '');
      clock.advance(300);
      assertRefused(await browser.end(), 408, 'body_timeout');
      await backend.until(
        ({ connections }) => connections[0]?.closed === true || connections[0]?.ended === true,
      );
      assert.doesNotMatch(backend.received, /\r\n0\r\n/);
    });
  }
});

test('a body that stops after its answer has begun breaks the answer off', async (t) => {
  const clock = new ManualClock();
  const { client, backend } = await stage(
    t,
    (connection) => {
      if (connection.received.endsWith('hello'))
        connection.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nworld');
    },
    {
      service: {
        timeouts: { connectMs: 2_000, headMs: 30_000, idleMs: 600_000, totalMs: 0, eventStreamMs: 300_000 },
      },
    },
    { clock },
  );
  const browser = await client();
  browser.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello');
  await browser.contains('world');
  clock.advance(60_200);
  await brokenOff(browser);
  await backend.until(({ connections }) => connections[0]?.closed === true || connections[0]?.ended === true);
});

test('a half-closed client gets a slow answer whole, as long as something of it comes', async (t) => {
  const clock = new ManualClock();
  const { client, backend } = await stage(t, undefined, {}, { clock });
  const browser = await client();
  browser.socket.end(GET);
  await backend.until(({ received }) => received.endsWith('\r\n\r\n'));
  await browser.contains(' 102 ');
  for (let probe = 0; probe < 5; probe++) clock.advance(5_000);
  backend.connections[0]?.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n');
  for (let i = 0; i < 10; i++) {
    backend.connections[0]?.socket.write(String(i));
    await browser.until((received) => received.endsWith(`\r\n\r\n${'0123456789'.slice(0, i + 1)}`));
    clock.advance(900);
  }
  assert.match(await browser.end(), /\r\n\r\n0123456789$/);
});

test('a half-closed client is let go when its answer has stopped', async (t) => {
  const clock = new ManualClock();
  const { client, backend } = await stage(t, undefined, {}, { clock });
  const browser = await client();
  browser.send(GET);
  await backend.until(({ received }) => received.endsWith('\r\n\r\n'));
  backend.connections[0]?.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello');
  await browser.contains('hello');
  browser.socket.end();
  const gone = backend.until(
    ({ connections }) => connections[0]?.closed === true || connections[0]?.ended === true,
  );
  const ticking = setInterval(() => clock.advance(500), 5);
  await gone;
  clearInterval(ticking);
});

test('an answer whose client takes nothing of it is given up', async (t) => {
  const clock = new ManualClock();
  const body = 'x'.repeat(32 * 1024 * 1024);
  const { client, backend } = await stage(
    t,
    (connection) => {
      connection.socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    },
    {
      service: {
        timeouts: { connectMs: 2_000, headMs: 30_000, idleMs: 3_600_000, totalMs: 0, eventStreamMs: 300_000 },
      },
    },
    { clock },
  );
  const browser = await client();
  browser.socket.pause();
  browser.send(GET);
  const gone = backend.until(
    ({ connections }) => connections[0]?.closed === true || connections[0]?.ended === true,
  );
  // pieces that its kernel still takes count as progress, so more than once
  const ticking = setInterval(() => clock.advance(61_000), 50);
  await gone;
  clearInterval(ticking);
});

test('answers and requests that go on are never cut by the clients’ timeouts', async (t) => {
  const clock = new ManualClock();
  const { client, backend } = await stage(
    t,
    undefined,
    {
      service: {
        timeouts: {
          connectMs: 2_000,
          headMs: 3_600_000,
          idleMs: 3_600_000,
          totalMs: 0,
          eventStreamMs: 300_000,
        },
      },
    },
    { clock },
  );
  const browser = await client();
  browser.send(GET);
  await backend.until(({ received }) => received.endsWith('\r\n\r\n'));
  clock.advance(600_000);
  backend.connections[0]?.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no');
  await browser.contains('\r\n\r\no');
  clock.advance(600_000);
  backend.connections[0]?.socket.write('k');
  assert.match(await browser.contains('ok'), new RegExp(`^${OK.slice(0, 15)}`));
});
