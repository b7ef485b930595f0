import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Plan } from '../../src/data/plan.ts';
import { createGateway } from '../../src/gateway.ts';
import { QUIET } from '../access-log/logged-gateway.ts';
import { eventually } from '../relay/gateway-in-test.ts';
import { plan } from '../support/plans.ts';
import { RawBackend } from '../support/raw-backend.ts';
import { RawClient } from '../support/raw-client.ts';
import { tcpPlan } from '../tcp/tcp-plans.ts';
import { Collector, type ReadSpan } from './collector.ts';

const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n';
const UPGRADE = 'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n';

/** The spans of one connection that says `words` one after the other, waiting for each to be answered. */
async function spansOf(
  t: TestContext,
  planOf: (port: number) => Plan,
  words: readonly string[],
): Promise<readonly ReadSpan[]> {
  const collector = await Collector.start(t);
  const backend = await RawBackend.start(
    ({ socket }, data) => void socket.write(data.endsWith('\r\n\r\n') ? SWITCH : data),
  );
  t.after(() => backend.stop());
  const tracing = {
    url: collector.url,
    sampleRatio: 1,
    headers: {},
    serviceName: 'edge',
    redact: { headers: [], query: [] },
  } as const;
  const gateway = await createGateway(planOf(backend.port), { control: { ...QUIET, tracing } });
  t.after(() => gateway.stop(0));
  const client = await RawClient.open(gateway.data.listeners[0]?.port ?? 0);
  for (const word of words) await client.send(word).contains(word.endsWith('\n') ? ' 101 ' : word);
  client.socket.resetAndDestroy();
  await eventually(() => gateway.data.counts().routes[0]?.tunnels.open === 0);
  await gateway.stop(1_000);
  return [...collector.spans].sort((a, b) => a.kind - b.kind);
}

test('a request that became a tunnel is a span as long as that, with what went through it', async (t) => {
  const [server, attempt] = await spansOf(t, (port) => plan([port]), [UPGRADE, 'hello']);
  assert.ok(server !== undefined && attempt !== undefined);
  assert.equal(server.name, 'GET /');
  const { attributes } = server;
  assert.equal(Number(attributes['http.response.status_code']), 101);
  assert.equal(attributes['network.protocol.version'], '1.1');
  const through = [attributes['portway.tunnel.bytes_in'], attributes['portway.tunnel.bytes_out']];
  assert.deepEqual(through.map(Number), [5, 5]);
  assert.equal(attributes['portway.tunnel.ended'], 'client');
});

test('a TCP connection has no trace that anybody could be told of', async (t) => {
  assert.deepEqual(await spansOf(t, (port) => tcpPlan([port]), ['hello']), []);
});
