import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { eventually } from '../relay/gateway-in-test.ts';
import { exchangeRaw, RawClient } from '../support/raw-client.ts';
import { freePort } from './free-port.ts';
import { ProbedBackend } from './probed-backend.ts';
import { runGateway } from './process.ts';

const LAST_GET = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

function configOf(backends: readonly ProbedBackend[], changes: object = {}, health: object = {}): object {
  return {
    listeners: [{ address: '127.0.0.1:0' }],
    admin: { address: '127.0.0.1:0' },
    services: { web: { health: { path: '/health', ...health }, backends: backends.map(({ url }) => url) } },
    routes: [{ path: '/', service: 'web' }],
    ...changes,
  };
}

/** A port that somebody else listens on. */
async function takenPort(t: TestContext): Promise<number> {
  const holder = createServer().listen(0, '127.0.0.1');
  t.after(() => holder.close());
  await once(holder, 'listening');
  return (holder.address() as AddressInfo).port;
}

test('nothing listens before each backend was probed, and those that failed get no request', async (t) => {
  const [good, slow, bad] = await Promise.all([
    ProbedBackend.start(t, 'good'),
    ProbedBackend.start(t, 'slow', 'held'),
    ProbedBackend.start(t, 'bad', 503),
  ]);
  const port = await freePort();
  const config = configOf([good, slow, bad], { listeners: [{ address: `127.0.0.1:${port}` }] });
  const gateway = runGateway(t, config);
  await eventually(() => good.probes > 0 && bad.probes > 0 && slow.probes > 0);
  await assert.rejects(RawClient.open(port), { code: 'ECONNREFUSED' });
  assert.equal(gateway.port, 0);
  slow.release(200);
  await gateway.until(() => gateway.port > 0);
  for (let i = 0; i < 20; i++) assert.match(await exchangeRaw(port, LAST_GET), /good|slow/);
  assert.deepEqual(bad.requests, []);
});

test('a backend whose probe hangs delays the start by three seconds at most, and gets no request', async (t) => {
  const [good, hanging] = [
    await ProbedBackend.start(t, 'good'),
    await ProbedBackend.start(t, 'hanging', 'held'),
  ];
  const gateway = runGateway(t, configOf([good, hanging], {}, { interval: '60s', timeout: '50s' }));
  await eventually(() => hanging.probes > 0);
  const probedMs = performance.now();
  await gateway.until(() => gateway.port > 0);
  // far below the probe's own time
  assert.ok(performance.now() - probedMs < 20_000);
  for (let i = 0; i < 10; i++) assert.match(await exchangeRaw(gateway.port, LAST_GET), /good/);
  assert.deepEqual(hanging.requests, []);
});

test('with no backend that is well it starts all the same, and says 503', async (t) => {
  const bad = await ProbedBackend.start(t, 'bad', 500);
  const gateway = runGateway(t, configOf([bad]));
  await gateway.until(() => gateway.port > 0);
  assert.match(await exchangeRaw(gateway.port, LAST_GET), /^HTTP\/1\.1 503 [\s\S]*no_backend/);
  assert.deepEqual(bad.requests, []);
});

test('an admin address that is in use is one line that names it; nothing is left open and nothing was served', async (t) => {
  const good = await ProbedBackend.start(t, 'good');
  const [taken, port] = [await takenPort(t), await freePort()];
  const listeners = [{ address: `127.0.0.1:${port}` }];
  const admin = { address: `127.0.0.1:${taken}` };
  const gateway = runGateway(t, configOf([good], { listeners, admin }));
  assert.equal(await gateway.exited, 1);
  assert.match(
    gateway.stderr,
    new RegExp(`^portway: 127\\.0\\.0\\.1:${taken} is in use: .*admin\\.address\n$`),
  );
  assert.equal(gateway.stdout, '');
});

test('a listener address that is in use ends it, though the admin API was open', async (t) => {
  const good = await ProbedBackend.start(t, 'good');
  const listeners = [{ address: '127.0.0.1:0' }, { address: `127.0.0.1:${await takenPort(t)}` }];
  const gateway = runGateway(t, configOf([good], { listeners }));
  assert.equal(await gateway.exited, 1);
  assert.match(gateway.stderr, /^portway: .* is in use: .* under listeners\n$/);
});

test('SIGTERM during the start ends it at once with 0; SIGHUP does not end it', async (t) => {
  const slow = await ProbedBackend.start(t, 'slow', 'held');
  const gateway = runGateway(t, configOf([slow], {}, { interval: '60s', timeout: '50s' }));
  await eventually(() => slow.probes > 0);
  gateway.child.kill('SIGHUP');
  gateway.child.kill('SIGTERM');
  assert.equal(await gateway.exited, 0);
  assert.equal(gateway.stdout + gateway.stderr, '');
});

test('SIGHUP during the start is a reload as soon as it runs', async (t) => {
  const slow = await ProbedBackend.start(t, 'slow', 'held');
  const config = configOf([slow]);
  const gateway = runGateway(t, config);
  await eventually(() => slow.probes > 0);
  gateway.replaceConfig({ ...config, routes: [{ path: '/other', service: 'web' }] });
  gateway.child.kill('SIGHUP');
  slow.release(200);
  await gateway.until(() => gateway.stdout.includes('reloaded (SIGHUP)'));
  assert.match(await exchangeRaw(gateway.port, LAST_GET), / 404 /);
});
