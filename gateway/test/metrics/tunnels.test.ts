import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import type { Plan } from '../../src/data/plan.ts';
import { createGateway, type Gateway } from '../../src/gateway.ts';
import { makeCertificate } from '../agents/certificates.ts';
import { eventually } from '../relay/gateway-in-test.ts';
import { ADMIN_ONLY, plan, routePlan } from '../support/plans.ts';
import { RawBackend } from '../support/raw-backend.ts';
import { RawClient } from '../support/raw-client.ts';
import { closedPort } from '../tcp/closed-port.ts';
import { tcpListenerPlan, tcpServicePlan } from '../tcp/tcp-plans.ts';
import { tlsPlan } from '../tls/tls-stage.ts';
import { udpListenerPlan, udpServicePlan } from '../udp/udp-stage.ts';
import { type ReadSample, readExposition, sampleValue } from './exposition-text.ts';

async function start(t: TestContext, plan: Plan): Promise<Gateway> {
  const gateway = await createGateway(plan, { control: ADMIN_ONLY });
  t.after(() => gateway.stop(0));
  return gateway;
}

async function scrape({ adminUrl }: Gateway): Promise<readonly ReadSample[]> {
  const response = await fetch(`${adminUrl}/metrics`, {
    headers: { accept: 'application/openmetrics-text' },
  });
  return readExposition(await response.text());
}

/** No two samples of one name and the same labels, which no Prometheus takes. */
function assertDistinct(samples: readonly ReadSample[]): void {
  const seen = new Set<string>();
  for (const { name, labels } of samples) {
    const key = `${name} ${JSON.stringify(Object.entries(labels).sort())}`;
    assert.ok(!seen.has(key), key);
    seen.add(key);
  }
}

test('tunnels are counted from open to end: how many, bytes each way, how long and why they ended', async (t) => {
  const backend = await RawBackend.start(({ socket }, data) => void socket.write(data + data, 'latin1'));
  t.after(() => backend.stop());
  const listeners = [tcpListenerPlan()];
  const services = [tcpServicePlan([backend.port])];
  const gateway = await start(t, { ...plan([], { services, routes: [] }), listeners });
  const route = gateway.data.counts().routes[0]?.route ?? '';
  const before = await scrape(gateway);
  assert.equal(sampleValue(before, 'portway_tunnels_opened_total', { route }), 0);
  assert.equal(sampleValue(before, 'portway_tunnel_bytes_total', { route, direction: 'in' }), 0);
  assert.ok(!before.some(({ name }) => name.startsWith('portway_tunnel_duration')));

  const client = await RawClient.open(gateway.data.listeners[0]?.port ?? 0);
  t.after(() => client.socket.destroy());
  await client.send('hello').contains('hellohello');
  const during = await scrape(gateway);
  assert.equal(sampleValue(during, 'portway_tunnels', { route }), 1);
  assert.equal(sampleValue(during, 'portway_tunnel_bytes_total', { route, direction: 'in' }), 5);
  assert.equal(sampleValue(during, 'portway_tunnel_bytes_total', { route, direction: 'out' }), 10);
  assert.equal(sampleValue(during, 'portway_tunnels_ended_total', { route, reason: 'client' }), 0);
  const listener = { listener: `tcp ${gateway.data.listeners[0]?.address}` };
  assert.equal(sampleValue(during, 'portway_client_connections', listener), 1);

  client.socket.resetAndDestroy();
  await eventually(() => gateway.data.counts().routes[0]?.tunnels.open === 0);
  const after = await scrape(gateway);
  assert.equal(sampleValue(after, 'portway_tunnels', { route }), 0);
  assert.equal(sampleValue(after, 'portway_tunnels_opened_total', { route }), 1);
  assert.equal(sampleValue(after, 'portway_tunnels_ended_total', { route, reason: 'client' }), 1);
  assert.equal(sampleValue(after, 'portway_tunnels_ended_total', { route, reason: 'idle' }), 0);
  assert.equal(sampleValue(after, 'portway_tunnel_duration_seconds_count', { route }), 1);
  assert.equal(sampleValue(after, 'portway_tunnel_duration_seconds_bucket', { route, le: '1' }), 1);
  assert.equal(sampleValue(after, 'portway_tunnel_duration_seconds_bucket', { route, le: '+Inf' }), 1);
  assertDistinct(after);
});

test('a port that is listened on for tcp and for udp has two listeners in the metrics', async (t) => {
  const port = await closedPort();
  const services = [tcpServicePlan([port + 1]), udpServicePlan([port + 1])];
  const listeners = [tcpListenerPlan({ port }), udpListenerPlan({ port })];
  const samples = await scrape(await start(t, { ...plan([], { services, routes: [] }), listeners }));
  assert.deepEqual(
    samples
      .filter(({ name }) => name === 'portway_client_connections')
      .map(({ labels }) => labels['listener']),
    [`tcp 127.0.0.1:${port}`, `udp 127.0.0.1:${port}`],
  );
  assertDistinct(samples);
});

test('the end of each certificate is told, of the first that ends where two are for one name', async (t) => {
  const [soon, late] = [
    makeCertificate({
      names: ['DNS:a.test', 'DNS:b.test'],
      validity: ['20200101000000Z', '20400101000000Z'],
    }),
    makeCertificate({ names: ['DNS:a.test'], validity: ['20200101000000Z', '20500101000000Z'] }),
  ];
  const certificates = [late, soon].map(({ cert, key }, index) => ({
    names: index === 0 ? ['a.test'] : ['a.test', 'b.test'],
    cert,
    key,
  }));
  const tls = tlsPlan(certificates);
  const backend = await RawBackend.start();
  t.after(() => backend.stop());
  const gateway = await start(t, plan([backend.port], { listener: { tls }, routes: [routePlan()] }));
  const expiry = (await scrape(gateway)).filter(
    ({ name }) => name === 'portway_certificate_expiry_timestamp_seconds',
  );
  assert.deepEqual(
    expiry.map(({ labels, value }) => ({ labels, value })),
    [
      {
        labels: { listener: '127.0.0.1:0', name: 'a.test' },
        value: new X509Certificate(soon.cert).validToDate.getTime() / 1000,
      },
    ],
  );
});
