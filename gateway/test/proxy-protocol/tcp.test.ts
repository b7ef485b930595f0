import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, isIPv6 } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setImmediate as immediate } from 'node:timers/promises';
import { parseProxyHeader, proxyHeaderV1, proxyHeaderV2 } from '../../src/data/layer4/proxy-protocol.ts';
import type { ServicePlan, TcpListenerPlan } from '../../src/data/plan.ts';
import { allQuiet, eventually, type GatewayInTest, startGateway } from '../relay/gateway-in-test.ts';
import { freePort } from '../restarts/free-port.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RawBackend } from '../support/raw-backend.ts';
import type { RawClient } from '../support/raw-client.ts';
import { helloOf } from '../tcp/hello-of.ts';
import { connectionEnds, howItEnds } from '../tcp/how-it-ends.ts';
import { tcpPlan, tcpServicePlan } from '../tcp/tcp-plans.ts';
import { startHaproxy } from './haproxy.ts';

const LOOPBACK = ['127.0.0.0/8', '::1/128'];

interface Stage extends GatewayInTest {
  readonly backend: RawBackend;
}

async function stage(
  t: TestContext,
  listener: Partial<TcpListenerPlan>,
  service: Partial<ServicePlan> = {},
  clock?: ManualClock,
): Promise<Stage> {
  const backend = await RawBackend.start(({ socket }, data) => void socket.write(data, 'latin1'));
  t.after(() => backend.stop());
  const plan = tcpPlan([backend.port], { listener, service });
  const gateway = await startGateway(t, plan, clock === undefined ? {} : { clock });
  return { ...gateway, backend };
}

const TRUSTED = { proxyProtocol: true, trustedProxies: LOOPBACK };
const SOURCE = { ip: '203.0.113.9', port: 4711 };
const DESTINATION = { ip: '198.51.100.1', port: 5432 };

for (const [version, write] of [
  ['1', proxyHeaderV1],
  ['2', proxyHeaderV2],
] as const) {
  test(`a header of version ${version} by a trusted proxy is taken out, and says who the client is`, async (t) => {
    const seen: string[] = [];
    const { client: open, backend, gateway } = await stage(t, TRUSTED);
    gateway.data.watch({
      samples: undefined,
      ended: ({ clientIp, peerIp }) => void seen.push(clientIp, peerIp),
    });
    const client = await open();
    await client.send(`${write(SOURCE, DESTINATION)}hello`).contains('hello');
    assert.equal(backend.received, 'hello');
    client.socket.resetAndDestroy();
    await eventually(() => seen.length > 0);
    assert.deepEqual(seen, ['203.0.113.9', '127.0.0.1']);
  });
}

test('a header may come byte by byte', async (t) => {
  const { client: open, backend } = await stage(t, TRUSTED);
  const client = await open();
  for (const byte of `${proxyHeaderV2(SOURCE, DESTINATION)}hi`) {
    client.send(byte);
    await immediate();
  }
  await client.contains('hi');
  assert.equal(backend.received, 'hi');
});

test('a server that speaks first is connected to as soon as the header is there', async (t) => {
  const { client: open, backend } = await stage(t, TRUSTED);
  const client = await open();
  client.send('PROXY UNKNOWN\r\n');
  await backend.until(({ connections }) => connections.length === 1);
  backend.connections[0]?.socket.write('220 ready');
  await client.contains('220 ready');
});

test('what others send is passed on as it is: no header of theirs is taken', async (t) => {
  const header = proxyHeaderV1(SOURCE, DESTINATION);
  const seen: string[] = [];
  const trustedProxies = ['10.0.0.0/8'];
  const { client: open, backend, gateway } = await stage(t, { proxyProtocol: true, trustedProxies });
  gateway.data.watch({ samples: undefined, ended: ({ clientIp }) => void seen.push(clientIp) });
  const client = await open();
  await client.send(`${header}hello`).contains('hello');
  assert.equal(backend.received, `${header}hello`);
  client.socket.resetAndDestroy();
  await eventually(() => seen.length > 0);
  assert.deepEqual(seen, ['127.0.0.1']);
});

test('nothing is taken from trusted proxies either where the listener has no PROXY protocol', async (t) => {
  const header = proxyHeaderV1(SOURCE, DESTINATION);
  const { client: open, backend } = await stage(t, { trustedProxies: LOOPBACK });
  await (await open()).send(`${header}hello`).contains('hello');
  assert.equal(backend.received, `${header}hello`);
});

