import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import * as http2 from 'node:http2';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import type { HttpListenerPlan } from '../../src/data/plan.ts';
import { eventually } from '../relay/gateway-in-test.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { exchangeRaw, RawClient } from '../support/raw-client.ts';
import { certificateFor, TlsClient, type TlsStage, tlsPlan, tlsStage } from './tls-stage.ts';

const run = promisify(execFile);
const V1 = 'PROXY TCP4 192.0.2.7 192.0.2.1 4711 443\r\n';
/** Of 192.0.2.9, port 1. */
const V2 = '\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x09\xc0\0\x02\x01\0\x01\x01\xbb';
const GET = 'GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n';
const TRUSTED = { proxyProtocol: true, trustedProxies: ['127.0.0.0/8'] };
const HTTP2 = { http2: { maxStreams: 100, initialWindowBytes: 65_535 } };
const certificate = certificateFor('a.example');

/** Before a backend that says who the client is, by what the gateway tells it. */
function stage(t: TestContext, listener: Partial<HttpListenerPlan>, secure = false, clock?: ManualClock) {
  const settings = secure ? tlsPlan([certificate]) : undefined;
  const options = clock === undefined ? { listener } : { listener, clock };
  return tlsStage(t, settings, options, ({ headers }, response) => {
    response.end(`<${String(headers['x-forwarded-for'])}>`);
  });
}

async function inPieces(port: number, text: string): Promise<string> {
  const client = await RawClient.open(port);
  for (const byte of text) {
    client.send(byte);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return client.end();
}

/** How many connections the listener has. */
function connectionsOf({ gateway }: TlsStage): number {
  return gateway.data.listeners[0]?.connections ?? -1;
}

test('the client is who the PROXY header of a trusted proxy says', async (t) => {
  const { port } = await stage(t, TRUSTED);
  assert.match(await exchangeRaw(port, V1 + GET), /<192\.0\.2\.7>$/);
  assert.match(await exchangeRaw(port, V2 + GET), /<192\.0\.2\.9>$/);
  assert.match(await inPieces(port, V1 + GET), /<192\.0\.2\.7>$/);
  assert.match(await inPieces(port, V2 + GET), /<192\.0\.2\.9>$/);
  const ownWord = 'PROXY UNKNOWN\r\n';
  assert.match(await exchangeRaw(port, ownWord + GET), /<127\.0\.0\.1>$/);
});

test('a PROXY header may come in one write with all that follows, a body and another request', async (t) => {
  const { port } = await stage(t, TRUSTED);
  const post = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello';
  const answer = await exchangeRaw(port, V1 + post + GET);
  assert.equal(answer.match(/<192\.0\.2\.7>/g)?.length, 2);
});

test('a trusted proxy that sends no PROXY header, or a malformed one, is closed and counted', async (t) => {
  const here = await stage(t, TRUSTED);
  const bad = [GET, 'PROXY TCP4 1.2.3.4\r\n', `${V2.slice(0, 12)}\x31`, `PROXY ${'x'.repeat(200)}`];
  for (const [index, text] of bad.entries()) {
    assert.equal(await exchangeRaw(here.port, text), '', text);
    assert.equal(here.refused('bad_proxy_header'), index + 1);
  }
  await eventually(() => connectionsOf(here) === 0);
});

test('half a PROXY header and silence, or the end, closes the connection', async (t) => {
  const clock = new ManualClock();
  const here = await stage(t, TRUSTED, false, clock);
  const silent = await RawClient.open(here.port);
  silent.send(V1.slice(0, 20));
  await eventually(() => connectionsOf(here) === 1);
  clock.advance(10_200);
  // a reset, if the bytes were still to be read
  await silent.end().catch(() => {});
  const ending = await RawClient.open(here.port);
  ending.send(V1.slice(0, 20)).socket.end();
  await ending.end();
  await eventually(() => connectionsOf(here) === 0);
  assert.deepEqual([here.refused('hello_timeout'), here.refused('bad_proxy_header')], [1, 1]);
});

test('a client that leaves after a good PROXY header is no failure of the proxy', async (t) => {
  const here = await stage(t, { ...TRUSTED, ...HTTP2 });
  const client = await RawClient.open(here.port);
  client.send(V1).socket.end();
  await client.end();
  await eventually(() => connectionsOf(here) === 0);
  assert.equal(here.refused('bad_proxy_header'), 0);
});

test('nobody else may say who he is', async (t) => {
  const { port } = await stage(t, { proxyProtocol: true, trustedProxies: ['192.0.2.0/24'] });
  assert.match(await exchangeRaw(port, GET), /<127\.0\.0\.1>$/);
  assert.match(await exchangeRaw(port, V1 + GET), /^HTTP\/1\.1 400 /);
});

test('a PROXY header comes before the handshake, with the hello in the same packet or after it', async (t) => {
  const { port } = await stage(t, TRUSTED, true);
  for (const pauses of [false, true]) {
    const below = connect(port, '127.0.0.1');
    if (pauses) await once(below, 'connect');
    below.write(V2, 'latin1');
    if (pauses) await new Promise((resolve) => setTimeout(resolve, 5));
    const client = await TlsClient.open(t, port, { ca: certificate.ca, socket: below });
    await client.get().contains('<192.0.2.9>');
  }
});

test('HTTP/2 by prior knowledge and HTTP/1.1 are told apart by their first bytes', async (t) => {
  const { port } = await stage(t, HTTP2);
  const curl = async (...args: readonly string[]): Promise<string> =>
    (await run('curl', ['-s', '-w', ' %{http_version}', ...args, `http://127.0.0.1:${port}/`])).stdout;
  assert.equal(await curl('--http2-prior-knowledge'), '<127.0.0.1> 2');
  assert.equal(await curl('--http1.1'), '<127.0.0.1> 1.1');
  assert.match(await inPieces(port, GET), /<127\.0\.0\.1>$/);
  // as much of the preface as a method may have
  assert.match(await inPieces(port, 'PRI * HTTP/1.1\r\nHost: a\r\n\r\n'), /^HTTP\/1\.1 \d\d\d /);
  const post = await exchangeRaw(
    port,
    `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n${'x'.repeat(100_000)}${GET}`,
  );
  assert.equal(post.match(/<127\.0\.0\.1>/g)?.length, 2);
});

test('PROXY header, TLS and HTTP/2 go together', async (t) => {
  const { port } = await stage(t, { ...TRUSTED, ...HTTP2 }, true);
  const below = connect(port, '127.0.0.1');
  below.write(V1, 'latin1');
  const socket = new TlsClient(t, port, { ca: certificate.ca, socket: below, ALPNProtocols: ['h2'] }).socket;
  socket.removeAllListeners('data');
  await once(socket, 'secureConnect');
  assert.equal(socket.alpnProtocol, 'h2');
  const session = http2.connect('https://a.example', { createConnection: () => socket });
  t.after(() => session.destroy());
  const stream = session.request({ ':path': '/' }).setEncoding('latin1');
  let body = '';
  for await (const text of stream) body += text;
  assert.equal(body, '<192.0.2.7>');
});

test('a listener that speaks HTTP/2 closes who says nothing in time', async (t) => {
  const clock = new ManualClock();
  const here = await stage(t, HTTP2, false, clock);
  const clients = [await RawClient.open(here.port), await RawClient.open(here.port)];
  clients[1]?.send('PRI * HT');
  await eventually(() => connectionsOf(here) === 2);
  clock.advance(10_200);
  for (const client of clients) await client.end().catch(() => {});
  assert.equal(here.refused('hello_timeout'), 2);
});
