import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { ReadBuffers } from '../../src/data/read-buffers.ts';
import { TlsAcceptor } from '../../src/data/tls/tls-acceptor.ts';
import { Wire, type WireReader } from '../../src/data/wire.ts';
import { RawClient } from '../support/raw-client.ts';
import { certificateFor, TlsClient, tlsPlan } from './tls-stage.ts';

const certificate = certificateFor('a.example');
const IDLE: WireReader = { onConnect() {}, onBytes() {}, onEnd() {}, onDrain() {}, onClose() {} };

interface Pair {
  readonly wire: Wire;
  readonly client: TlsClient;
  readonly buffers: ReadBuffers;
}

/** With what Node does not document, with half of it, and as another Node might have it. */
const HOW = ['past the stream', 'through the stream', 'by events'] as const;
type How = (typeof HOW)[number];

function hideHandle(socket: TLSSocket): void {
  const { _handle } = socket as unknown as { _handle: object };
  Object.defineProperty(_handle, 'useUserBuffer', { value: undefined });
}

/** A wire over a secure socket, and who is at the other end. */
async function pair(t: TestContext, how: How, reader: WireReader = IDLE): Promise<Pair> {
  const buffers = new ReadBuffers();
  if (how === 'past the stream') await learn(t, buffers);
  const acceptor = new TlsAcceptor(tlsPlan([certificate]), { ticketKeys: Buffer.alloc(48), http2: false });
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true });
  const secure = new Promise<TLSSocket>((resolve) => {
    server.on('connection', (socket) => acceptor.accept(socket, resolve));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const client = new TlsClient(t, (server.address() as AddressInfo).port, { ca: certificate.ca });
  const socket = await secure;
  if (how === 'by events') hideHandle(socket);
  const wire = Wire.accept(socket, reader, buffers);
  t.after(() => wire.destroy());
  return { wire, client, buffers };
}

/** Has `buffers` learn from a first write in the clear how Node writes. */
async function learn(t: TestContext, buffers: ReadBuffers): Promise<void> {
  const server = createServer({ pauseOnConnect: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const connected = once(server, 'connection');
  const client = await RawClient.open((server.address() as AddressInfo).port);
  const [socket] = (await connected) as [Socket];
  const wire = Wire.accept(socket, IDLE, buffers);
  wire.text('x');
  wire.flush();
  await client.contains('x');
  wire.destroy();
  client.socket.destroy();
  assert.equal(buffers.directWrites.supported, true);
}

for (const how of HOW) {
  test(`${how}: the buffer that all sockets share may be overwritten as soon as a write returns`, async (t) => {
    const { wire, client, buffers } = await pair(t, how);
    let expected = '';
    for (const [letter, size] of [...'abcdefgh'].map((each, at) => [each, 5_000 + at * 9_000] as const)) {
      buffers.shared.fill(letter, 0, size);
      wire.bytes(buffers.shared, 0, size);
      wire.text(`<${letter}>`);
      if (size % 2 === 0) wire.flush();
      expected += `${letter.repeat(size)}<${letter}>`;
      buffers.shared.fill('!', 0, size);
    }
    wire.end();
    assert.equal(await client.end(), expected);
  });

  test(`${how}: after a pause comes no more than what was decrypted already, and all of it after that`, async (t) => {
    let read = 0;
    const ended = Promise.withResolvers<void>();
    const reader = {
      ...IDLE,
      onBytes: (_bytes: Buffer, length: number) => {
        read += length;
        here.wire.pause();
      },
      onEnd: () => ended.resolve(),
    };
    const here = await pair(t, how, reader);
    const size = 4 * 1024 * 1024;
    here.client.socket.end(Buffer.alloc(size));
    let pauses = 0;
    for (let before = 0; read < size; before = read) {
      while (read === before) await new Promise(setImmediate);
      // a read of the kernel's, and what of an earlier one was not decrypted yet
      assert.ok(read - before <= 256 * 1024, `${read - before} bytes`);
      pauses += 1;
      here.wire.resume();
    }
    here.wire.resume();
    await ended.promise;
    assert.equal(read, size);
    assert.ok(pauses > 8);
  });

  test(`${how}: a wire that is destroyed says so once, whatever was under way`, async (t) => {
    const closed: (Error | undefined)[] = [];
    const reader = { ...IDLE, onClose: (error: Error | undefined) => void closed.push(error) };
    const { wire, client } = await pair(t, how, reader);
    wire.bytes(Buffer.alloc(500_000), 0, 500_000);
    wire.text('more');
    wire.flush();
    wire.destroy();
    wire.text('late');
    wire.flush();
    wire.pause();
    wire.resume();
    wire.end();
    await client.end();
    assert.deepEqual([closed, wire.closed, wire.pendingBytes], [[undefined], true, 0]);
  });
}
