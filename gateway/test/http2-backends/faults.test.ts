import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { makeCertificate } from '../agents/certificates.ts';
import { startHttpBackend } from '../agents/http-backend.ts';
import { END_HEADERS, END_STREAM, ERROR, type Fields, TYPE } from '../http2-clients/frames.ts';
import { ask, nodeClient } from '../http2-clients/http2-stage.ts';
import { allQuiet, eventually, type GatewayInTest, only } from '../relay/gateway-in-test.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { backendPlan, retryPlan } from '../support/plans.ts';
import { RawBackend } from '../support/raw-backend.ts';
import { type FrameConnection, startFrameBackend } from './frame-backend.ts';
import { say, startH2Backend } from './h2-backend.ts';
import { GET, gatewayBefore, POST } from './h2-stage.ts';

const OK: Fields = [[':status', '200']];
const WHOLE = END_HEADERS | END_STREAM;
const NO_RETRY = { retry: undefined };

async function get(gateway: GatewayInTest, text = GET): Promise<string> {
  const client = await gateway.client();
  return client.send(text).until((received) => /\}\n$|\r\n0\r\n(?:.+\r\n)*\r\n$/.test(received));
}

/** What a client sees of an answer that breaks off: all that came, and how it ended. */
async function broken(gateway: GatewayInTest): Promise<string> {
  const client = await gateway.client();
  client.send(GET);
  await eventually(() => client.ended || client.closed);
  return client.received;
}

