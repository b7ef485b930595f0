import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { ServicePlan } from '../../src/data/plan.ts';
import { makeCertificate } from '../agents/certificates.ts';
import { ask, nodeClient } from '../http2-clients/http2-stage.ts';
import { eventually, only } from '../relay/gateway-in-test.ts';
import { bodyOf, type H2BackendOptions, type OnRequest, say, startH2Backend } from './h2-backend.ts';
import { gatewayBefore } from './h2-stage.ts';

async function stage(
  t: TestContext,
  onRequest: OnRequest,
  changes: Partial<ServicePlan> = {},
  options: H2BackendOptions = {},
) {
  const backend = await startH2Backend(t, onRequest, options);
  return { backend, gateway: await gatewayBefore(t, [backend], changes) };
}

test('a request in HTTP/1.1 reaches a backend in HTTP/2, and its answer comes back', async (t) => {
  let seen: readonly string[] = [];
  const { gateway } = await stage(t, (stream, _headers, raw) => {
    seen = raw;
    say(stream, 'hello');
  });
  const client = await gateway.client();
  client.send(
    'GET /a?b=1 HTTP/1.1\r\nHost: example.com\r\nConnection: X-Gone\r\nX-Gone: 1\r\nX-Two: 1\r\nX-Two: 2\r\nUser-Agent: t\r\nUser-Agent: u\r\n\r\n',
  );
  const answer = await client.contains('0\r\n\r\n');
  assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/);
  assert.match(answer, /\r\ntransfer-encoding: chunked\r\n/i);
  assert.match(answer, /\r\n\r\n5\r\nhello\r\n0\r\n\r\n$/);
  const pairs: string[] = [];
  for (let i = 0; i < seen.length; i += 2) pairs.push(`${seen[i]}: ${seen[i + 1]}`);
  assert.deepEqual(pairs.slice(0, 4), [
    ':method: GET',
    ':scheme: http',
    ':authority: example.com',
    ':path: /a?b=1',
  ]);
  assert.deepEqual(
    pairs.filter((pair) => pair.startsWith('x-two')),
    ['x-two: 1', 'x-two: 2'],
  );
  assert.equal(pairs.filter((pair) => pair.startsWith('user-agent')).length, 2);
  assert.equal(
    pairs.some((pair) => /^(host|connection|x-gone|transfer-encoding)/.test(pair)),
    false,
  );
  assert.ok(pairs.includes('x-forwarded-host: example.com'));
});

test('a body of known length, and one in chunks with trailers, arrive without framing', async (t) => {
  const bodies: string[] = [];
  const trailers: unknown[] = [];
  const { gateway } = await stage(t, async (stream) => {
    stream.on('trailers', (fields) => trailers.push(JSON.stringify(fields)));
    bodies.push((await bodyOf(stream)).toString());
    say(stream, 'ok');
  });
  const client = await gateway.client();
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12345');
  await client.contains('0\r\n\r\n');
  client.received = '';
  client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
  client.send('2\r\nde\r\n0\r\nX-Sum: 7\r\n\r\n');
  await client.contains('0\r\n\r\n');
  assert.deepEqual(bodies, ['12345', 'abcde']);
  assert.deepEqual(trailers, ['{"x-sum":"7"}']);
});

test('trailers of an answer come as trailers of the chunked body', async (t) => {
  const { gateway } = await stage(t, (stream) => {
    stream.respond({ ':status': 200 }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '9', 'set-cookie': 'a=b' }));
    stream.end('abc');
  });
  const client = await gateway.client();
  client.send('GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n\r\n');
  assert.match(await client.contains('\r\n0\r\n'), /\r\n\r\n3\r\nabc\r\n0\r\nx-sum: 9\r\n\r\n$/);
});

test('a length that the backend gives stays, and so do several Set-Cookie', async (t) => {
  const { gateway } = await stage(t, (stream) => {
    stream.respond({ ':status': 200, 'content-length': 3, 'set-cookie': ['a=1', 'b=2'] });
    stream.end('abc');
  });
  const client = await gateway.client();
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const answer = await client.until((received) => received.endsWith('abc'));
  assert.match(answer, /\r\ncontent-length: 3\r\n/);
  assert.deepEqual(answer.match(/set-cookie: .*/g), ['set-cookie: a=1', 'set-cookie: b=2']);
});

