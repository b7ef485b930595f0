import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type ClientHttp2Session, connect } from 'node:http2';
import { test } from 'node:test';
import { startHttpBackend } from '../agents/http-backend.ts';
import { allQuiet, eventually } from '../relay/gateway-in-test.ts';
import { RawBackend } from '../support/raw-backend.ts';
import { FrameClient, frame, request, TYPE, uint32 } from './frames.ts';
import { answerOf, http2Gateway, nodeClient } from './http2-stage.ts';

const MIB = 1024 * 1024;
/** What lies in sockets between a backend and a reader that has stopped. */
const IN_SOCKETS = 8 * MIB;

const POOL = {
  maxConnections: 128,
  maxQueue: 256,
  queueTimeoutMs: 5_000,
  idleTimeoutMs: 4_000,
  maxRequests: 10_000,
  maxAgeMs: 600_000,
};

function ping(session: ClientHttp2Session): Promise<void> {
  return new Promise((resolve, reject) =>
    session.ping((error) => (error === null ? resolve() : reject(error))),
  );
}

test('a client that stops reading stops the backend, and then gets the rest', async (t) => {
  const size = 64 * MIB;
  let written = 0;
  const backend = await startHttpBackend(t, (_request, response) => {
    response.setHeader('content-length', size);
    const part = Buffer.alloc(MIB, 'p');
    const more = (): void => {
      while (written < size) {
        written += part.length;
        if (!response.write(part)) break;
      }
      if (written < size) response.once('drain', more);
      else response.end();
    };
    more();
  });
  const gateway = await http2Gateway(t, [backend.port]);
  const session = await nodeClient(t, gateway.port);
  const stream = session.request({ ':path': '/' });
  await once(stream, 'response');
  let seen = -1;
  // it has come to rest when nothing more is written while other requests are answered
  while (seen !== written) {
    seen = written;
    for (let n = 0; n < 20; n++) await ping(session);
  }
  assert.ok(written < IN_SOCKETS, `${written} bytes were written for a reader that reads none`);
  let received = 0;
  stream.on('data', (bytes: Buffer) => {
    received += bytes.length;
  });
  await once(stream, 'end');
  assert.equal(received, size);
});

test('a backend that stops reading stops the client, and then gets the rest', async (t) => {
  const size = 32 * MIB;
  const hash = createHash('sha256');
  let received = 0;
  let resumeNow: (() => void) | undefined;
  const slow = await startHttpBackend(t, (incoming, response) => {
    incoming.pause();
    resumeNow = () => {
      incoming.on('data', (bytes: Buffer) => {
        received += bytes.length;
        hash.update(bytes);
      });
      incoming.on('end', () => response.end(hash.digest('hex')));
      incoming.resume();
    };
  });
  const gateway = await http2Gateway(t, [slow.port], { route: { maxBodyBytes: size } });
  const session = await nodeClient(t, gateway.port);
  const stream = session.request({ ':method': 'POST' }, { endStream: false });
  const answer = answerOf(stream);
  const sent = createHash('sha256');
  let written = 0;
  const part = Buffer.alloc(MIB, 'q');
  const more = (): void => {
    while (written < size) {
      written += part.length;
      sent.update(part);
      if (!stream.write(part)) break;
    }
    if (written < size) stream.once('drain', more);
    else stream.end();
  };
  more();
  await eventually(() => resumeNow !== undefined);
  let seen = -1;
  while (seen !== written) {
    seen = written;
    for (let n = 0; n < 20; n++) await ping(session);
  }
  assert.ok(written < IN_SOCKETS, `${written} bytes were taken for a backend that reads none`);
  resumeNow?.();
  assert.equal((await answer).body.toString(), sent.digest('hex'));
  assert.equal(received, size);
});

test('a hundred readers that read nothing cost a bounded amount of memory', async (t) => {
  const backend = await startHttpBackend(t, (_request, response) => {
    response.writeHead(200);
    const part = Buffer.alloc(256 * 1024, 'p');
    const more = (): void => {
      while (response.write(part));
      response.once('drain', more);
    };
    more();
  });
  const gateway = await http2Gateway(t, [backend.port]);
  const client = await FrameClient.open(t, gateway.port);
  for (let n = 0; n < 100; n++) client.headers(2 * n + 1, request());
  // no stream has more than the window that all start with, and none is ever given more
  await eventually(() => client.frames.filter(({ type }) => type === TYPE.HEADERS).length === 100);
  await client.ping();
  const before = process.memoryUsage().arrayBuffers;
  for (let n = 0; n < 50; n++) await client.ping();
  const later = process.memoryUsage().arrayBuffers;
  assert.ok(later - before < 40 * MIB, `${later - before} more bytes`);
  assert.ok(later < 200 * MIB, `${later} bytes`);
  client.socket.destroy();
  await allQuiet(gateway);
});

test('what a client may send ahead is what it was told', async (t) => {
  const backend = await RawBackend.start();
  t.after(() => backend.stop());
  const gateway = await http2Gateway(t, [backend.port], {
    listener: { http2: { maxStreams: 10, initialWindowBytes: 100_000 } },
    service: { pool: { ...POOL, maxConnections: 1 } },
  });
  const session = connect(`http://127.0.0.1:${gateway.port}`);
  t.after(() => session.destroy());
  session.on('error', () => {});
  await once(session, 'remoteSettings');
  assert.equal(session.remoteSettings.initialWindowSize, 100_000);
  assert.equal(session.remoteSettings.maxConcurrentStreams, 10);
  // the first takes the only connection, so that nothing of the second is read
  session.request({ ':path': '/' }).on('error', () => {});
  await backend.until(({ received }) => received.includes('\r\n\r\n'));
  const stream = session.request({ ':method': 'POST' }, { endStream: false });
  stream.on('error', () => {});
  stream.write(Buffer.alloc(300_000));
  for (let n = 0; n < 20; n++) await ping(session);
  assert.ok(stream.bufferSize >= 200_000);
});

test('WINDOW_UPDATE lets an answer go on where it stopped', async (t) => {
  const backend = await RawBackend.answering(
    `HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n${'w'.repeat(100_000)}`,
  );
  t.after(() => backend.stop());
  const gateway = await http2Gateway(t, [backend.port]);
  const client = await FrameClient.open(t, gateway.port);
  client.headers(1, request());
  await eventually(() => client.body(1).length === 65_535);
  await client.ping();
  assert.equal(client.body(1).length, 65_535);
  client.send(
    frame(TYPE.WINDOW_UPDATE, 0, 0, uint32(50_000)),
    frame(TYPE.WINDOW_UPDATE, 0, 1, uint32(50_000)),
  );
  assert.equal(await client.ended(1), 'end');
  assert.equal(client.body(1), 'w'.repeat(100_000));
});
