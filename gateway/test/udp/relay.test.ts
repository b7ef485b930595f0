import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { eventually } from '../relay/gateway-in-test.ts';
import { startDns } from './dns-server.ts';
import { echo, UdpBackend, udpPlan, udpStage } from './udp-stage.ts';

const run = promisify(execFile);
const hasIpv6 = Object.values(networkInterfaces()).some((each) =>
  each?.some(({ address }) => address === '::1'),
);

test('dig gets its answer from a DNS server behind the gateway', async (t) => {
  const dns = await startDns(t, '192.0.2.53');
  const { port, counts } = await udpStage(t, udpPlan([dns.port]));
  const args = [
    '@127.0.0.1',
    '-p',
    String(port),
    '+short',
    '+tries=1',
    '+timeout=10',
    'www.example.com',
    'A',
  ];
  const digs = await Promise.all(Array.from({ length: 5 }, () => run('dig', args)));
  for (const { stdout } of digs) assert.equal(stdout, '192.0.2.53\n');
  assert.equal(counts.opened, 5);
  assert.equal(counts.bytesIn, dns.received.join('').length);
  assert.ok(counts.bytesOut > 5 * 16);
});

test('each of many clients gets its own answers, in order where the network keeps it', async (t) => {
  const backends = await Promise.all([UdpBackend.start(t, echo), UdpBackend.start(t, echo)]);
  const stage = await udpStage(t, udpPlan(backends.map(({ port }) => port)));
  const clients = Array.from({ length: 100 }, () => stage.client());
  const answers = await Promise.all(
    clients.map(async (client, index) => {
      const seen: string[] = [];
      for (let turn = 0; turn < 5; turn++) seen.push(await client.ask(`${index} ${turn}`));
      return seen;
    }),
  );
  for (const [index, seen] of answers.entries())
    assert.deepEqual(
      seen,
      [0, 1, 2, 3, 4].map((turn) => `${index} ${turn}`),
    );
  assert.equal(stage.counts.open, 100);
  assert.equal(backends[0]?.clients.size, 50);
  assert.equal(stage.counts.bytesIn, stage.counts.bytesOut);
});

test('datagrams of every size arrive whole, empty ones among them', async (t) => {
  const backend = await UdpBackend.start(t, echo);
  const stage = await udpStage(t, udpPlan([backend.port]));
  const client = stage.client();
  for (const size of [0, 1, 512, 1473, 9000, 65_507]) {
    const bytes = randomBytes(size);
    client.send(bytes);
    const back = await client.receive();
    assert.equal(back.compare(bytes), 0, `${size} bytes`);
  }
});

test('clients and backends may speak IPv6', { skip: !hasIpv6 }, async (t) => {
  const backend = await UdpBackend.start(t, echo, { host: '::1' });
  const changes = {
    listener: { host: '::1' },
    service: {
      backends: [
        {
          name: `[::1]:${backend.port}`,
          protocol: 'udp',
          host: '0:0:0:0:0:0:0:1',
          port: backend.port,
          weight: 1,
        },
      ],
    },
  } as const;
  const stage = await udpStage(t, udpPlan([], changes));
  assert.equal(await stage.client().ask('over IPv6'), 'over IPv6');
  assert.equal(stage.gateway.data.listeners[0]?.address, `[::1]:${stage.port}`);
});

test('an answer that no client waits for any more ends nothing', async (t) => {
  const backend = await UdpBackend.start(t, echo);
  const stage = await udpStage(t, udpPlan([backend.port]));
  const gone = stage.client();
  await gone.ask('first');
  const before = backend.received.length;
  await new Promise((sent) => gone.socket.send('last', stage.port, '127.0.0.1', sent));
  gone.close();
  await eventually(() => backend.received.length > before);
  assert.equal(await stage.client().ask('another'), 'another');
});
