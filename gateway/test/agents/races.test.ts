import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { RetryPlan } from '../../src/data/plan.ts';
import { allQuiet, eventually, only, startGateway } from '../relay/gateway-in-test.ts';
import { plan, retryPlan } from '../support/plans.ts';
import { RawBackend, type RawConnection } from '../support/raw-backend.ts';
import { exchangeRaw } from '../support/raw-client.ts';

// A backend may close an idle connection at the moment a request is sent on it. From here that is played by closing it
// when the request has arrived: the gateway cannot tell the two apart.

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const WARM = 'GET /warm HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
const RETRY = retryPlan();

const DEATHS = {
  FIN: ({ socket }: RawConnection) => socket.end(),
  RST: ({ socket }: RawConnection) => socket.resetAndDestroy(),
} as const;

type Death = (connection: RawConnection) => void;

const whole = (text: string): boolean => {
  const at = text.indexOf('\r\n\r\n');
  const length = Number(/Content-Length: (\d+)/.exec(text)?.[1] ?? 0);
  if (/Transfer-Encoding/.test(text)) return text.endsWith('0\r\n\r\n');
  return at >= 0 && text.length >= at + 4 + length;
};

/** A backend whose warm connection dies with the next request; later connections answer. */
async function startDying(t: TestContext, die: Death, retry: RetryPlan | undefined = RETRY, deaths = 1) {
  let died = 0;
  const perConnection = new Map<RawConnection, string>();
  const backend = await RawBackend.start((connection, data) => {
    const request = (perConnection.get(connection) ?? '') + data;
    perConnection.set(connection, request);
    if (!whole(request)) return;
    perConnection.set(connection, '');
    if (request.startsWith('GET /warm') || died === deaths) connection.socket.write(OK);
    else {
      died += 1;
      die(connection);
    }
  });
  t.after(() => backend.stop());
  const gateway = await startGateway(t, plan([backend.port], { service: { retry } }));
  const send = (text: string) =>
    exchangeRaw(gateway.port, text.replace('\r\n', '\r\nHost: a\r\nConnection: close\r\n'));
  await exchangeRaw(gateway.port, WARM);
  await eventually(() => only(gateway).agent.stats.idle === 1);
  return { backend, gateway, send };
}