test('an attempt that ends before its answer: each code of RST_STREAM has its failure', async (t) => {
  const cases: readonly [code: number, failure: string, status: number][] = [
    [ERROR.NO_ERROR, 'backend_closed', 502],
    [ERROR.PROTOCOL_ERROR, 'bad_response', 502],
    [ERROR.INTERNAL_ERROR, 'backend_closed', 502],
    [ERROR.CANCEL, 'backend_closed', 502],
    [ERROR.REFUSED_STREAM, 'stream_refused', 503],
    [ERROR.ENHANCE_YOUR_CALM, 'response_head_too_large', 502],
    [0x1234, 'backend_closed', 502],
  ];
  let code = 0;
  const backend = await startFrameBackend(t, (connection, stream) => void connection.reset(stream, code));
  const gateway = await gatewayBefore(t, [backend], NO_RETRY);
  for (const [sent, failure, status] of cases) {
    code = sent;
    const answer = await get(gateway);
    assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `));
    assert.match(answer, new RegExp(`"${failure}"`));
  }
  assert.equal(backend.connections.length, 1);
});

test('an attempt reset while its request is still being sent', async (t) => {
  const backend = await startFrameBackend(
    t,
    (connection, stream) => void connection.reset(stream, ERROR.CANCEL),
  );
  const gateway = await gatewayBefore(t, [backend], NO_RETRY);
  const client = await gateway.client();
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc');
  assert.match(await client.contains('"backend_closed"'), /^HTTP\/1\.1 502 /);
});

test('an answer that breaks off is never complete: by any reset, in chunks or by length', async (t) => {
  let head: Fields = OK;
  let end: (connection: FrameConnection, stream: number) => void = () => {};
  const backend = await startFrameBackend(t, (connection, stream) => {
    connection.headers(stream, head).data(stream, 'some');
    end(connection, stream);
  });
  const gateway = await gatewayBefore(t, [backend]);
  const ends: (typeof end)[] = [
    ...[ERROR.NO_ERROR, ERROR.CANCEL, ERROR.INTERNAL_ERROR].map(
      (code) => (connection: FrameConnection, stream: number) => void connection.reset(stream, code),
    ),
    (connection) => void connection.socket.end(),
    (connection) => void connection.socket.resetAndDestroy(),
    (connection) => void connection.goaway(0, ERROR.INTERNAL_ERROR),
  ];
  for (const length of [false, true]) {
    head = length ? [...OK, ['content-length', '100']] : OK;
    for (const one of ends) {
      end = one;
      const answer = await broken(gateway);
      assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/);
      assert.match(answer, /some(?:\r\n)?$/);
    }
  }
  assert.ok(gateway.ended.every(({ failure }) => failure === 'backend_truncated'));
  assert.equal(gateway.ended.length, 12);
});

test('a length that is not kept breaks the answer off', async (t) => {
  const backend = await startFrameBackend(
    t,
    (connection, stream) =>
      void connection.headers(stream, [...OK, ['content-length', '10']]).data(stream, 'some', END_STREAM),
  );
  const gateway = await gatewayBefore(t, [backend], NO_RETRY);
  assert.doesNotMatch(await broken(gateway), /\r\n\r\nsome./);
  assert.equal(gateway.ended[0]?.failure, 'backend_truncated');
});

test('heads that are no answer are 502, and the session goes on', async (t) => {
  const heads: readonly Fields[] = [
    [['content-type', 'text/plain']],
    [[':status', '20']],
    [[':status', '099']],
    [[':status', '600']],
    [[':status', '101']],
    [...OK, [':status', '200']],
    [...OK, [':path', '/']],
    [...OK, ['connection', 'close']],
    [...OK, ['transfer-encoding', 'chunked']],
    [...OK, ['upgrade', 'websocket']],
    [...OK, ['X-Upper', '1']],
    [...OK, ['content-length', '1, 1']],
    [...OK, ['content-length', '-1']],
    [...OK, ['content-length', '1'], ['content-length', '2']],
  ];
  let head: Fields = OK;
  const backend = await startFrameBackend(
    t,
    (connection, stream) => void connection.headers(stream, head, WHOLE),
  );
  const gateway = await gatewayBefore(t, [backend], NO_RETRY);
  for (const one of heads) {
    head = one;
    const answer = await get(gateway);
    assert.match(answer, /^HTTP\/1\.1 502 /, JSON.stringify(one));
    assert.match(answer, /"bad_response"/, JSON.stringify(one));
  }
});

test('what could end a line of ours before its time does not come through', async (t) => {
  const bad: Fields = [
    ['a b', '1'],
    ['c:d', '1'],
    ['e', 'one\r\nset-cookie: x=1'],
    ['f', 'one\nset-cookie: x=1'],
    ['g', 'one\0two'],
  ];
  const fields: Fields = [...OK, ...bad, ['h', 'kept']];
  const backend = await startFrameBackend(
    t,
    (connection, stream) =>
      void connection.headers(stream, fields).headers(stream, [...bad, ['h', 'kept']], WHOLE),
  );
  const gateway = await gatewayBefore(t, [backend], NO_RETRY);
  const answer = await get(gateway);
  assert.match(answer, /\r\nh: kept\r\n[^]*\r\n0\r\nh: kept\r\n\r\n$/);
  assert.doesNotMatch(answer, /\n[acefg]|set-cookie/);
});

test('a head that is too large, in bytes or in fields, is 502', async (t) => {
  const many: Fields = Array.from({ length: 600 }, (_, i) => [`x-${i}`, 'y']);
  const large: Fields = Array.from({ length: 20 }, (_, i) => [`x-${i}`, 'y'.repeat(4_000)]);
  const heads: readonly Fields[] = [many, large];
  let head: Fields = [];
  const backend = await startFrameBackend(
    t,
    (connection, stream) => void connection.headers(stream, [...OK, ...head], WHOLE),
  );
  const gateway = await gatewayBefore(t, [backend], NO_RETRY);
  for (const one of heads) {
    head = one;
    const answer = await get(gateway);
    assert.match(answer, /^HTTP\/1\.1 502 /);
    assert.match(answer, /"response_head_too_large"/);
  }
});

test('frames that break the protocol end that session and no other', async (t) => {
  const bad = await startFrameBackend(t, (connection) => void connection.data(99, 'nobody asked'));
  const good = await startH2Backend(t, (stream) => say(stream, 'good'));
  const gateway = await gatewayBefore(t, [bad, good], { balance: { kind: 'round-robin' }, ...NO_RETRY });
  const answers = [await get(gateway), await get(gateway)];
  assert.ok(answers.some((answer) => /good/.test(answer)));
  assert.ok(answers.some((answer) => answer.startsWith('HTTP/1.1 502 ')));
  await bad.until(() => bad.connections[0]?.closed === true);
  assert.equal(bad.count(TYPE.GOAWAY), 1);
  await eventually(() => gateway.backends.every(({ pending }) => pending === 0));
});

test('a backend that speaks HTTP/1.1 is told as such, with and without TLS, and others are tried', async (t) => {
  const certificate = makeCertificate({ names: ['IP:127.0.0.1'] });
  const plain = await startHttpBackend(t, (_request, response) => response.end('old'));
  const secure = await startHttpBackend(t, (_request, response) => response.end('old'), { certificate });
  const tls = { ca: certificate.ca, serverName: undefined, verify: true };
  const plans = [backendPlan(plain.port, { protocol: 'h2c' }), backendPlan(secure.port, { protocol: 'h2' })];
  for (const plan of plans) {
    const gateway = await gatewayBefore(t, [{ plan }], { tls });
    const answer = await get(gateway);
    assert.match(answer, /^HTTP\/1\.1 502 /);
    assert.match(answer, /"(?:no_http2|tls_failed)"/);
  }
  const good = await startH2Backend(t, (stream) => say(stream, 'good'), { certificate });
  const first = plans[0];
  assert.ok(first !== undefined);
  const gateway = await gatewayBefore(t, [{ plan: first }, good], { tls, balance: { kind: 'round-robin' } });
  for (let i = 0; i < 2; i++) assert.match(await get(gateway, POST), /good/);
});

test('no connection: refused, too slow, and accepted by one who says nothing', async (t) => {
  const clock = new ManualClock();
  const silent = await RawBackend.start();
  t.after(() => silent.stop());
  const plan = backendPlan(silent.port, { protocol: 'h2c' });
  const gateway = await gatewayBefore(t, [{ plan }], {}, { clock });
  const client = (await gateway.client()).send(GET);
  await silent.until(({ received }) => received.includes('SM\r\n\r\n'));
  clock.advance(2_200);
  assert.match(await client.contains('"connect_timeout"'), /^HTTP\/1\.1 504 /);
  await silent.until(({ connections }) => connections[0]?.ended === true);
  await silent.stop();
  assert.match(await get(gateway), /"connect_refused"/);
  assert.equal(only(gateway).agent.counters.connectFailures, 2);
  assert.equal(only(gateway).agent.stats.connecting, 0);
});

test('of a name with several addresses the next is tried', async (t) => {
  const backend = await startH2Backend(t, (stream) => say(stream, 'here'));
  const plan = { ...backend.plan, host: 'db.internal', name: `db.internal:${backend.port}` };
  const addresses = ['127.0.0.9', '127.0.0.1'].map((address) => ({ address, family: 4 as const }));
  const gateway = await gatewayBefore(t, [{ plan }], NO_RETRY, {
    lookup: (_host, done) => done(null, addresses),
  });
  for (let i = 0; i < 2; i++) assert.match(await get(gateway), /here/);
});

test('a slow head and a silence in the middle of a body end the attempt, and the stream with it', async (t) => {
  const clock = new ManualClock();
  const timeouts = { connectMs: 2_000, headMs: 3_000, idleMs: 4_000, totalMs: 0, eventStreamMs: 300_000 };
  const backend = await startFrameBackend(t, (connection, stream) => {
    if (stream > 1) connection.headers(stream, OK).data(stream, 'some');
  });
  const gateway = await gatewayBefore(t, [backend], { timeouts, retry: undefined }, { clock });
  const slow = (await gateway.client()).send(GET);
  await backend.until(() => backend.count(TYPE.HEADERS) === 1);
  clock.advance(3_200);
  assert.match(await slow.contains('"response_timeout"'), /^HTTP\/1\.1 504 /);
  const silent = (await gateway.client()).send(GET);
  await silent.contains('some');
  clock.advance(4_200);
  await eventually(() => silent.closed);
  assert.equal(gateway.ended[1]?.failure, 'idle_timeout');
  await backend.until(() => backend.count(TYPE.RST_STREAM) === 2);
  assert.equal(backend.connections.length, 1);
});

/** A backend in a process of its own; its answer begins and never ends. */
async function startProcess(t: TestContext): Promise<{ readonly port: number; kill(): void }> {
  const child = spawn(process.execPath, [new URL('endless-process.ts', import.meta.url).pathname], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  const [line] = await once(child.stdout, 'data');
  return { port: Number(String(line)), kill: () => void child.kill('SIGKILL') };
}

test('a backend that is killed: begun answers break off, what waits is tried elsewhere, POSTs are not', async (t) => {
  const doomed = await startProcess(t);
  const good = await startH2Backend(t, (stream) => say(stream, 'good'));
  const plan = backendPlan(doomed.port, { protocol: 'h2c' });
  const retry = retryPlan({ on: ['connect-failure', 'reset'] });
  const gateway = await gatewayBefore(t, [{ plan }, good], { balance: { kind: 'round-robin' }, retry });
  const { data } = gateway.gateway;
  const spare = { service: 'web', backend: good.plan.name };
  data.setAdmin(spare, 'disabled');
  const session = await nodeClient(t, gateway.port);
  const begun = session.request({ ':path': '/endless' });
  const brokenOff = new Promise((resolve) => begun.on('error', () => {}).on('close', resolve));
  await once(begun, 'data');
  const waiting = ask(session, { ':path': '/hang' });
  const posted = ask(session, { ':path': '/hang', ':method': 'POST' }, 'abc');
  await eventually(() => gateway.backends[0]?.pending === 3);
  data.setAdmin(spare, 'enabled');
  doomed.kill();
  await brokenOff;
  assert.notEqual(begun.rstCode, ERROR.NO_ERROR);
  assert.match((await waiting).body.toString(), /good/);
  assert.equal((await posted).status, 502);
  session.close();
  await allQuiet(gateway);
});
