import assert from 'node:assert/strict';
import { test } from 'node:test';
import { only, startGateway } from '../relay/gateway-in-test.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { plan } from '../support/plans.ts';
import { RawBackend } from '../support/raw-backend.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

test('a backend that comes back is not held to how slow its last failures were', async (t) => {
  const backend = await RawBackend.start();
  t.after(() => backend.stop());
  const clock = new ManualClock();
  const gateway = await startGateway(t, plan([backend.port]), { clock });
  const client = await gateway.client();
  client.send(GET);
  await backend.until(() => backend.received.endsWith('\r\n\r\n'));
  clock.advance(500);
  backend.connections[0]?.socket.write('HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\nno');
  await client.contains('no');
  assert.ok(only(gateway).latencyMs(clock.now()) >= 1_000);
  const { data } = gateway.gateway;
  const ref = { service: data.services[0]?.name ?? '', backend: only(gateway).name };
  data.setAdmin(ref, 'draining');
  data.setAdmin(ref, 'enabled');
  assert.equal(only(gateway).latencyMs(clock.now()), 0);
});
