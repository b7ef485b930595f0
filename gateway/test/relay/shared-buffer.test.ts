import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import * as tls from 'node:tls';
import { makeCertificate } from '../agents/certificates.ts';
import { backendPlan, plan, servicePlan } from '../support/plans.ts';
import { type GatewayInTest, startGateway } from './gateway-in-test.ts';
import { pattern, sha256 } from './pattern.ts';

// Every connection reads into the same memory. Here many of them have writes pending at once, because nobody reads
// until all are stuck: were a pending write to refer to that memory, it would go out with another connection's bytes.

const CONNECTIONS = 6;
/** More than the kernel holds for two connections on loopback. */
const BODY_BYTES = 14 * 1024 * 1024;
const BODIES = Array.from({ length: CONNECTIONS }, (_, seed) => pattern(seed, BODY_BYTES));
const SUMS = BODIES.map(sha256);

const NONE = Buffer.alloc(0);

type Framing = 'length' | 'chunked' | 'close' | 'tunnel';

/** Sends `body` in pieces whose sizes are unlike one another; resolves when it is out. */
async function pour(socket: Socket, body: Buffer, framing: Framing): Promise<void> {
  for (let at = 0, size = 700; at < body.length; at += size, size = (size * 7) % 150_001 || 1) {
    const piece = body.subarray(at, at + size);
    if (framing === 'chunked') socket.write(`${piece.length.toString(16)}\r\n`);
    const more = socket.write(piece);
    if (framing === 'chunked') socket.write('\r\n');
    if (!more) await once(socket, 'drain');
  }
  if (framing === 'chunked') socket.write('0\r\n\r\n');
}

/** Waits until none of `sockets` could write anything for a while: every buffer on the way is full, of most of them. */
async function allStuck(sockets: readonly Socket[]): Promise<void> {
  const written = (): number =>
    sockets.reduce((sum, socket) => sum + socket.bytesWritten - socket.writableLength, 0);
  for (let before = -1, quiet = 0; quiet < 4; ) {
    await delay(20, undefined, { ref: false });
    const now = written();
    const stuck = sockets.filter(({ writableLength }) => writableLength > 0).length;
    quiet = stuck >= CONNECTIONS / 2 && now === before ? quiet + 1 : 0;
    before = now;
  }
}

/** Decodes the chunked coding. */
function unchunk(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at);
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    if (size === 0) return Buffer.concat(parts);
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
}

/** Reads a body, and the head before it where `headed`, to its end. */
async function readBody(socket: Socket, headed: boolean, chunked: boolean): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  let headBytes = headed ? -1 : 0;
  let tail = '';
  for await (const part of socket as AsyncIterable<Buffer>) {
    parts.push(part);
    size += part.length;
    if (headBytes < 0) headBytes = Buffer.concat(parts).indexOf('\r\n\r\n') + 4;
    tail = (tail + part.toString('latin1', part.length - 5)).slice(-5);
    if (chunked ? tail === '0\r\n\r\n' : size === headBytes + BODY_BYTES) break;
  }
  const body = Buffer.concat(parts).subarray(headBytes);
  return chunked ? unchunk(body) : body;
}

interface Listening {
  readonly port: number;
  readonly sockets: Socket[];
}

/** A backend whose answers to nothing are the test's own; plain or TLS. */
async function startBackend(
  t: TestContext,
  secure: boolean,
  onHead: (socket: Socket, head: string) => void,
): Promise<Listening & { ca: string | undefined }> {
  const certificate = secure ? makeCertificate({ names: ['IP:127.0.0.1'] }) : undefined;
  const sockets: Socket[] = [];
  const accept = (socket: Socket): void => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.once('readable', () => {
      const first = socket.read() as Buffer | null;
      if (first === null) return;
      const end = first.indexOf('\r\n\r\n') + 4;
      if (end < first.length) socket.unshift(first.subarray(end));
      onHead(socket, first.toString('latin1', 0, end));
    });
  };
  const server =
    certificate === undefined
      ? createServer(accept)
      : tls.createServer({ key: certificate.key, cert: certificate.cert }, accept);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { port: (server.address() as AddressInfo).port, sockets, ca: certificate?.ca };
}

