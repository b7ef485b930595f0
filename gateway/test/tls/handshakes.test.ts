import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { eventually } from '../relay/gateway-in-test.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RawClient } from '../support/raw-client.ts';
import { certificateFor, TlsClient, tlsPlan, tlsStage } from './tls-stage.ts';

const certificate = certificateFor('a.example');
const { ca } = certificate;
const ALERT = 0x15;

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** The first flight of a real client. */
async function helloOf(t: TestContext): Promise<Buffer> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const client = new TlsClient(t, portOf(server), {});
  const [socket] = (await once(server, 'connection')) as [Socket];
  const [hello] = (await once(socket, 'data')) as [Buffer];
  client.socket.destroy();
  socket.destroy();
  return hello;
}

test('what is no hello is answered with an alert at most, counted, and touches no other client', async (t) => {
  const { port, refused, gateway } = await tlsStage(t, tlsPlan([certificate]));
  const other = await TlsClient.open(t, port, { ca });
  const rubbish = [
    'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n',
    '\x16\x03\x01\x00\x05hello',
    '\x16\x03\x01\xff\xff',
    '\x80\x2e\x01\x00\x02',
    '\0'.repeat(2_000),
    '\x17\x03\x03\x00\x01x',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  ];
  for (const [index, text] of rubbish.entries()) {
    const client = await RawClient.open(port);
    client.send(text).socket.end();
    const answer = await client.end();
    assert.ok(answer === '' || answer.charCodeAt(0) === ALERT, JSON.stringify([text.slice(0, 20), answer]));
    await eventually(() => refused('tls_handshake_failed') === index + 1);
  }
  assert.equal(gateway.data.listeners[0]?.connections, 1);
  await other.get().contains('ok');
});

test('a client that falls silent in its hello is closed when the time for a head is over', async (t) => {
  const hello = await helloOf(t);
  const clock = new ManualClock();
  const { port, refused, gateway } = await tlsStage(t, tlsPlan([certificate]), { clock });
  const [listener] = gateway.data.listeners;
  const clients = [Buffer.alloc(0), hello.subarray(0, 1), hello.subarray(0, 100), hello].map(async (part) => {
    const client = await RawClient.open(port);
    client.socket.write(part);
    return client;
  });
  const open = await Promise.all(clients);
  await eventually(() => listener?.connections === 4);
  // the whole hello has been answered, and the rest of the handshake does not come
  await open[3]?.until((received) => received.length > 100);
  clock.advance(9_900);
  assert.equal(listener?.connections, 4);
  clock.advance(300);
  await Promise.all(open.map((client) => client.end()));
  await eventually(() => listener?.connections === 0);
  assert.equal(refused('hello_timeout'), 4);
});

test('a client that comes and goes without a word is not counted as a failure', async (t) => {
  const { port, refused, gateway } = await tlsStage(t, tlsPlan([certificate]));
  const [listener] = gateway.data.listeners;
  const polite = await RawClient.open(port);
  polite.socket.end();
  await polite.end();
  const rude = await RawClient.open(port);
  await eventually(() => listener?.connections === 1);
  rude.socket.resetAndDestroy();
  await eventually(() => listener?.connections === 0);
  assert.equal(refused('tls_handshake_failed'), 0);
});

test('handshakes under way count against the limit of connections', async (t) => {
  const { port, refused } = await tlsStage(t, tlsPlan([certificate]), { listener: { maxConnections: 2 } });
  const waiting = await RawClient.open(port);
  waiting.send('\x16\x03');
  const served = await TlsClient.open(t, port, { ca });
  await served.get().contains('ok');
  const third = new TlsClient(t, port, { ca });
  await third.end();
  assert.equal(refused('too_many_connections'), 1);
  waiting.socket.destroy();
});

test('a drain ends handshakes under way, and answers what is asked', async (t) => {
  const asked = Promise.withResolvers<ServerResponse>();
  const { port, gateway } = await tlsStage(t, tlsPlan([certificate]), {}, (_request, response) =>
    asked.resolve(response),
  );
  const shaking = await RawClient.open(port);
  shaking.send('\x16\x03');
  const asking = await TlsClient.open(t, port, { ca });
  asking.get();
  const response = await asked.promise;
  const drained = gateway.data.drain(60_000);
  response.end('late');
  assert.match(await asking.end(), /Connection: close\r\n\r\nlate$/);
  await shaking.end();
  await drained;
});

test('a record that was tampered with ends its connection with an alert', async (t) => {
  const { port } = await tlsStage(t, tlsPlan([certificate]));
  // between a client and the gateway, so that what is sent can be spoiled
  let spoil = false;
  const middle = createServer((from) => {
    const to = connect(port, '127.0.0.1');
    for (const socket of [from, to]) socket.on('error', () => {});
    from.on('data', (bytes: Buffer) => {
      const last = bytes.length - 1;
      if (spoil) bytes[last] = ~(bytes[last] ?? 0);
      to.write(bytes);
    });
    to.pipe(from);
  });
  middle.listen(0, '127.0.0.1');
  await once(middle, 'listening');
  t.after(() => middle.close());
  const client = await TlsClient.open(t, portOf(middle), { ca });
  await client.get().contains('ok');
  spoil = true;
  client.get();
  await client.end();
  assert.match(client.error?.code ?? '', /ALERT_BAD_RECORD_MAC/);
});

test('a thousand aborted handshakes leave no descriptor and no connection behind', async (t) => {
  const hello = await helloOf(t);
  const { port, gateway } = await tlsStage(t, tlsPlan([certificate]));
  const [listener] = gateway.data.listeners;
  const descriptors = () => readdirSync('/proc/self/fd').length;
  const abort = async (index: number): Promise<void> => {
    const client = await RawClient.open(port);
    client.socket.write(hello.subarray(0, (index * 7) % (hello.length + 1)));
    if (index % 3 === 0) await Promise.race([once(client.socket, 'data'), new Promise(setImmediate)]);
    if (index % 2 === 0) client.socket.resetAndDestroy();
    else client.socket.destroy();
  };
  const batch = async (from: number): Promise<void> => {
    await Promise.all(Array.from({ length: 50 }, (_, at) => abort(from + at)));
    await eventually(() => listener?.connections === 0);
  };
  await batch(0);
  const before = descriptors();
  for (let from = 50; from < 1_000; from += 50) await batch(from);
  await eventually(() => descriptors() <= before + 2);
  const client = await TlsClient.open(t, port, { ca });
  await client.get().contains('ok');
});
