import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { makeCertificate } from '../agents/certificates.ts';
import { startHttpBackend } from '../agents/http-backend.ts';
import { allQuiet } from '../relay/gateway-in-test.ts';
import { sha256 } from '../relay/pattern.ts';
import { RawBackend } from '../support/raw-backend.ts';
import { tlsPlan } from '../tls/tls-stage.ts';
import { answerOf, ask, HTTP2, http2Gateway, nodeClient } from './http2-stage.ts';

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts);
}

test('a request comes to the backend as HTTP/1.1, and its answer back with lower-case names and no connection fields', async (t) => {
  const backend = await RawBackend.answering(
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nX-Mixed-Case: Yes\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\nok',
  );
  t.after(() => backend.stop());
  const gateway = await http2Gateway(t, [backend.port]);
  const session = await nodeClient(t, gateway.port);
  const answer = await ask(session, {
    ':path': '/a?b=c',
    ':authority': 'a.example:80',
    'x-own': 'value',
    cookie: ['a=1', 'b=2'],
    te: 'trailers',
  });
  assert.equal(answer.status, 200);
  assert.equal(answer.body.toString(), 'ok');
  assert.equal(answer.headers['x-mixed-case'], 'Yes');
  assert.deepEqual(answer.headers['set-cookie'], ['a=1', 'b=2']);
  assert.equal(answer.headers.via, '1.1 portway');
  for (const name of ['connection', 'x-hop', 'keep-alive', 'transfer-encoding'])
    assert.equal(answer.headers[name], undefined);
  const head = backend.received;
  assert.match(head, /^GET \/a\?b=c HTTP\/1\.1\r\nhost: a\.example:80\r\n/);
  assert.match(head, /\r\nx-own: value\r\n/);
  assert.match(head, /\r\ncookie: a=1; b=2\r\n/);
  assert.match(head, /\r\nVia: 2\.0 portway\r\n/);
  assert.match(head, /\r\nX-Forwarded-Proto: http\r\n/);
  assert.match(head, /\r\nX-Forwarded-Host: a\.example:80\r\n/);
  assert.match(head, /\r\nTE: trailers\r\n/);
  assert.doesNotMatch(head, /transfer-encoding|content-length/i);
});

test('bodies go both ways whole, with and without a length', async (t) => {
  const backend = await startHttpBackend(t, async (request, response) => {
    const body = await bodyOf(request);
    response.setHeader(
      'x-framing',
      request.headers['content-length'] ?? request.headers['transfer-encoding'] ?? '',
    );
    if (request.url === '/sized') response.setHeader('content-length', body.length);
    else response.write(body.subarray(0, 10));
    response.end(request.url === '/sized' ? body : body.subarray(10));
  });
  const gateway = await http2Gateway(t, [backend.port]);
  const session = await nodeClient(t, gateway.port);
  for (const size of [1, 100, 70_000, 3_000_000]) {
    const body = randomBytes(size);
    for (const path of ['/sized', '/streamed']) {
      const sized = await ask(session, { ':method': 'POST', ':path': path, 'content-length': size }, body);
      assert.equal(sha256(sized.body), sha256(body), `${path} ${size}`);
      assert.equal(sized.headers['x-framing'], String(size));
      const chunked = await ask(session, { ':method': 'POST', ':path': path }, body);
      assert.equal(sha256(chunked.body), sha256(body), `${path} ${size} without length`);
      assert.equal(chunked.headers['x-framing'], 'chunked');
    }
  }
  const empty = await ask(session, { ':method': 'POST', ':path': '/streamed' });
  assert.equal(empty.headers['x-framing'], '0');
  assert.equal(
    gateway.ended.every(({ status }) => status === 200),
    true,
  );
});

test('trailers go both ways, but for those that may not', async (t) => {
  const backend = await startHttpBackend(t, async (request, response) => {
    await bodyOf(request);
    response.writeHead(200, { trailer: 'x-sum' });
    response.write('part');
    response.addTrailers({ 'X-Sum': request.trailers['x-sum'] ?? 'none', 'grpc-status': '0' });
    response.end();
  });
  const gateway = await http2Gateway(t, [backend.port]);
  const session = await nodeClient(t, gateway.port);
  const stream = session.request(
    { ':method': 'POST', ':path': '/' },
    { endStream: false, waitForTrailers: true },
  );
  stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': 'abc', authorization: 'none of it' }));
  stream.end('body');
  const answer = await answerOf(stream);
  assert.equal(answer.trailers?.['x-sum'], 'abc');
  assert.equal(answer.trailers?.['grpc-status'], '0');
  const without = await ask(session, { ':method': 'POST' }, 'body');
  assert.equal(without.trailers?.['x-sum'], 'none');
});

test('HEAD, 204, 304 and an empty body end with their head', async (t) => {
  const backend = await startHttpBackend(t, (request, response) => {
    const status = Number(request.url?.slice(1));
    response.writeHead(status, status === 200 ? { 'content-length': request.method === 'HEAD' ? 5 : 0 } : {});
    response.end();
  });
  const gateway = await http2Gateway(t, [backend.port]);
  const session = await nodeClient(t, gateway.port);
  const head = await ask(session, { ':method': 'HEAD', ':path': '/200' });
  assert.equal(head.headers['content-length'], '5');
  assert.equal(head.body.length, 0);
  for (const status of [200, 204, 304]) {
    const answer = await ask(session, { ':path': `/${status}` });
    assert.equal(answer.status, status);
    assert.equal(answer.body.length, 0);
  }
});

