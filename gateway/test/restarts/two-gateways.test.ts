import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startGateway } from '../relay/gateway-in-test.ts';
import { plan } from '../support/plans.ts';
import { RawBackend } from '../support/raw-backend.ts';
import { exchangeRaw } from '../support/raw-client.ts';
import { Load } from './load.ts';

const LAST_GET = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

test('two gateways in one process share nothing: not routes, connections, counters or their end', async (t) => {
  const answers = ['one', 'two'];
  const backends = await Promise.all(
    answers.map((text) => RawBackend.answering(`HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n${text}`)),
  );
  t.after(() => Promise.all(backends.map((backend) => backend.stop())));
  const [one, two] = await Promise.all(backends.map(({ port }) => startGateway(t, plan([port]))));
  assert.ok(one !== undefined && two !== undefined);
  const loads = [new Load(one.port, 8), new Load(two.port, 8)];
  await Promise.all(loads.map((load) => load.more(300)));
  assert.match(await exchangeRaw(one.port, LAST_GET), /one$/);
  assert.match(await exchangeRaw(two.port, LAST_GET), /two$/);
  const [first] = await Promise.all(loads.map((load) => load.stop()));
  assert.deepEqual([...(first?.byStatus.keys() ?? [])], [200]);
  assert.equal(one.ended.length, (first?.total ?? 0) + 1);
  await one.gateway.stop(1_000);
  await assert.rejects(exchangeRaw(one.port, LAST_GET), { code: 'ECONNREFUSED' });
  for (let i = 0; i < 3; i++) assert.match(await exchangeRaw(two.port, LAST_GET), /two$/);
});
