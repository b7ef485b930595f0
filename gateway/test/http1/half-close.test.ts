import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Exchange } from '../../src/data/exchange.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { backendPlan, servicePlan } from '../support/plans.ts';
import { RawBackend } from '../support/raw-backend.ts';
import { OK, stage } from '../support/stage.ts';
import { splitHead } from './refusals.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const goneFrom = ({ connections }: RawBackend): boolean =>
  connections[0]?.closed === true || connections[0]?.ended === true;
const withoutInterim = (answered: string): string =>
  answered.replaceAll('HTTP/1.1 102 Processing\r\n\r\n', '');

test('a client that sends FIN right after its request still gets its answer', async (t) => {
  const { client, backend } = await stage(t);
  const browser = await client();
  browser.socket.end(GET);
  await backend.until(({ received }) => received.endsWith('\r\n\r\n'));
  await browser.contains(' 102 ');
  backend.connections[0]?.socket.write(OK);
  const [head, body] = splitHead(withoutInterim(await browser.end()));
  assert.match(head, /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\nConnection: close$/);
  assert.equal(body, 'ok');
});

test('a client that sends FIN in the middle of its answer gets the rest', async (t) => {
  const { client, backend } = await stage(t);
  const browser = await client();
  browser.send(GET);
  await backend.until(({ received }) => received.endsWith('\r\n\r\n'));
  backend.connections[0]?.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello');
  await browser.contains('hello');
  browser.socket.end();
  backend.connections[0]?.socket.write('world');
  assert.match(await browser.end(), /\r\n\r\nhelloworld$/);
});

test('a client that sends FIN with several requests gets all of its answers', async (t) => {
  const { client } = await stage(t, (connection) => {
    connection.socket.write(OK);
  });
  const browser = await client();
  browser.socket.end(GET + GET + GET);
  const answered = withoutInterim(await browser.end());
  assert.equal(answered.match(/\r\n\r\nok/g)?.length, 3);
  assert.equal(answered.match(/Connection: close/g)?.length, 1);
});

test('FIN behind a request that the gateway answers itself ends the connection after that answer', async (t) => {
  const { client } = await stage(t, ({ socket }) => socket.write(OK), {
    route: { path: '/open', name: '/open' },
  });
  const browser = await client();
  const open = 'GET /open HTTP/1.1\r\nHost: a\r\n\r\n';
  browser.socket.end(`${open}${GET}${open}${GET}`);
  const answered = withoutInterim(await browser.end());
  const statuses = [...answered.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => status);
  assert.deepEqual(statuses, ['200', '404', '200', '404']);
});

test('FIN in the middle of a later request: those before it are answered, it is not sent whole', async (t) => {
  for (const rest of [
    'GET /2 HTT',
    'GET /2 HTTP/1.1\r\nHost: a\r\n',
    'POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc',
  ]) {
    await t.test(JSON.stringify(rest), async (row) => {
      const { client, backend } = await stage(row, ({ socket, received }, data) => {
        if (received === data) socket.write(OK);
      });
      const browser = await client();
      browser.socket.end(GET + rest);
      assert.match(withoutInterim(await browser.end()), /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nok$/);
      assert.doesNotMatch(backend.received, /GET \/2/);
    });
  }
});

test('FIN while a body waits for its backend: the request is sent whole and answered', async (t) => {
  let connectNow = (): void => {};
  const looked = new Promise<void>((resolve) => {
    connectNow = resolve;
  });
  const backend = await RawBackend.start(({ socket, received }) => {
    if (received.endsWith('\r\n0\r\n\r\n')) socket.write(OK);
  });
  t.after(() => backend.stop());
  let answerLookup: (() => void) | undefined;
  const services = [servicePlan([], { backends: [backendPlan(backend.port, { host: 'slow.example' })] })];
  const { client } = await stage(
    t,
    undefined,
    { services },
    {
      lookup: (_host, done) => {
        answerLookup = () => done(null, [{ address: '127.0.0.1', family: 4 }]);
        connectNow();
      },
    },
  );
  const browser = await client();
  browser.socket.end('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n');
  await looked;
  // the FIN is there once the gateway has served another connection, opened after it
  const other = await client();
  await other.send('OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n').contains('200 OK');
  answerLookup?.();
  assert.match(withoutInterim(await browser.end()), /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nok$/);
});

