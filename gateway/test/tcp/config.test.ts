import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freePort } from '../restarts/free-port.ts';
import { runGateway } from '../restarts/process.ts';
import { RawBackend } from '../support/raw-backend.ts';
import { RawClient } from '../support/raw-client.ts';
import { closedPort } from './closed-port.ts';

function configOf(port: number, ...backends: readonly number[]): object {
  return {
    listeners: [{ address: `127.0.0.1:${port}`, protocol: 'tcp', service: 'db' }],
    admin: { address: '127.0.0.1:0' },
    accessLog: {},
    services: { db: { backends: backends.map((backend) => `tcp://127.0.0.1:${backend}`) } },
  };
}

test('a TCP service by config: probed, relayed, counted, logged, and left alone by a reload until its end', async (t) => {
  const [a, b] = await Promise.all(
    ['a', 'b'].map((name) => RawBackend.start(({ socket }) => void socket.write(`${name} `))),
  );
  assert.ok(a && b);
  t.after(() => Promise.all([a.stop(), b.stop()]));
  const [port, dead] = [await freePort(), await closedPort()];
  const gateway = runGateway(t, configOf(port, a.port, dead));
  await gateway.says(`listening on tcp://127.0.0.1:${port}`);
  await gateway.until(({ adminUrl }) => adminUrl !== '');
  const metrics = async (): Promise<string> => (await fetch(`${gateway.adminUrl}/metrics`)).text();
  assert.match(
    await metrics(),
    new RegExp(`portway_backend_healthy\\{service="db",backend="127.0.0.1:${dead}"\\} 0`),
  );
  const client = await RawClient.open(port);
  t.after(() => client.socket.destroy());
  await client.send('?').contains('a ');
  assert.match(await metrics(), new RegExp(`portway_tunnels\\{route="tcp 127.0.0.1:${port}"\\} 1`));
  const reloaded = gateway.says('config: reloaded');
  gateway.replaceConfig(configOf(port, b.port, dead));
  gateway.child.kill('SIGHUP');
  await reloaded;
  const next = await RawClient.open(port);
  t.after(() => next.socket.destroy());
  await next.send('?').contains('b ');
  next.socket.resetAndDestroy();
  client.send('?');
  await client.until((received) => received === 'a a ');
  client.socket.resetAndDestroy();
  await gateway.until(({ stdout }) => stdout.split('"ended":"client"').length === 3);
  const lines = gateway.stdout.split('\n').filter((text) => text.includes('"protocol":"TCP"'));
  const line = lines.find((text) => text.includes(`:${a.port}"`)) ?? '';
  const { route, service, tunnel } = JSON.parse(line);
  assert.deepEqual([route, service], [`tcp 127.0.0.1:${port}`, 'db']);
  assert.deepEqual([tunnel.bytesIn, tunnel.bytesOut], [2, 4]);
  gateway.child.kill('SIGTERM');
  assert.equal(await gateway.exited, 0);
});
