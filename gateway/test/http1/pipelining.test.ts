import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RawConnection } from '../support/raw-backend.ts';
import { stage } from '../support/stage.ts';

/** Answers each request with its own path, after it has read the whole of it. */
function echoPaths(connection: RawConnection): void {
  for (;;) {
    const match = /^(\w+) (\S+) HTTP\/1\.1\r\n([\s\S]*?)\r\n\r\n/.exec(connection.received);
    if (match === null) return;
    const length = Number(/content-length: (\d+)/i.exec(match[3] ?? '')?.[1] ?? 0);
    const end = match[0].length + length;
    if (connection.received.length < end) return;
    const body = `${match[2]}=${connection.received.slice(match[0].length, end)}`;
    connection.received = connection.received.slice(end);
    connection.socket.write(
      `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${match[1] === 'HEAD' ? '' : body}`,
    );
  }
}

const get = (path: string, fields = ''): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;
const post = (path: string, body: string): string =>
  `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const CLOSE = 'Connection: close\r\n';
const bodies = (answered: string): string[] => answered.match(/\/\d*=[a-z]*/g) ?? [];
const statuses = (answered: string): string[] =>
  [...answered.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => status ?? '');

test('requests with and without bodies sent in one go are answered in their order', async (t) => {
  const { client } = await stage(t, echoPaths);
  const browser = await client();
  browser.send(
    get('/1') + post('/2', 'abc') + get('/3') + post('/4', '') + post('/5', 'de') + get('/6', CLOSE),
  );
  assert.deepEqual(bodies(await browser.end()), ['/1=', '/2=abc', '/3=', '/4=', '/5=de', '/6=']);
});

test('two hundred requests in one write are all answered, in order', async (t) => {
  const { client } = await stage(t, echoPaths);
  const browser = await client();
  const paths = Array.from({ length: 200 }, (_, i) => `/${i}`);
  browser.send(paths.map((path, i) => get(path, i === 199 ? CLOSE : '')).join(''));
  assert.deepEqual(
    bodies(await browser.end()),
    paths.map((path) => `${path}=`),
  );
});

test('more requests than the gateway holds are read on as the answers leave', async (t) => {
  const { client } = await stage(t, echoPaths);
  const browser = await client();
  const count = 60;
  const body = 'x'.repeat(4_000);
  const all = Array.from({ length: count }, (_, i) => post(`/${i}`, body)).join('');
  browser.send(all + get('/last', CLOSE));
  const answered = await browser.end();
  assert.equal(statuses(answered).length, count + 1);
});

test('a request is sent on only when the one before it is answered', async (t) => {
  const { client, backend } = await stage(t);
  const browser = await client();
  browser.send(get('/1') + get('/2', CLOSE));
  await backend.until(({ received }) => received.includes('\r\n\r\n'));
  assert.doesNotMatch(backend.received, /\/2 /);
  backend.connections[0]?.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n/1=');
  await backend.until(({ received }) => received.includes('GET /2 '));
  backend.connections[0]?.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n/2=');
  assert.deepEqual(bodies(await browser.end()), ['/1=', '/2=']);
});

test('a malformed request in the middle is answered in its turn and ends the connection', async (t) => {
  const { client, backend } = await stage(t, echoPaths);
  const browser = await client();
  browser.send(`${get('/1')}GET /2 HTTP/1.1\r\n\r\n${get('/3')}`);
  const answered = await browser.end();
  assert.deepEqual(statuses(answered), ['200', '400']);
  assert.ok(answered.indexOf('/1=') < answered.indexOf('"bad_host"'));
  assert.doesNotMatch(backend.received, /\/[23] /);
});

test('answers of the gateway itself keep their place between answers of the backend', async (t) => {
  const { client } = await stage(t, echoPaths, { route: { path: '/', methods: ['GET', 'HEAD'], name: '/' } });
  const browser = await client();
  browser.send(
    `${get('/1')}DELETE /2 HTTP/1.1\r\nHost: a\r\n\r\nOPTIONS * HTTP/1.1\r\nHost: a\r\n\r\nHEAD /3 HTTP/1.1\r\nHost: a\r\n\r\n${get('/4', CLOSE)}`,
  );
  const answered = await browser.end();
  assert.deepEqual(statuses(answered), ['200', '405', '200', '200', '200']);
  assert.match(answered, /Content-Length: 3\r\n[\s\S]*\r\n\r\nHTTP\/1\.1 200 OK[\s\S]*\/4=$/);
});

test('nothing is served after the request that asked to close', async (t) => {
  const { client, backend } = await stage(t, echoPaths);
  const browser = await client();
  browser.send(get('/1', CLOSE) + get('/2'));
  assert.deepEqual(bodies(await browser.end()), ['/1=']);
  assert.doesNotMatch(backend.received, /\/2 /);
});

test('chunked bodies in one write end where they end', async (t) => {
  const chunked = (path: string): string =>
    `POST ${path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`;
  const { client, backend } = await stage(t, (connection) => {
    while (connection.received.includes('\r\n0\r\n\r\n')) {
      connection.received = connection.received.slice(connection.received.indexOf('\r\n0\r\n\r\n') + 7);
      connection.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    }
    const head = /^GET [\s\S]*\r\n\r\n$/.exec(connection.received);
    if (head !== null) connection.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlast');
  });
  const browser = await client();
  browser.send(chunked('/1') + chunked('/2') + get('/3', CLOSE));
  const answered = await browser.end();
  assert.deepEqual(statuses(answered), ['200', '200', '200']);
  assert.match(answered, /last$/);
  assert.match(backend.received, /^GET \/3 /);
});