test('a trusted proxy without a header, or with a malformed one, is closed, and no backend hears of it', async (t) => {
  const { port, backend, gateway, ended, ...rest } = await stage(t, TRUSTED);
  for (const first of ['hello', 'PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n', '\r\n\r\n\0\r\nQUIT\n\x31'])
    assert.equal(await connectionEnds(port, first), 'closed');
  assert.equal(gateway.data.counters.byCode.get('bad_proxy_header'), 3);
  await allQuiet({ port, gateway, ended, ...rest });
  assert.equal(backend.connections.length, 0);
  assert.deepEqual(ended, []);
});

test('a trusted proxy that takes too long for its header is closed', async (t) => {
  const clock = new ManualClock();
  const { client: open, gateway } = await stage(t, { ...TRUSTED, helloTimeoutMs: 2_000 }, {}, clock);
  const client: RawClient = await open();
  client.send('PROXY TCP4');
  await eventually(() => gateway.data.listeners[0]?.connections === 1);
  const ends = howItEnds(client.socket);
  clock.advance(2_200);
  assert.equal(await ends, 'closed');
  assert.equal(gateway.data.counters.byCode.get('hello_timeout'), 1);
});

test('header and TLS hello may come in one segment, and the hello decides', async (t) => {
  const backend = await RawBackend.start(({ socket }) => void socket.write('seen'));
  t.after(() => backend.stop());
  const sniServices = [{ name: 'db.example.com', service: 'db' }];
  const plan = tcpPlan([], {
    services: [tcpServicePlan([backend.port])],
    listener: { ...TRUSTED, service: undefined, sniServices },
  });
  const client = await (await startGateway(t, plan)).client();
  const hello = (await helloOf({ servername: 'db.example.com' })).toString('latin1');
  await client.send(proxyHeaderV2(SOURCE, DESTINATION) + hello).contains('seen');
  assert.equal(backend.received, hello);
});

for (const version of ['v1', 'v2'] as const) {
  test(`a backend is told the client by ${version}, before the client's bytes`, async (t) => {
    const { client: open, backend, port } = await stage(t, {}, { sendProxyProtocol: version });
    const client = await open();
    await client.send('hello').contains('hello');
    const header = parseProxyHeader(Buffer.from(backend.received, 'latin1'));
    assert.ok(header.kind === 'header');
    const { localAddress, localPort } = client.socket;
    assert.deepEqual(header.source, { ip: localAddress, port: localPort });
    assert.deepEqual(header.destination, { ip: '127.0.0.1', port });
    assert.equal(backend.received.slice(header.end), 'hello');
  });

  test(`what a trusted proxy says of the client is passed on by ${version}`, async (t) => {
    const { client: open, backend } = await stage(t, TRUSTED, { sendProxyProtocol: version });
    await (await open()).send(`${proxyHeaderV1(SOURCE, DESTINATION)}hello`).contains('hello');
    const header = parseProxyHeader(Buffer.from(backend.received, 'latin1'));
    assert.ok(header.kind === 'header');
    assert.deepEqual([header.source, header.destination], [SOURCE, DESTINATION]);
  });

  test(`HAProxy as the sender of ${version} and as the receiver of ${version} tell the same of the client`, async (t) => {
    const [entry, exit] = [await freePort(), await freePort()];
    const service = { sendProxyProtocol: version } as const;
    const gateway = await startGateway(t, tcpPlan([exit], { listener: TRUSTED, service }));
    await startHaproxy(
      t,
      [entry],
      `frontend entry
  bind 127.0.0.1:${entry}
  default_backend gateway
backend gateway
  server gateway 127.0.0.1:${gateway.port} ${version === 'v1' ? 'send-proxy' : 'send-proxy-v2'}
frontend exit
  mode http
  bind 127.0.0.1:${exit} accept-proxy
  http-request return status 200 content-type text/plain lf-string "%[src]:%[src_port] %[dst]:%[dst_port]"
`,
    );
    const socket = connect(entry, '127.0.0.1');
    t.after(() => socket.destroy());
    await once(socket, 'connect');
    const own = socket.localPort;
    socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    let said = '';
    for await (const bytes of socket.setEncoding('latin1')) said += bytes;
    assert.match(said, new RegExp(`\r\n\r\n127.0.0.1:${own} 127.0.0.1:${entry}$`));
  });
}

test('IPv6 clients are told as what they are', async (t) => {
  const { port: to, backend } = await stage(t, { host: '::1' }, { sendProxyProtocol: 'v2' });
  const socket = connect(to, '::1');
  t.after(() => socket.destroy());
  socket.write('hello');
  await backend.until(({ received }) => received.endsWith('hello'));
  const header = parseProxyHeader(Buffer.from(backend.received, 'latin1'));
  assert.ok(header.kind === 'header' && header.source !== undefined && isIPv6(header.source.ip));
  assert.deepEqual(header.source, { ip: '::1', port: socket.localPort });
});
