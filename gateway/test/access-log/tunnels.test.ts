import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { eventually } from '../relay/gateway-in-test.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { plan } from '../support/plans.ts';
import { RawBackend, type RawConnection } from '../support/raw-backend.ts';
import type { RawClient } from '../support/raw-client.ts';
import { closedPort } from '../tcp/closed-port.ts';
import { tcpPlan } from '../tcp/tcp-plans.ts';
import { UdpBackend, udpPlan } from '../udp/udp-stage.ts';
import { type Entry, type LoggedGateway, startLogged } from './logged-gateway.ts';

const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n';
const UPGRADE = 'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n';

const echo = ({ socket }: RawConnection, data: string): void => void socket.write(data, 'latin1');

async function backend(
  t: TestContext,
  onData: (connection: RawConnection, data: string) => void,
): Promise<RawBackend> {
  const one = await RawBackend.start(onData);
  t.after(() => one.stop());
  return one;
}

async function only({ entries }: LoggedGateway): Promise<Entry> {
  const [entry, ...more] = await entries();
  assert.ok(entry !== undefined && more.length === 0, JSON.stringify([entry, ...more]));
  return entry;
}

/** Goes without a word, and waits until that is known. */
async function leave({ gateway }: LoggedGateway, client: RawClient): Promise<void> {
  client.socket.resetAndDestroy();
  await eventually(() => gateway.data.counts().routes[0]?.tunnels.open === 0);
}

/** What went through the tunnel, but for how long that took. */
function tunnelOf(entry: Entry): object {
  const { ms, ...rest } = entry['tunnel'] as Readonly<Record<string, unknown>>;
  assert.ok(typeof ms === 'number' && ms >= 0);
  return rest;
}

test('a request that became a tunnel has one line, when that ends: bytes each way, and which side ended it', async (t) => {
  const upgrading = await backend(t, (connection, data) =>
    data.endsWith('\r\n\r\n') ? void connection.socket.write(SWITCH) : echo(connection, data),
  );
  const logged = await startLogged(t, plan([upgrading.port]));
  const client = await logged.client();
  await client.send(UPGRADE).contains('101 ');
  await client.send('hello').contains('hello');
  await leave(logged, client);
  const entry = await only(logged);
  assert.deepEqual(
    [entry['method'], entry['path'], entry['protocol'], entry['status'], entry['termination']],
    ['GET', '/chat', 'HTTP/1.1', 101, '--'],
  );
  assert.deepEqual(tunnelOf(entry), { bytesIn: 5, bytesOut: 5, ended: 'client' });
});

test('a TCP connection has a line without anything of a request', async (t) => {
  const echoing = await backend(t, echo);
  const logged = await startLogged(t, tcpPlan([echoing.port]));
  const client = await logged.client();
  await client.send('hello').contains('hello');
  await leave(logged, client);
  const entry = await only(logged);
  const { time, traceId, queueMs, connectMs, firstByteMs, totalMs, tunnel, bytesIn, bytesOut, ...rest } =
    entry;
  assert.deepEqual(rest, {
    log: 'access',
    clientIp: '127.0.0.1',
    protocol: 'TCP',
    termination: '--',
    route: logged.gateway.data.counts().routes[0]?.route,
    service: 'db',
    backend: `127.0.0.1:${echoing.port}`,
    attempts: 1,
    retries: 0,
    hedged: false,
  });
  assert.deepEqual([bytesIn, bytesOut], [5, 5]);
  assert.deepEqual(tunnelOf(entry), { bytesIn: 5, bytesOut: 5, ended: 'client' });
});

test('a TCP connection that no backend takes has a line with the reason, and no status', async (t) => {
  const logged = await startLogged(t, tcpPlan([await closedPort()]));
  const client = await logged.client();
  // it may be reset
  await client.end().catch(() => {});
  const { protocol, status, code, tunnel } = await only(logged);
  assert.deepEqual([protocol, status, code, tunnel], ['TCP', undefined, 'connect_refused', undefined]);
});

test('a UDP session has a line when it ends', async (t) => {
  const server = await UdpBackend.start(t, (text) => [text, text]);
  const clock = new ManualClock();
  const logged = await startLogged(t, udpPlan([server.port]), {}, { clock });
  const client = createSocket('udp4');
  t.after(() => client.close());
  client.send('hello', logged.port, '127.0.0.1');
  for (let answers = 0; answers < 2; answers++) await once(client, 'message');
  clock.advance(60_000);
  const entry = await only(logged);
  const { protocol, status, clientIp, service, backend, bytesIn, bytesOut } = entry;
  assert.deepEqual(
    { protocol, status, clientIp, service, backend, bytesIn, bytesOut },
    {
      protocol: 'UDP',
      status: undefined,
      clientIp: '127.0.0.1',
      service: 'dns',
      backend: `127.0.0.1:${server.port}`,
      bytesIn: 5,
      bytesOut: 10,
    },
  );
  assert.deepEqual(tunnelOf(entry), { bytesIn: 5, bytesOut: 10, ended: 'idle' });
});