test('answers without a body: HEAD, 204, 304, and a 200 that ends with its head', async (t) => {
  const { gateway, backend } = await stage(t, (stream, headers) => {
    const status = Number(headers[':path']?.slice(1));
    const length = headers[':method'] === 'HEAD' ? { 'content-length': 5 } : {};
    stream.respond({ ':status': status, ...length }, { endStream: true });
  });
  const client = await gateway.client();
  client.send('HEAD /200 HTTP/1.1\r\nHost: a\r\n\r\n');
  assert.match(await client.contains('\r\n\r\n'), /^HTTP\/1\.1 200 OK\r\n[^]*content-length: 5\r\n/);
  for (const status of [204, 304, 200]) {
    client.received = '';
    client.send(`GET /${status} HTTP/1.1\r\nHost: a\r\n\r\n`);
    const answer = await client.contains('\r\n\r\n');
    assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `));
    assert.equal(/content-length: 0/.test(answer), status === 200);
    assert.doesNotMatch(answer, /transfer-encoding/i);
  }
  assert.equal(backend.sessions.length, 1);
});

test('interim answers are passed on', async (t) => {
  const { gateway } = await stage(t, (stream) => {
    stream.additionalHeaders({ ':status': 103, link: '</a>; rel=preload' });
    say(stream, 'x');
  });
  const client = await gateway.client();
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const answer = await client.contains('0\r\n\r\n');
  assert.match(
    answer,
    /^HTTP\/1\.1 103 Early Hints\r\nlink: <\/a>; rel=preload\r\n[^]*?\r\n\r\nHTTP\/1\.1 200 OK\r\n/,
  );
});

test('over TLS the certificate is checked and h2 is agreed upon', async (t) => {
  const certificate = makeCertificate({ names: ['DNS:db.internal'] });
  const tls = { ca: certificate.ca, serverName: 'db.internal', verify: true };
  const { gateway, backend } = await stage(t, (stream) => say(stream, 'safe'), { tls }, { certificate });
  const client = await gateway.client();
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  assert.match(await client.contains('0\r\n\r\n'), /safe/);
  assert.equal(backend.sessions[0]?.alpnProtocol, 'h2');
});

test('a certificate that is not trusted is 502 tls_untrusted', async (t) => {
  const certificate = makeCertificate({ names: ['DNS:db.internal'] });
  const tls = { ca: undefined, serverName: 'db.internal', verify: true };
  const { gateway } = await stage(t, (stream) => say(stream, 'safe'), { tls }, { certificate });
  const client = await gateway.client();
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  assert.match(await client.contains('"tls_untrusted"'), /^HTTP\/1\.1 502 /);
});

test('sessions and requests are counted', async (t) => {
  const { gateway } = await stage(t, (stream) => say(stream, 'x'));
  const client = await gateway.client();
  for (let i = 0; i < 3; i++) {
    client.received = '';
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.contains('0\r\n\r\n');
  }
  const { agent, counters } = only(gateway);
  assert.equal(agent.counters.connects, 1);
  assert.equal(agent.counters.reuses, 2);
  assert.equal(counters.total, 3);
  assert.equal(only(gateway).pending, 0);
});

test('a client of HTTP/1.0 gets the body as it is, to the end of its connection', async (t) => {
  const { gateway } = await stage(t, (stream) => say(stream, 'hello'));
  const client = await gateway.client();
  client.send('GET / HTTP/1.0\r\n\r\n');
  const answer = await client.end();
  assert.match(answer, /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nhello$/);
  assert.doesNotMatch(answer, /transfer-encoding/i);
});

test('100 Continue is asked for and passed on', async (t) => {
  const bodies: string[] = [];
  const { gateway } = await stage(t, async (stream) => {
    stream.additionalHeaders({ ':status': 100 });
    bodies.push((await bodyOf(stream)).toString());
    say(stream, 'thanks');
  });
  const client = await gateway.client();
  client.send('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n');
  await client.contains('HTTP/1.1 100 Continue\r\n');
  client.send('abc');
  await client.contains('thanks');
  assert.deepEqual(bodies, ['abc']);
});

test('an answer before the end of its request is the answer, and the backend is told to expect no more', async (t) => {
  let closed = false;
  const { gateway, backend } = await stage(t, (stream) => {
    stream.on('close', () => {
      closed = true;
    });
    say(stream, 'too much', 413);
  });
  const client = await gateway.client();
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc');
  assert.match(await client.contains('too much'), /^HTTP\/1\.1 413 /);
  await eventually(() => closed);
  assert.equal(backend.sessions[0]?.destroyed, false);
});

test('a large answer and a large upload come through whole, with a length and without', async (t) => {
  const large = Buffer.alloc(3_000_000);
  for (let i = 0; i < large.length; i += 4) large.writeUInt32LE(i, i);
  const { gateway } = await stage(t, async (stream, headers) => {
    const body = await bodyOf(stream);
    const length = headers['content-length'] === undefined ? {} : { 'content-length': body.length };
    stream.respond({ ':status': body.equals(large) ? 200 : 400, ...length });
    stream.end(body);
  });
  const session = await nodeClient(t, gateway.port);
  const post = { ':method': 'POST' };
  for (const headers of [post, { ...post, 'content-length': large.length }]) {
    const answer = await ask(session, headers, large);
    assert.equal(answer.status, 200);
    assert.ok(answer.body.equals(large));
  }
});