function planFor(port: number, ca: string | undefined) {
  const backends = [backendPlan(port, { protocol: ca === undefined ? 'http' : 'https' })];
  const service = servicePlan([], { backends, tls: { ca, serverName: undefined, verify: true } });
  return plan([], { services: [service], route: { maxBodyBytes: 2 * BODY_BYTES } });
}

async function openClients(t: TestContext, { port }: GatewayInTest): Promise<Socket[]> {
  const sockets = Array.from({ length: CONNECTIONS }, () => connect({ port, host: '127.0.0.1' }));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  return sockets;
}

const ANSWER_HEAD: Readonly<Record<Framing, string>> = {
  length: `HTTP/1.1 200 OK\r\nContent-Length: ${BODY_BYTES}\r\n\r\n`,
  chunked: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
  close: 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n',
  tunnel: 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n',
};

const requestHead = (framing: Framing, seed: number): string =>
  `GET /${seed} HTTP/1.1\r\nHost: a\r\n${framing === 'tunnel' ? 'Connection: Upgrade\r\nUpgrade: raw\r\n' : ''}\r\n`;

for (const secure of [false, true]) {
  for (const framing of ['length', 'chunked', 'close', 'tunnel'] as const) {
    test(`down, ${framing}, from ${secure ? 'TLS' : 'plain'} backends: bytes stuck on many connections stay those of their own`, async (t) => {
      const { port, ca, sockets } = await startBackend(t, secure, (socket, head) => {
        const seed = Number(/^GET \/(\d+)/.exec(head)?.[1]);
        socket.write(ANSWER_HEAD[framing]);
        void pour(socket, BODIES[seed] ?? NONE, framing).then(
          () => {
            if (framing === 'close') socket.end();
          },
          () => {},
        );
      });
      const clients = await openClients(t, await startGateway(t, planFor(port, ca)));
      for (const [seed, client] of clients.entries()) client.pause().write(requestHead(framing, seed));
      await allStuck(sockets);
      // a body that ends with its connection is sent on in chunks
      const chunked = framing === 'chunked' || framing === 'close';
      const received = await Promise.all(clients.map((client) => readBody(client, true, chunked)));
      for (const [seed, body] of received.entries()) {
        assert.equal(sha256(body), SUMS[seed], `connection ${seed}`);
      }
    });
  }

  for (const framing of ['length', 'chunked', 'tunnel'] as const) {
    test(`up, ${framing}, to ${secure ? 'TLS' : 'plain'} backends: bytes stuck on many connections stay those of their own`, async (t) => {
      const waiting: { readonly socket: Socket; readonly seed: number }[] = [];
      const { port, ca } = await startBackend(t, secure, (socket, head) => {
        const seed = Number(/^(?:GET|PUT) \/(\d+)/.exec(head)?.[1]);
        if (framing === 'tunnel') socket.write(ANSWER_HEAD.tunnel);
        waiting.push({ socket, seed });
      });
      const clients = await openClients(t, await startGateway(t, planFor(port, ca)));
      const poured = clients.map(async (client, seed) => {
        const framed = framing === 'length' ? `Content-Length: ${BODY_BYTES}` : 'Transfer-Encoding: chunked';
        client.write(
          framing === 'tunnel'
            ? requestHead(framing, seed)
            : `PUT /${seed} HTTP/1.1\r\nHost: a\r\n${framed}\r\n\r\n`,
        );
        if (framing === 'tunnel') await once(client, 'data');
        await pour(client, BODIES[seed] ?? NONE, framing);
      });
      while (waiting.length < CONNECTIONS) await delay(2);
      await allStuck(clients);
      const received = await Promise.all(
        waiting.map(({ socket }) => readBody(socket, false, framing === 'chunked')),
      );
      for (const [i, body] of received.entries()) {
        const seed = waiting[i]?.seed ?? -1;
        assert.equal(sha256(body), SUMS[seed], `connection ${seed}`);
      }
      await Promise.all(poured);
    });
  }
}
