import assert from 'node:assert/strict';
import type { LookupFunction } from 'node:net';
import { type TestContext, test } from 'node:test';
import { sharedLookup } from '../../src/control/health/shared-lookup.ts';
import { RawBackend, type RawConnection } from '../support/raw-backend.ts';
import { httpProbe, probing } from './probing.ts';

async function backendOf(
  context: TestContext,
  onRequest: (connection: RawConnection) => void = () => {},
): Promise<RawBackend> {
  const backend = await RawBackend.start((connection) => {
    if (connection.received.endsWith('\r\n\r\n')) onRequest(connection);
  });
  context.after(() => backend.stop());
  return backend;
}

const answering = (context: TestContext, answer: string): Promise<RawBackend> =>
  backendOf(context, ({ socket }) => socket.end(answer, 'latin1'));

/** The raw backend keeps its own side open: `ended` is all it hears of a client that closed. */
const allGone = ({ connections }: RawBackend): boolean =>
  connections.every(({ ended, closed }) => ended || closed);

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

test('a probe is one GET on a connection of its own that is not kept', async (t) => {
  const backend = await answering(t, OK);
  assert.equal(await probing(backend.port, httpProbe()).result, 'success: status 200');
  assert.equal(
    backend.received,
    'GET /health HTTP/1.1\r\n' +
      `host: 127.0.0.1:${backend.port}\r\n` +
      'user-agent: portway-health\r\naccept: */*\r\nconnection: close\r\n\r\n',
  );
  await backend.until(allGone);
  assert.equal(backend.connections.length, 1);
});

test('the plan sets Host and fields, also in place of our own', async (t) => {
  const backend = await answering(t, OK);
  const headers = { 'X-Token': 'secret', 'User-Agent': 'mine' };
  await probing(backend.port, httpProbe({ path: '/a?b=c', host: 'web.example', headers })).result;
  assert.match(backend.received, /^GET \/a\?b=c HTTP\/1\.1\r\nhost: web\.example\r\n/);
  assert.match(backend.received, /x-token: secret\r\n/);
  assert.deepEqual(backend.received.match(/user-agent: .*/g), ['user-agent: mine']);
});

const judged: readonly [what: string, answer: string, plan: Parameters<typeof httpProbe>[0], said: string][] =
  [
    ['a status out of range', 'HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n', {}, 'failure: status 503'],
    [
      'a redirect, which is not followed',
      'HTTP/1.1 302 F\r\nLocation: /x\r\n\r\n',
      {},
      'success: status 302',
    ],
    [
      'a redirect out of range',
      'HTTP/1.1 302 F\r\nLocation: /x\r\n\r\n',
      { maxStatus: 299 },
      'failure: status 302',
    ],
    ['a body with the text', OK, { body: 'ok' }, 'success: status 200'],
    ['a body without it', OK, { body: 'up' }, 'failure: body lacks "up"'],
    ['no body at all', 'HTTP/1.1 204 No\r\n\r\n', { body: 'ok' }, 'failure: body lacks "ok"'],
    [
      'a chunked body',
      `${'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n'}`,
      { body: 'ok' },
      'success: status 200',
    ],
    [
      'a body that ends with the connection',
      'HTTP/1.0 200 OK\r\n\r\nok',
      { body: 'ok' },
      'success: status 200',
    ],
    ['a hint before the answer', `HTTP/1.1 103 Early Hints\r\n\r\n${OK}`, {}, 'success: status 200'],
    [
      'another protocol',
      'HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n',
      { minStatus: 101, maxStatus: 101 },
      'success: status 101',
    ],
    ['garbage', 'SSH-2.0-OpenSSH\r\n\r\n', {}, 'failure: malformed answer'],
    [
      'two lengths',
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok',
      {},
      'failure: malformed answer',
    ],
    [
      'a head without end',
      `HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(10_000)}`,
      {},
      'failure: answer head too large',
    ],
    ['an end without answer', '', {}, 'failure: connection closed without an answer'],
    [
      'an end within the body',
      'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok',
      {},
      'failure: connection closed in the middle of the answer',
    ],
  ];

for (const [what, answer, plan, said] of judged) {
  test(`judges ${what}`, async (t) => {
    const backend = await answering(t, answer);
    const probe = probing(backend.port, httpProbe(plan));
    assert.equal(await probe.result, said);
    await backend.until(allGone);
    assert.deepEqual(probe.results, [said]);
  });
}

test('a reset is a failure', async (t) => {
  const backend = await backendOf(t, ({ socket }) => socket.resetAndDestroy());
  assert.equal(await probing(backend.port, httpProbe()).result, 'failure: connection reset');
});

test('a port where nobody listens refuses', async () => {
  const backend = await RawBackend.start();
  const { port } = backend;
  await backend.stop();
  assert.equal(await probing(port, httpProbe()).result, 'failure: connection refused');
});

test('a backend that hangs is given up when the time is over, and not before', async (t) => {
  const backend = await backendOf(t);
  const probe = probing(backend.port, httpProbe());
  await backend.until(({ received }) => received.endsWith('\r\n\r\n'));
  probe.clock.advance(1_900);
  assert.deepEqual(probe.results, []);
  probe.clock.advance(250);
  assert.deepEqual(probe.results, ['timeout: no answer within 2s']);
  await backend.until(allGone);
});

