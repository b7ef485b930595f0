import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../relay/gateway-in-test.ts';
import { exchangeRaw, RawClient } from '../support/raw-client.ts';
import { ProbedBackend } from './probed-backend.ts';
import { runGateway } from './process.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const LAST_GET = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

function configOf(backend: ProbedBackend, drain: object): object {
  return {
    listeners: [{ address: '127.0.0.1:0' }],
    admin: { address: '127.0.0.1:0' },
    drain,
    services: { web: { health: { path: '/health' }, backends: [backend.url] } },
    routes: [{ path: '/', service: 'web' }],
  };
}

interface Readiness {
  readonly status: number;
  readonly text: string;
}

async function readiness(adminUrl: string): Promise<Readiness> {
  const answer = await fetch(`${adminUrl}/readyz`);
  return { status: answer.status, text: await answer.text() };
}

async function accepts(port: number): Promise<boolean> {
  try {
    (await RawClient.open(port)).socket.destroy();
    return true;
  } catch {
    return false;
  }
}

test('SIGTERM: not ready first, while requests are still taken; then what is under way ends, and admin with it', async (t) => {
  const backend = await ProbedBackend.start(t, 'web');
  const gateway = runGateway(t, configOf(backend, { delay: '1500ms', timeout: '60s' }));
  await gateway.until(() => gateway.adminUrl !== '');
  assert.equal((await readiness(gateway.adminUrl)).status, 200);
  const kept = await RawClient.open(gateway.port);
  await kept.send(GET).contains('web');

  gateway.child.kill('SIGTERM');
  let ready = await readiness(gateway.adminUrl);
  while (ready.status === 200) ready = await readiness(gateway.adminUrl);
  assert.equal(ready.status, 503);
  assert.match(ready.text, /shutting down/);
  assert.match(await exchangeRaw(gateway.port, LAST_GET), / 200 OK/);
  let finish = (): void => {};
  backend.answer = (response) => {
    finish = () => response.end('at last');
  };
  const before = backend.requests.length;
  kept.received = '';
  kept.send(GET);
  await eventually(() => backend.requests.length > before);

  const reload = await fetch(`${gateway.adminUrl}/api/v1/reload`, { method: 'POST' });
  assert.equal(reload.status, 422);
  while (await accepts(gateway.port));
  assert.match((await readiness(gateway.adminUrl)).text, /shutting down/);
  const status = await (await fetch(`${gateway.adminUrl}/api/v1/status`)).json();
  assert.equal((status as { draining: boolean }).draining, true);
  finish();
  assert.match(await kept.end(), / 200 OK\r\n[\s\S]*Connection: close\r\n[\s\S]*at last$/);
  assert.equal(await gateway.exited, 0);
});

test('a request that does not end is cut off at the deadline, and the exit is clean', async (t) => {
  const backend = await ProbedBackend.start(t, 'web');
  backend.answer = () => {};
  const gateway = runGateway(t, configOf(backend, { timeout: '300ms' }));
  await gateway.until(() => gateway.adminUrl !== '');
  const client = (await RawClient.open(gateway.port)).send(GET);
  t.after(() => client.socket.destroy());
  await eventually(() => backend.requests.length === 1);
  gateway.child.kill('SIGTERM');
  assert.equal(await gateway.exited, 0);
  assert.equal(await client.end(), '');
});

test('a second signal ends it at once, in the delay too', async (t) => {
  const backend = await ProbedBackend.start(t, 'web');
  const gateway = runGateway(t, configOf(backend, { delay: '60s' }));
  await gateway.until(() => gateway.adminUrl !== '');
  gateway.child.kill('SIGTERM');
  while ((await readiness(gateway.adminUrl)).status === 200);
  gateway.child.kill('SIGTERM');
  assert.equal(await gateway.exited, 1);
});
