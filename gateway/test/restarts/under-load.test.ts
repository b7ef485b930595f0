import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startGateway } from '../relay/gateway-in-test.ts';
import { plan } from '../support/plans.ts';
import { Load } from './load.ts';

const ONLY_OK = (total: number) => new Map([[200, total]]);

/** A backend in this process that can be stopped the way services stop when they are told to. */
class GracefulBackend {
  #server: Server = this.#create();
  port = 0;

  #create(): Server {
    return createServer((message, response) => {
      message.resume().on('end', () => setImmediate(() => response.end('ok')));
    });
  }

  async start(): Promise<void> {
    this.#server = this.#create();
    this.#server.listen(this.port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.port = (this.#server.address() as AddressInfo).port;
  }

  /** Accepts no more, closes what is idle, and the rest as its requests are answered. */
  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    const closing = setInterval(() => this.#server.closeIdleConnections(), 1);
    await closed;
    clearInterval(closing);
  }

  dropIdle(): void {
    this.#server.closeIdleConnections();
  }

  destroy(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

async function startGraceful(t: TestContext, count: number): Promise<GracefulBackend[]> {
  const backends = Array.from({ length: count }, () => new GracefulBackend());
  await Promise.all(backends.map((backend) => backend.start()));
  t.after(() => {
    for (const backend of backends) backend.destroy();
  });
  return backends;
}

/** A backend that is a process of its own. */
async function spawnBackend(t: TestContext, port = 0): Promise<{ child: ChildProcess; port: number }> {
  const script = fileURLToPath(new URL('backend-process.ts', import.meta.url));
  const child = spawn(process.execPath, [script, String(port)], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => void child.kill('SIGKILL'));
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, port: Number(line.toString()) };
}

async function kill(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

for (const method of ['GET', 'PUT']) {
  test(`${method}: a backend with warm connections is stopped gracefully under load, and no request fails`, async (t) => {
    const backends = await startGraceful(t, 2);
    const { port } = await startGateway(t, plan(backends.map((backend) => backend.port)));
    const load = new Load(port, 16, method);
    await load.more(500);
    for (let round = 0; round < 3; round++) {
      await backends[0]?.stop();
      await load.more(300);
      await backends[0]?.start();
      await load.more(300);
    }
    const { byStatus, total } = await load.stop();
    assert.deepEqual(byStatus, ONLY_OK(total));
  });
}

test('every backend is restarted, two at a time left, and no request fails', async (t) => {
  const backends = await startGraceful(t, 4);
  const { port, ended } = await startGateway(t, plan(backends.map((backend) => backend.port)));
  const load = new Load(port, 24);
  await load.more(400);
  for (let round = 0; round < 6; round++) {
    const pair = [backends[(round * 2) % 4], backends[(round * 2 + 1) % 4]];
    await Promise.all(pair.map((backend) => backend?.stop()));
    await load.more(200);
    await Promise.all(pair.map((backend) => backend?.start()));
    await load.more(200);
  }
  const { byStatus, total } = await load.stop();
  assert.deepEqual(byStatus, ONLY_OK(total));
  assert.ok(
    ended.some(({ attempts, races }) => attempts + races > 1),
    'no restart was even noticed',
  );
});

test('a backend that is killed under load costs no GET', async (t) => {
  const steady = await spawnBackend(t);
  let doomed = await spawnBackend(t);
  const { port } = await startGateway(t, plan([steady.port, doomed.port]));
  const load = new Load(port, 16);
  await load.more(300);
  for (let round = 0; round < 3; round++) {
    await kill(doomed.child);
    await load.more(200);
    doomed = await spawnBackend(t, doomed.port);
    await load.more(200);
  }
  const { byStatus, total } = await load.stop();
  assert.deepEqual(byStatus, ONLY_OK(total));
});

test('a single backend that keeps dropping its idle connections costs no request', async (t) => {
  const [backend] = await startGraceful(t, 1);
  assert.ok(backend !== undefined);
  const { port, ended } = await startGateway(t, plan([backend.port]));
  const load = new Load(port, 8);
  for (let i = 0; i < 100; i++) {
    await load.more(10);
    backend.dropIdle();
  }
  const { byStatus, total } = await load.stop();
  assert.deepEqual(byStatus, ONLY_OK(total));
  assert.ok(
    ended.some(({ races }) => races > 0),
    'no drop was even noticed',
  );
});
