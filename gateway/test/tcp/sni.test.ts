import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setImmediate as immediate } from 'node:timers/promises';
import { connect, createServer } from 'node:tls';
import type { ServicePlan, TcpListenerPlan } from '../../src/data/plan.ts';
import { type Certificate, makeCertificate } from '../agents/certificates.ts';
import { allQuiet, eventually, type GatewayInTest, startGateway } from '../relay/gateway-in-test.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RawBackend } from '../support/raw-backend.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { helloOf, inRecords } from './hello-of.ts';
import { connectionEnds, howItEnds } from './how-it-ends.ts';
import { tcpPlan, tcpServicePlan } from './tcp-plans.ts';

const certificate: Certificate = makeCertificate({
  names: ['DNS:db.example.com', 'DNS:*.apps.example.com', 'DNS:other.example.com'],
});

/** A TLS server that says who it is and by which name it was asked for, and then echoes. */
async function tlsService(t: TestContext, name: string): Promise<ServicePlan> {
  const server = createServer({ key: certificate.key, cert: certificate.cert }, (socket) => {
    socket.on('error', () => {});
    socket.write(`${name} as ${socket.servername}\n`);
    socket.pipe(socket);
  });
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return tcpServicePlan([(server.address() as AddressInfo).port], { name });
}

const NAMES = [
  { name: 'db.example.com', service: 'db' },
  { name: '*.apps.example.com', service: 'apps' },
  { name: 'special.apps.example.com', service: 'special' },
  { name: '*.example.com', service: 'wild' },
];

async function sniGateway(
  t: TestContext,
  listener: Partial<TcpListenerPlan> = {},
  clock?: ManualClock,
): Promise<GatewayInTest> {
  const names = ['db', 'apps', 'special', 'wild', 'rest'];
  const services = await Promise.all(names.map((name) => tlsService(t, name)));
  const plan = tcpPlan([], { services, listener: { service: 'rest', sniServices: NAMES, ...listener } });
  return startGateway(t, plan, clock === undefined ? {} : { clock });
}

/** What the server says first to a client that asks for `servername`; the certificate is checked for `as`. */
async function greeting(
  port: number,
  servername: string | undefined,
  as = 'db.example.com',
): Promise<string> {
  const socket = connect({
    port,
    host: '127.0.0.1',
    ca: certificate.ca,
    ...(servername === undefined ? {} : { servername }),
    checkServerIdentity: (_host, peer) =>
      peer.subjectaltname?.includes(as) === true ? undefined : new Error(`it is for ${peer.subjectaltname}`),
  });
  const [bytes] = await once(socket, 'data');
  socket.destroy();
  return String(bytes).trim();
}

test('the name that a client asks for decides: exact, then the longest wildcard, then the rest', async (t) => {
  const gateway = await sniGateway(t);
  const asked = {
    'db.example.com': 'db',
    'DB.Example.com': 'db',
    'one.apps.example.com': 'apps',
    'two.one.apps.example.com': 'apps',
    'special.apps.example.com': 'special',
    'apps.example.com': 'wild',
    'elsewhere.org': 'rest',
    'example.com': 'rest',
  };
  for (const [name, service] of Object.entries(asked))
    assert.equal(await greeting(gateway.port, name), `${service} as ${name}`);
  assert.equal(await greeting(gateway.port, undefined), 'rest as false');
  const opened = gateway.gateway.data.counts().routes.map(({ route, tunnels }) => [route, tunnels.opened]);
  assert.deepEqual(Object.fromEntries(opened), {
    'tcp 127.0.0.1:0 db': 2,
    'tcp 127.0.0.1:0 apps': 2,
    'tcp 127.0.0.1:0 special': 1,
    'tcp 127.0.0.1:0 wild': 1,
    'tcp 127.0.0.1:0 rest': 3,
  });
});

test('openssl s_client speaks through, with its own end of TLS', async (t) => {
  const gateway = await sniGateway(t);
  const folder = temporaryFolder(t);
  await writeFile(join(folder, 'ca.pem'), certificate.ca);
  const args = [
    's_client',
    '-connect',
    `127.0.0.1:${gateway.port}`,
    '-servername',
    'db.example.com',
    '-quiet',
  ];
  const check = [
    '-CAfile',
    join(folder, 'ca.pem'),
    '-verify_return_error',
    '-verify_hostname',
    'db.example.com',
  ];
  const client = spawn('openssl', [...args, ...check], { stdio: ['pipe', 'pipe', 'ignore'] });
  t.after(() => client.kill());
  let said = '';
  client.stdout.on('data', (bytes) => {
    said += bytes;
  });
  client.stdin.write('over TLS\n');
  while (!said.includes('over TLS')) await once(client.stdout, 'data');
  assert.equal(said, 'db as db.example.com\nover TLS\n');
});