test('a client that leaves while the second of its requests waits is noticed', async (t) => {
  const clock = new ManualClock();
  const { client, backend } = await stage(
    t,
    ({ socket, received }, data) => {
      if (received === data) socket.write(OK);
    },
    {},
    { clock },
  );
  const browser = await client();
  browser.send(`${GET}GET /2 HTTP/1.1\r\nHost: a\r\n\r\n`).socket.destroySoon();
  await backend.until(({ received }) => received.includes('GET /2'));
  const done = backend.until(goneFrom);
  const ticking = setInterval(() => clock.advance(100), 5);
  await done;
  clearInterval(ticking);
});

test('a client that has left while it waits is noticed, and its request cancelled', async (t) => {
  const clock = new ManualClock();
  const ended: Exchange[] = [];
  const { client, backend } = await stage(
    t,
    undefined,
    {},
    { clock, observer: { exchangeEnded: (exchange) => ended.push(exchange) } },
  );
  const browser = await client();
  browser.send(GET);
  await backend.until(({ received }) => received.endsWith('\r\n\r\n'));
  // what a process that exits does: FIN, and RST to whatever comes after it
  browser.socket.destroy();
  const done = backend.until(
    ({ connections }) => connections[0]?.closed === true || connections[0]?.ended === true,
  );
  const ticking = setInterval(() => clock.advance(100), 5);
  await done;
  clearInterval(ticking);
  assert.equal(ended[0]?.failure, 'client_left');
});

test('a client that resets its connection is noticed at once', async (t) => {
  for (const body of ['', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello']) {
    await t.test(body === '' ? 'while it waits' : 'in the middle of its answer', async (row) => {
      const { client, backend } = await stage(row);
      const browser = await client();
      browser.send(GET);
      await backend.until(({ received }) => received.endsWith('\r\n\r\n'));
      if (body !== '') {
        backend.connections[0]?.socket.write(body);
        await browser.contains('hello');
      }
      browser.socket.resetAndDestroy();
      await backend.until(
        ({ connections }) => connections[0]?.closed === true || connections[0]?.ended === true,
      );
    });
  }
});

test('a client that leaves in the middle of its upload is noticed, and the request never completed', async (t) => {
  for (const request of [
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello',
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n',
  ]) {
    await t.test(request.includes('chunked') ? 'chunked' : 'with length', async (row) => {
      const { client, backend } = await stage(row);
      const browser = await client();
      browser.send(request);
      await backend.until(({ received }) => received.includes('hello'));
      browser.socket.end();
      await backend.until(
        ({ connections }) => connections[0]?.closed === true || connections[0]?.ended === true,
      );
      assert.doesNotMatch(backend.received, /\r\n0\r\n/);
    });
  }
});

test('a client that leaves in the middle of a head is let go without an answer', async (t) => {
  const { client, backend } = await stage(t);
  const browser = await client();
  browser.socket.end('GET / HTTP/1.1\r\nHost: a\r\nX: ');
  assert.equal(await browser.end(), '');
  assert.equal(backend.connections.length, 0);
});

test('an HTTP/1.0 client that closes its half is taken to have left: it could not be asked', async (t) => {
  const { client, backend } = await stage(t);
  const browser = await client();
  browser.send('GET / HTTP/1.0\r\n\r\n');
  await backend.until(({ received }) => received.endsWith('\r\n\r\n'));
  browser.socket.end();
  assert.equal(await browser.end().catch(() => ''), '');
  await backend.until(({ connections }) => connections[0]?.closed === true || connections[0]?.ended === true);
});
