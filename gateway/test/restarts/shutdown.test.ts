import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RawBackend } from '../support/raw-backend.ts';
import { exchangeRaw, RawClient } from '../support/raw-client.ts';
import { startProcess } from './process.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} finishes the request under way, refuses new connections and exits 0`, async (t) => {
    const backend = await RawBackend.start();
    t.after(() => backend.stop());
    const gateway = await startProcess(t, backend.port);
    const busy = await RawClient.open(gateway.port);
    const idle = await RawClient.open(gateway.port);
    t.after(() => [busy, idle].map(({ socket }) => socket.destroy()));
    busy.send(GET);
    await backend.until(() => backend.received.endsWith('\r\n\r\n'));
    gateway.child.kill(signal);
    await idle.end();
    assert.equal(idle.received, '');
    await assert.rejects(RawClient.open(gateway.port), { code: 'ECONNREFUSED' });
    backend.connections[0]?.socket.write(OK);
    const answered = await busy.end();
    assert.match(answered, /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\nConnection: close\r\n\r\nok$/);
    assert.equal(await gateway.exited, 0);
    assert.equal(gateway.stderr, '');
  });
}

test('with nothing under way SIGTERM exits 0 at once', async (t) => {
  const backend = await RawBackend.answering(OK);
  t.after(() => backend.stop());
  const gateway = await startProcess(t, backend.port);
  const client = await RawClient.open(gateway.port);
  await client.send(GET).contains('ok');
  gateway.child.kill('SIGTERM');
  await client.end();
  assert.equal(await gateway.exited, 0);
});

test('a second signal ends it at once, whatever is under way', async (t) => {
  const backend = await RawBackend.start();
  t.after(() => backend.stop());
  const gateway = await startProcess(t, backend.port);
  const busy = await RawClient.open(gateway.port);
  t.after(() => busy.socket.destroy());
  busy.send(GET);
  const idle = await RawClient.open(gateway.port);
  await backend.until(() => backend.received.endsWith('\r\n\r\n'));
  gateway.child.kill('SIGINT');
  await idle.end();
  gateway.child.kill('SIGINT');
  assert.equal(await gateway.exited, 1);
});

test('a busy port is one clear line and exit 1', async (t) => {
  const taken = await RawBackend.start();
  t.after(() => taken.stop());
  const gateway = await startProcess(t, 1, { port: taken.port });
  assert.equal(await gateway.exited, 1);
  assert.equal(gateway.stdout, '');
  assert.match(gateway.stderr, new RegExp(`^portway: 127\\.0\\.0\\.1:${taken.port} is in use: [^\n]+\n$`));
});

test('input that is no HTTP does not end the process', async (t) => {
  const backend = await RawBackend.answering('\x00\xff no HTTP either\r\n\r\n');
  t.after(() => backend.stop());
  const gateway = await startProcess(t, backend.port);
  assert.match(await exchangeRaw(gateway.port, '\x16\x03\x01\x00\xff\r\n\r\n'), /^HTTP\/1\.1 400 /);
  assert.match(
    await exchangeRaw(gateway.port, GET.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')),
    /^HTTP\/1\.1 502 /,
  );
  gateway.child.kill('SIGTERM');
  assert.equal(await gateway.exited, 0);
});