test('a client that asks for a name nobody has is sent the alert for that, where nothing takes the rest', async (t) => {
  const gateway = await sniGateway(t, { service: undefined });
  const socket = connect({ port: gateway.port, host: '127.0.0.1', servername: 'elsewhere.org' });
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
  assert.equal(error.code, 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME');
  assert.equal(gateway.gateway.data.counters.byCode.get('unknown_server_name'), 1);
  await allQuiet(gateway);
});

test('clients without TLS go where the rest goes, and nowhere without one', async (t) => {
  const backend = await RawBackend.start(({ socket }, data) => void socket.write(`plain ${data}`));
  t.after(() => backend.stop());
  const services = [tcpServicePlan([backend.port])];
  const names = [{ name: 'db.example.com', service: 'db' }];
  const open = await startGateway(t, tcpPlan([], { services, listener: { sniServices: names } }));
  await (await open.client()).send('hello').contains('plain hello');
  const strict = await startGateway(
    t,
    tcpPlan([], { services, listener: { service: undefined, sniServices: names } }),
  );
  assert.equal(await connectionEnds(strict.port, 'hello'), 'closed');
  assert.equal(backend.connections.length, 1);
});

test('a hello in many records and many segments reaches the backend byte for byte', async (t) => {
  const backend = await RawBackend.start();
  t.after(() => backend.stop());
  const services = [tcpServicePlan([backend.port])];
  const sniServices = [{ name: 'db.example.com', service: 'db' }];
  const gateway = await startGateway(
    t,
    tcpPlan([], { services, listener: { service: undefined, sniServices } }),
  );
  const hello = inRecords(await helloOf({ servername: 'db.example.com' }), 7);
  const client = await gateway.client();
  for (let at = 0; at < hello.length; at += 40) {
    client.socket.write(hello.subarray(at, at + 40));
    await immediate();
  }
  client.send('and more');
  const all = `${hello.toString('latin1')}and more`;
  await backend.until(({ received }) => received.length === all.length);
  assert.equal(backend.received, all);
});

test('what begins as TLS and is none is closed, and no backend hears of it', async (t) => {
  const gateway = await sniGateway(t);
  const garbage = [
    '\x16\x03\x01\x00\x00',
    '\x16\x02\x01\x01\x00\x01',
    '\x16\x03\x01\x00\x04\x02\0\0\0',
    '\x16\x03\x01\x7f\xff',
  ];
  for (const bytes of garbage)
    assert.equal(await connectionEnds(gateway.port, Buffer.from(bytes, 'latin1')), 'closed');
  assert.equal(gateway.gateway.data.counters.byCode.get('bad_client_hello'), garbage.length);
  assert.deepEqual(gateway.ended, []);
  await allQuiet(gateway);
});

test('a client that takes too long for its hello is closed, one whose hello is there is not', async (t) => {
  const clock = new ManualClock();
  const gateway = await sniGateway(t, { helloTimeoutMs: 3_000 }, clock);
  const socket = connect({
    port: gateway.port,
    host: '127.0.0.1',
    ca: certificate.ca,
    servername: 'db.example.com',
  });
  t.after(() => socket.destroy());
  await once(socket, 'data');
  const slow = await gateway.client();
  const silent = await gateway.client();
  slow.socket.write((await helloOf({ servername: 'db.example.com' })).subarray(0, 50));
  await eventually(() => gateway.gateway.data.listeners[0]?.connections === 3);
  const ends = [howItEnds(slow.socket), howItEnds(silent.socket)];
  clock.advance(2_500);
  assert.equal(gateway.gateway.data.listeners[0]?.connections, 3);
  clock.advance(1_000);
  assert.deepEqual(await Promise.all(ends), ['closed', 'closed']);
  assert.equal(gateway.gateway.data.counters.byCode.get('hello_timeout'), 2);
  socket.write('still here');
  assert.equal(String((await once(socket, 'data'))[0]), 'still here');
});

test('a client that leaves in the middle of its hello is forgotten', async (t) => {
  const gateway = await sniGateway(t);
  const hello = await helloOf({ servername: 'db.example.com' });
  for (const how of ['end', 'resetAndDestroy'] as const) {
    const client = await gateway.client();
    client.socket.write(hello.subarray(0, 50));
    await eventually(() => gateway.gateway.data.listeners[0]?.connections === 1);
    client.socket[how]();
    await allQuiet(gateway);
  }
  assert.deepEqual(gateway.ended, []);
});