test('1xx are passed on, and 100 only where the backend says so', async (t) => {
  const backend = await startHttpBackend(t, (_request, response) => {
    response.writeEarlyHints({ link: ['</a.css>; rel=preload', '</b.css>; rel=preload'] });
    response.end('done');
  });
  backend.sockets;
  const gateway = await http2Gateway(t, [backend.port]);
  const session = await nodeClient(t, gateway.port);
  const stream = session.request({ ':method': 'POST', expect: '100-continue' }, { endStream: false });
  const seen: string[] = [];
  stream.on('headers', (headers) => seen.push(`${headers[':status']} ${headers.link ?? ''}`));
  stream.on('continue', () => stream.end('body'));
  const answer = await answerOf(stream);
  assert.equal(answer.body.toString(), 'done');
  assert.deepEqual(seen, ['100 ', '103 </a.css>; rel=preload, </b.css>; rel=preload']);
});

test('an answer that is there before the request is complete comes whole, and the client is told to stop', async (t) => {
  const backend = await startHttpBackend(t, (_request, response) => {
    response.writeHead(403, { 'content-length': 100_000 });
    response.end(Buffer.alloc(100_000, 'x'));
  });
  const gateway = await http2Gateway(t, [backend.port]);
  const session = await nodeClient(t, gateway.port);
  const stream = session.request({ ':method': 'POST' }, { endStream: false });
  stream.write('some');
  const answer = await answerOf(stream);
  assert.equal(answer.status, 403);
  assert.equal(answer.body.length, 100_000);
  await allQuietBut(gateway, session);
});

test('an answer with trailers to an unfinished request keeps them', async (t) => {
  const backend = await startHttpBackend(t, (_request, response) => {
    response.writeHead(200, { trailer: 'grpc-status' });
    response.write('x');
    response.addTrailers({ 'grpc-status': '7' });
    response.end();
  });
  const gateway = await http2Gateway(t, [backend.port]);
  const session = await nodeClient(t, gateway.port);
  const stream = session.request({ ':method': 'POST' }, { endStream: false });
  stream.write('some');
  const answer = await answerOf(stream);
  assert.equal(answer.trailers?.['grpc-status'], '7');
});

test('a body larger than the route takes is refused before and during', async (t) => {
  const backend = await startHttpBackend(t, (request, response) =>
    request.resume().on('end', () => response.end('no')),
  );
  const gateway = await http2Gateway(t, [backend.port], { route: { maxBodyBytes: 1_000 } });
  const session = await nodeClient(t, gateway.port);
  const declared = await ask(session, { ':method': 'POST', 'content-length': 2_000 }, Buffer.alloc(2_000));
  assert.equal(declared.status, 413);
  const grown = await ask(session, { ':method': 'POST' }, Buffer.alloc(2_000));
  assert.equal(grown.status, 413);
  assert.match(grown.headers['proxy-status'] as string, /body_too_large/);
});

test('a hundred streams at once are each answered with their own', async (t) => {
  const backend = await startHttpBackend(t, async (request, response) => {
    const body = await bodyOf(request);
    response.end(Buffer.concat([Buffer.from(`${request.url} `), body]));
  });
  const gateway = await http2Gateway(t, [backend.port]);
  const session = await nodeClient(t, gateway.port);
  const numbers = Array.from({ length: 100 }, (_, index) => index);
  const answers = await Promise.all(
    numbers.map((n) => ask(session, { ':method': 'POST', ':path': `/${n}` }, `${'y'.repeat(n * 500)}`)),
  );
  for (const n of numbers) assert.equal(answers[n]?.body.toString(), `/${n} ${'y'.repeat(n * 500)}`);
  session.close();
  await allQuiet(gateway);
});

test('over TLS the protocol is chosen by ALPN', async (t) => {
  const backend = await startHttpBackend(t, (request, response) =>
    response.end(String(request.headers['x-forwarded-proto'])),
  );
  const { cert, key, ca } = makeCertificate({ names: ['IP:127.0.0.1', 'DNS:localhost'] });
  const tls = tlsPlan([{ names: ['localhost'], cert, key }]);
  const gateway = await http2Gateway(t, [backend.port], { listener: { tls, http2: HTTP2 } });
  const session = await nodeClient(t, gateway.port, { ca });
  assert.equal(session.alpnProtocol, 'h2');
  const answer = await ask(session);
  assert.equal(answer.body.toString(), 'https');
});

test('heads as large as a backend may send them come through', async (t) => {
  const many = Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`x-${n}`, 'v'.repeat(190)]));
  const backend = await startHttpBackend(t, (_request, response) => {
    response.writeHead(200, many);
    response.end('ok');
  });
  const gateway = await http2Gateway(t, [backend.port]);
  const session = await nodeClient(t, gateway.port, {
    settings: { maxHeaderListSize: 1_000_000 },
    maxHeaderListPairs: 1_000,
  } as SessionOptions);
  const answer = await ask(session);
  assert.equal(answer.headers['x-299'], 'v'.repeat(190));
});

type SessionOptions = Parameters<typeof nodeClient>[2];

/** Waits until nothing of any request is left; the session itself may stay. */
async function allQuietBut(
  gateway: Awaited<ReturnType<typeof http2Gateway>>,
  session: Awaited<ReturnType<typeof nodeClient>>,
): Promise<void> {
  session.close();
  await once(session, 'close');
  await allQuiet(gateway);
}