test('a body that does not end is given up too, whatever of it has come', async (t) => {
  const { promise: sent, resolve } = Promise.withResolvers<void>();
  const backend = await backendOf(t, ({ socket }) => {
    if (backend.connections.length > 1) socket.end(OK);
    else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\no', () => resolve());
  });
  const probe = probing(backend.port, httpProbe());
  await sent;
  // bytes that were sent later have been read: so has the head of the first answer
  await probing(backend.port, httpProbe()).result;
  probe.clock.advance(2_200);
  assert.deepEqual(probe.results, ['timeout: answer incomplete after 2s']);
});

test('an endless body is read for 64 KiB, then its connection is closed', async (t) => {
  const piece = Buffer.alloc(16_384, 'x');
  const backend = await backendOf(t, ({ socket }) => {
    const pour = (): void => {
      while (!socket.destroyed && socket.write(piece));
    };
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    socket.on('drain', pour);
    pour();
  });
  const found = probing(backend.port, httpProbe({ body: 'ok' }));
  assert.equal(await found.result, 'failure: body lacks "ok"');
  assert.equal(await probing(backend.port, httpProbe()).result, 'success: status 200');
  await backend.until(allGone);
});

test('a text that has come is enough, even of an answer that goes on', async (t) => {
  const backend = await backendOf(t, ({ socket }) =>
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nall ok'),
  );
  assert.equal(await probing(backend.port, httpProbe({ body: 'ok' })).result, 'success: status 200');
});

test('an aborted probe says nothing and leaves no connection', async (t) => {
  const backend = await backendOf(t);
  const probe = probing(backend.port, httpProbe());
  await backend.until(({ received }) => received !== '');
  probe.abort();
  probe.abort();
  await backend.until(allGone);
  probe.clock.advance(5_000);
  assert.deepEqual(probe.results, []);
});

test('names: unknown, without a name server, and the gateway out of descriptors', async () => {
  const failing = (code: string) =>
    probing(80, httpProbe(), {
      backend: { host: 'db.internal' },
      lookup: (_host, _options, callback) =>
        process.nextTick(callback, Object.assign(new Error(code), { code }), []),
    }).result;
  assert.equal(await failing('ENOTFOUND'), 'failure: name not found');
  assert.equal(await failing('EAI_AGAIN'), 'failure: no answer from the name server');
  assert.match(await failing('EMFILE'), /^unable: the gateway itself/);
});

test('a name that is not looked up in time is a timeout', () => {
  const probe = probing(80, httpProbe(), { backend: { host: 'db.internal' }, lookup: () => {} });
  probe.clock.advance(2_200);
  assert.deepEqual(probe.results, ['timeout: no connection within 2s']);
});

test('a look-up that fails after the probe was aborted harms nobody', async () => {
  const { promise: looking, resolve } = Promise.withResolvers<Parameters<LookupFunction>[2]>();
  const probe = probing(80, httpProbe(), {
    backend: { host: 'db.internal' },
    lookup: (_host, _options, callback) => resolve(callback),
  });
  const callback = await looking;
  probe.abort();
  callback(Object.assign(new Error('late'), { code: 'ENOTFOUND' }), []);
  await new Promise((turn) => setImmediate(turn));
  assert.deepEqual(probe.results, []);
});

test('one name is looked up once for all who ask at the same time', async (t) => {
  const backend = await answering(t, OK);
  let lookups = 0;
  const lookup = sharedLookup((_host, options, callback) => {
    lookups += 1;
    const address = { address: '127.0.0.1', family: 4 };
    setImmediate(() => (options.all ? callback(null, [address]) : callback(null, '127.0.0.1', 4)));
  });
  const probes = [1, 2, 3].map(() =>
    probing(backend.port, httpProbe(), { backend: { host: 'db.internal' }, lookup }),
  );
  const results = await Promise.all(probes.map(({ result }) => result));
  assert.deepEqual(new Set(results), new Set(['success: status 200']));
  assert.equal(lookups, 1);
  const later = probing(backend.port, httpProbe(), { backend: { host: 'db.internal' }, lookup });
  assert.equal(await later.result, 'success: status 200');
  assert.equal(lookups, 2);
});

test('an error that the system reports at once is a failure too', async () => {
  const probe = probing(9, httpProbe(), { backend: { host: '255.255.255.255' } });
  assert.match(await probe.result, /^failure: /);
});

test('what cannot be sent is a failure, not an exception', async (t) => {
  const backend = await answering(t, OK);
  assert.match(await probing(backend.port, httpProbe({ path: '/a b' })).result, /^failure: /);
  assert.match(await probing(backend.port, httpProbe({ headers: { 'x-y': 'a\nb' } })).result, /^failure: /);
  assert.match(await probing(backend.port, httpProbe(), { backend: { port: 70_000 } }).result, /^failure: /);
  assert.deepEqual(backend.connections, []);
});