for (const [name, die] of Object.entries(DEATHS)) {
  test(`${name} on reuse: GET is sent again on a fresh connection, once, and counted`, async (t) => {
    const { backend, gateway, send } = await startDying(t, die);
    assert.match(await send('GET /x HTTP/1.1\r\n\r\n'), /200 OK/);
    assert.equal(backend.connections.length, 2);
    assert.equal(backend.received.split('GET /x').length - 1, 2);
    assert.deepEqual(gateway.ended.at(-1), {
      status: 200,
      failure: undefined,
      attempts: 1,
      races: 1,
      replays: 0,
    });
    await allQuiet(gateway);
  });

  test(`${name} on reuse: PUT is sent again with its whole body`, async (t) => {
    const { backend, send } = await startDying(t, die);
    const body = `\xe9${'x'.repeat(20_000)}end`;
    assert.match(await send(`PUT /x HTTP/1.1\r\nContent-Length: ${body.length}\r\n\r\n${body}`), /200 OK/);
    const copies = backend.connections.map(
      ({ received }) => received.split('PUT /x')[1]?.split('\r\n\r\n')[1],
    );
    assert.deepEqual(copies, [body, body]);
  });

  test(`${name} on reuse: a chunked PUT is sent again with its whole body`, async (t) => {
    const { backend, gateway } = await startDying(t, die);
    const client = await gateway.client();
    client.send('PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
    await backend.until(() => backend.received.endsWith('abc\r\n'));
    client.send('2\r\nde\r\n0\r\n\r\n');
    await client.contains('200 OK');
    const copies = backend.connections.map(({ received }) =>
      received.split('PUT /x')[1]?.split('\r\n\r\n').slice(1).join('|'),
    );
    assert.deepEqual(copies, ['3\r\nabc\r\n2\r\nde\r\n0|', '3\r\nabc\r\n2\r\nde\r\n0|']);
  });

  test(`${name} on reuse: POST is not sent again`, async (t) => {
    const { backend, send } = await startDying(t, die);
    assert.match(
      await send('POST /x HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi'),
      /^HTTP\/1\.1 502 [\s\S]*"code":"backend_closed"/,
    );
    assert.equal(backend.received.split('POST /x').length - 1, 1);
  });

  test(`${name} on reuse: POST is sent again where the operator allows it`, async (t) => {
    const { backend, send } = await startDying(t, die, { ...RETRY, nonIdempotent: true });
    assert.match(await send('POST /x HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi'), /200 OK/);
    assert.equal(backend.received.split('POST /x').length - 1, 2);
  });
}

test('a body larger than may be kept is not sent again', async (t) => {
  for (const size of [20_000, 300_000]) {
    const { backend, gateway, send } = await startDying(t, DEATHS.FIN, { ...RETRY, maxBodyBytes: 1_000 });
    const answered = await send(`PUT /x HTTP/1.1\r\nContent-Length: ${size}\r\n\r\n${'x'.repeat(size)}`);
    assert.match(answered, /^HTTP\/1\.1 502 /, `${size}`);
    assert.equal(backend.received.split('PUT /x').length - 1, 1);
    await allQuiet(gateway);
  }
});

test('a body of exactly what may be kept is sent again, one byte more is not', async (t) => {
  for (const [size, status] of [
    [1_000, 200],
    [1_001, 502],
  ]) {
    const { send } = await startDying(t, DEATHS.FIN, { ...RETRY, maxBodyBytes: 1_000 });
    const answered = await send(`PUT /x HTTP/1.1\r\nContent-Length: ${size}\r\n\r\n${'x'.repeat(size ?? 0)}`);
    assert.ok(answered.startsWith(`HTTP/1.1 ${status}`), answered);
  }
});

test('nothing is sent again after a byte of the answer', async (t) => {
  const { backend, send } = await startDying(t, ({ socket }) => socket.end('H'));
  assert.match(await send('GET /x HTTP/1.1\r\n\r\n'), /^HTTP\/1\.1 502 /);
  assert.equal(backend.received.split('GET /x').length - 1, 1);
});

test('an answer that breaks off is a broken answer', async (t) => {
  const { gateway, backend } = await startDying(t, ({ socket }) =>
    socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf'),
  );
  const client = await gateway.client();
  client.send('GET /x HTTP/1.1\r\nHost: a\r\n\r\n');
  await eventually(() => client.closed);
  assert.equal(client.error?.code, 'ECONNRESET');
  assert.equal(backend.received.split('GET /x').length - 1, 1);
  assert.equal(gateway.ended.at(-1)?.failure, 'backend_truncated');
});

test('a fresh connection that dies with the request counts as a failure: GET goes to another backend once', async (t) => {
  const dying = await RawBackend.start(({ socket }) => socket.end());
  const other = await RawBackend.answering(OK);
  t.after(() => Promise.all([dying.stop(), other.stop()]));
  const gateway = await startGateway(
    t,
    plan([dying.port, other.port], { service: { balance: { kind: 'round-robin' } } }),
  );
  for (let i = 0; i < 2; i++) assert.match(await exchangeRaw(gateway.port, WARM), /200 OK/);
  assert.equal(dying.connections.length, 1);
  assert.equal(
    gateway.ended.reduce((sum, { replays }) => sum + replays, 0),
    1,
  );
});

test('where every backend dies with the request, the request is given up after the allowed attempts', async (t) => {
  const backends = await Promise.all([1, 2, 3].map(() => RawBackend.start(({ socket }) => socket.end())));
  t.after(() => Promise.all(backends.map((backend) => backend.stop())));
  const gateway = await startGateway(t, plan(backends.map(({ port }) => port)));
  assert.match(await exchangeRaw(gateway.port, WARM), /^HTTP\/1\.1 502 [\s\S]*"code":"backend_closed"/);
  assert.equal(
    backends.reduce((sum, { connections }) => sum + connections.length, 0),
    2,
  );
  await allQuiet(gateway);
});

test('many requests on connections that all die at once are all sent again', async (t) => {
  let dying = false;
  const held: RawConnection[] = [];
  const backend = await RawBackend.start((connection) => {
    if (dying && backend.connections.indexOf(connection) < 20) {
      connection.socket.resetAndDestroy();
      return;
    }
    held.push(connection);
    // none is answered, and so none reused, before all are open
    if (backend.connections.length >= 20) for (const { socket } of held.splice(0)) socket.write(OK);
  });
  t.after(() => backend.stop());
  const pool = {
    maxConnections: 20,
    maxQueue: 256,
    queueTimeoutMs: 60_000,
    idleTimeoutMs: 4_000,
    maxRequests: 10_000,
    maxAgeMs: 600_000,
  };
  const gateway = await startGateway(t, plan([backend.port], { service: { pool } }));
  const burst = () => Promise.all(Array.from({ length: 60 }, () => exchangeRaw(gateway.port, WARM)));
  await burst();
  assert.equal(backend.connections.length, 20);
  dying = true;
  for (const text of await burst()) assert.match(text, /200 OK/);
  await allQuiet(gateway);
});

test('a connection that was opened for nobody and then rested counts as reused when it dies', async (t) => {
  let resolve = (): void => {};
  const lookup = (
    _host: string,
    done: (error: null, addresses: { address: string; family: 4 }[]) => void,
  ): void => {
    resolve = () => done(null, [{ address: '127.0.0.1', family: 4 }]);
  };
  let died = false;
  const backend = await RawBackend.start((connection) => {
    if (died) connection.socket.write(OK);
    else connection.socket.end();
    died = true;
  });
  t.after(() => backend.stop());
  const backends = [
    { name: 'b:1', protocol: 'http', host: 'b.test', port: backend.port, weight: 1 },
  ] as const;
  const gateway = await startGateway(t, plan([], { service: { backends, retry: undefined } }), { lookup });
  const gone = await gateway.client();
  gone.send(WARM);
  await eventually(() => only(gateway).agent.stats.connecting === 1);
  gone.socket.resetAndDestroy();
  await eventually(() => gateway.ended.length === 1);
  resolve();
  await eventually(() => only(gateway).agent.stats.idle === 1);
  assert.match(await exchangeRaw(gateway.port, WARM), /200 OK/);
});
