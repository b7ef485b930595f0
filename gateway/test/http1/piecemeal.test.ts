import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { ManualClock } from '../support/manual-clock.ts';
import { stage } from '../support/stage.ts';

/** Sends `bytes` in pieces of `size`, each with its turn of the event loop. */
async function sendInPieces(socket: Socket, bytes: string, size: number): Promise<void> {
  for (let at = 0; at < bytes.length && socket.writable; at += size) {
    socket.write(bytes.slice(at, at + size), 'latin1');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

interface Seen {
  readonly client: string;
  readonly backend: string;
}

/** One exchange, its request and its answer sent in pieces; the ids and dates in it are always the same. */
async function exchange(t: TestContext, request: string, response: string, size: number): Promise<Seen> {
  const end = endOf(request);
  const { client, backend } = await stage(
    t,
    (connection, data) => {
      const { received, socket } = connection;
      const before = received.length - data.length;
      if (received.endsWith(end) && !received.slice(0, before).endsWith(end))
        void sendInPieces(socket, response, size);
    },
    {},
    { clock: new ManualClock(), random: () => 0.25 },
  );
  const browser = await client();
  await sendInPieces(browser.socket, request, size);
  const received = await browser.end();
  return { client: received, backend: backend.received };
}

function endOf(request: string): string {
  const at = request.indexOf('\r\n\r\n');
  return at + 4 === request.length ? '\r\n\r\n' : request.slice(-5);
}

const CLOSE = 'Host: a\r\nConnection: close\r\n';
const REQUESTS = {
  'a head alone': `GET /a?b HTTP/1.1\r\n${CLOSE}X: 1\r\nCookie: a=b\r\n\r\n`,
  'after an empty line': `\r\nGET / HTTP/1.1\r\n${CLOSE}\r\n`,
  'a body with length': `POST / HTTP/1.1\r\n${CLOSE}Content-Length: 11\r\n\r\nhello world`,
  'a chunked body': `POST / HTTP/1.1\r\n${CLOSE}Transfer-Encoding: chunked\r\n\r\nb;x=y\r\nhello world\r\n0\r\nX-Sum: 1\r\n\r\n`,
  'HTTP/1.0': 'GET / HTTP/1.0\r\n\r\n',
  'a bad field': `GET / HTTP/1.1\r\n${CLOSE}X : 1\r\n\r\n`,
  'CL with TE': `POST / HTTP/1.1\r\n${CLOSE}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`,
};
const RESPONSES = {
  'with length': 'HTTP/1.1 200 OK\r\nX: 1\r\nContent-Length: 11\r\n\r\nhello world',
  chunked: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nhello world\r\n0\r\nX-Sum: 1\r\n\r\n',
  'after interim ones':
    'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
};
const OK = RESPONSES['with length'];

/** The payload of chunks, so that pieces can be compared whatever their cuts. */
const joined = (text: string): string =>
  text.replace(/([0-9a-f]+\r\n)(?=[a-z ])|(?<=[a-z ])\r\n(?=[0-9a-f]+\r\n)/g, '');

test('a request that arrives in pieces is the same request', async (t) => {
  for (const [name, request] of Object.entries(REQUESTS)) {
    await t.test(name, async (row) => {
      const whole = await exchange(row, request, OK, request.length);
      assert.notEqual(whole.client, '');
      for (const size of [1, 2, 7]) {
        const pieces = await exchange(row, request, OK, size);
        assert.equal(pieces.client, whole.client, `pieces of ${size}`);
        assert.equal(joined(pieces.backend), joined(whole.backend), `pieces of ${size}`);
      }
    });
  }
});

test('an answer that arrives in pieces is the same answer', async (t) => {
  for (const [name, response] of Object.entries(RESPONSES)) {
    await t.test(name, async (row) => {
      const request = REQUESTS['a head alone'];
      const whole = await exchange(row, request, response, 10_000);
      for (const size of [1, 3]) {
        const pieces = await exchange(row, request, response, size);
        assert.equal(joined(pieces.client), joined(whole.client), `pieces of ${size}`);
      }
    });
  }
});

test('two requests cut at any byte are two requests', async (t) => {
  const request =
    'POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET /2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
  const { client } = await stage(t, (connection) => {
    const complete = /^(POST \/1 [\s\S]*?\r\n\r\nabc|GET \/2 [\s\S]*?\r\n\r\n)$/.test(connection.received);
    if (!complete) return;
    connection.received = '';
    connection.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  });
  for (let cut = 1; cut < request.length; cut++) {
    const browser = await client();
    browser.send(request.slice(0, cut));
    await new Promise((resolve) => setImmediate(resolve));
    const answered = await browser.send(request.slice(cut)).end();
    assert.equal(answered.match(/200 OK/g)?.length, 2, `cut at ${cut}`);
  }
});
