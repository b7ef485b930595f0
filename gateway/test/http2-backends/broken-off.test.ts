import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import * as http2 from 'node:http2';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { startGateway } from '../relay/gateway-in-test.ts';
import { backendPlan, plan, servicePlan } from '../support/plans.ts';

const PREFACE_BYTES = 24;
const HEAD_BYTES = 9;
const DATA = 0;
const RST_STREAM = 3;
const SETTINGS = 4;
const END_STREAM = 1;
const ACK = 1;

/** Frames of streams that an HTTP/2 backend gets, as they stand on the wire: `DATA`, `DATA END_STREAM`, `RST_STREAM`. */
async function framesOnTheWire(t: TestContext): Promise<{
  readonly port: number;
  readonly frames: readonly string[];
  until(frame: string): Promise<void>;
}> {
  const frames: string[] = [];
  let looked = (): void => {};
  const server = createServer((socket) =>
    read(socket, (frame) => {
      frames.push(frame);
      looked();
    }),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    frames,
    until: (frame) =>
      new Promise((resolve) => {
        looked = () => {
          if (frames.some((one) => one.startsWith(frame))) resolve();
        };
        looked();
      }),
  };
}

function read(socket: Socket, told: (frame: string) => void): void {
  let bytes = Buffer.alloc(0);
  let preface = true;
  socket.on('error', () => {});
  socket.write(Buffer.from([0, 0, 0, SETTINGS, 0, 0, 0, 0, 0]));
  socket.on('data', (more: Buffer) => {
    bytes = Buffer.concat([bytes, more]);
    if (preface && bytes.length >= PREFACE_BYTES) {
      preface = false;
      bytes = bytes.subarray(PREFACE_BYTES);
    }
    while (!preface && bytes.length >= HEAD_BYTES) {
      const length = bytes.readUIntBE(0, 3);
      const [type, flags = 0] = [bytes[3], bytes[4]];
      if (bytes.length < HEAD_BYTES + length) return;
      bytes = bytes.subarray(HEAD_BYTES + length);
      if (type === SETTINGS && (flags & ACK) === 0)
        socket.write(Buffer.from([0, 0, 0, SETTINGS, ACK, 0, 0, 0, 0]));
      else if (type === DATA) told((flags & END_STREAM) === 0 ? 'DATA' : 'DATA END_STREAM');
      else if (type === RST_STREAM) told('RST_STREAM');
    }
  });
}

for (const [what, headers] of [
  ['of unknown length', { 'transfer-encoding': 'chunked' }],
  ['of a gRPC call', { 'transfer-encoding': 'chunked', 'content-type': 'application/grpc' }],
  ['of a known length', { 'content-length': '1000' }],
] as const) {
  test(`an upload ${what} whose client leaves is never complete for the backend`, async (t) => {
    const wire = await framesOnTheWire(t);
    const backends = [backendPlan(wire.port, { protocol: 'h2c' })];
    const { port } = await startGateway(t, plan([], { services: [servicePlan([], { backends })] }));
    const client = request({ port, host: '127.0.0.1', method: 'POST', agent: false, headers });
    client.on('error', () => {});
    client.write('some of it');
    await wire.until('DATA');
    client.destroy();
    await wire.until('RST_STREAM');
    assert.deepEqual(wire.frames, ['DATA', 'RST_STREAM']);
  });
}

test('a backend that answers before it has the whole request ends nothing but that request', async (t) => {
  const server = http2.createServer();
  server.on('stream', (stream: http2.ServerHttp2Stream) => {
    stream.on('error', () => {});
    stream.once('data', () => {
      stream.respond({ ':status': 413 });
      stream.end('no');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => void server.close());
  const backends = [backendPlan((server.address() as AddressInfo).port, { protocol: 'h2c' })];
  const { port } = await startGateway(t, plan([], { services: [servicePlan([], { backends })] }));
  for (let length = 1; length < 100; length += 1) {
    const client = request({ port, host: '127.0.0.1', method: 'POST', agent: false });
    client.on('error', () => {});
    client.setHeader('transfer-encoding', 'chunked');
    client.write('x'.repeat(length * 100));
    // some end in the turn in which the answer comes, some before, and some never
    if (length % 3 === 0) client.end();
    else if (length % 3 === 1) setImmediate(() => client.end('more'));
    const [answer] = await once(client, 'response');
    assert.equal(answer.statusCode, 413);
    answer.resume();
    await once(answer, 'close');
    client.destroy();
  }
});
