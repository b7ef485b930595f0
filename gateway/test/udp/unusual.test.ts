import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { DirectSends } from '../../src/data/layer4/udp-direct-sends.ts';
import { UdpSocket } from '../../src/data/layer4/udp-socket.ts';
import { eventually } from '../relay/gateway-in-test.ts';
import { hasPrlimit } from '../restarts/has-prlimit.ts';
import { echo, UdpBackend, UdpClient } from './udp-stage.ts';

/** As if this Node kept its handles elsewhere. */
class NoHandles extends DirectSends {
  override handleOf(): undefined {
    return undefined;
  }
}

async function connected(t: TestContext, sends: DirectSends, port: number) {
  const seen: string[] = [];
  const reader = {
    onDatagram: (bytes: Buffer) => void seen.push(bytes.toString()),
    onSocketError: (code: string) => void seen.push(code),
  };
  const socket = UdpSocket.connect('127.0.0.1', port, sends, reader);
  t.after(() => socket.close());
  return { socket, seen };
}

for (const sends of [new DirectSends(), new NoHandles()]) {
  const how = sends instanceof NoHandles ? 'the documented way' : 'through its handle';

  test(`a connected socket sends ${how}, and hears that nobody listens`, async (t) => {
    const backend = await UdpBackend.start(t, echo);
    const { socket, seen } = await connected(t, sends, backend.port);
    for (const text of ['1', '2', '3']) assert.equal(socket.send(Buffer.from(text)), undefined);
    await eventually(() => seen.length === 3);
    assert.deepEqual(seen, ['1', '2', '3']);
    assert.equal(sends.connected !== undefined, how === 'through its handle');
    await backend.stop();
    assert.equal(socket.send(Buffer.from('4')), undefined);
    await eventually(() => seen.length === 4);
    assert.equal(seen[3], 'ECONNREFUSED');
  });

  test(`a socket that listens answers ${how}`, async (t) => {
    const socket = await UdpSocket.listen('127.0.0.1', 0, 65_536, sends, {
      onDatagram: (bytes, from) => void socket.sendTo(bytes, from.port, from.address),
      onSocketError: (code) => assert.fail(code),
    });
    t.after(() => socket.close());
    const client = new UdpClient(t, socket.port);
    for (const text of ['1', '', '3']) assert.equal(await client.ask(text), text);
    assert.equal(sends.unconnected !== undefined, how === 'through its handle');
  });

  test(`a datagram that is too large is refused ${how}, and the next one is sent`, async (t) => {
    const backend = await UdpBackend.start(t, echo);
    const { socket, seen } = await connected(t, sends, backend.port);
    socket.send(Buffer.from('1'));
    const code = socket.send(Buffer.alloc(65_508));
    if (code !== undefined) seen.push(code);
    await eventually(() => seen.length === 2);
    socket.send(Buffer.from('2'));
    await eventually(() => seen.length === 3);
    assert.deepEqual(seen.toSorted(), ['1', '2', 'EMSGSIZE']);
  });
}

test('a handle that makes its requests of something else is left alone', () => {
  const sends = new DirectSends();
  const socket = createSocket('udp4');
  const handle = sends.handleOf(socket);
  socket.close();
  assert.equal(typeof handle?.send, 'function');
  const bytes = Buffer.from('x');
  const odd = { send: () => bytes.length + 1 };
  sends.watchConnected(odd, bytes, () => (odd.send as (...args: unknown[]) => number)({}, [bytes], 1, false));
  assert.equal(sends.connected, undefined);
});

test('out of descriptors: datagrams are dropped and counted, clients that are there are served', {
  skip: !hasPrlimit(),
}, async (t) => {
  const backend = await UdpBackend.start(t, echo);
  const script = join(import.meta.dirname, 'few-descriptors.ts');
  const command = ['--nofile=64:64', process.execPath, script, String(backend.port)];
  const child = spawn('prlimit', command, { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  t.after(() => child.kill());
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const port = Number((await lines.next()).value);
  const first = new UdpClient(t, port);
  await first.ask('first');
  for (let i = 0; i < 100; i++) new UdpClient(t, port).send(`${i}`);
  assert.equal((await lines.next()).value, 'out_of_sockets');
  assert.equal(await first.ask('still here'), 'still here');
  child.stdin.end();
  assert.deepEqual(await exited, [0, null]);
});
