import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type ClientHttp2Session, connect } from 'node:http2';
import type { Writable } from 'node:stream';
import { test } from 'node:test';
import { startHttpBackend } from '../agents/http-backend.ts';
import { allQuiet, eventually } from '../relay/gateway-in-test.ts';
import { servicePlan } from '../support/plans.ts';
import { RawBackend } from '../support/raw-backend.ts';
import { FrameClient, frame, request, TYPE, uint32 } from './frames.ts';
import { answerOf, frameStage, http2Gateway, nodeClient } from './http2-stage.ts';

const MIB = 1024 * 1024;
/** What lies in sockets between a backend and a reader that has stopped. */
const IN_SOCKETS = 8 * MIB;

function ping(session: ClientHttp2Session): Promise<void> {
  return new Promise((resolve, reject) =>
    session.ping((error) => (error === null ? resolve() : reject(error))),
  );
}

/** Writes `size` bytes as fast as they are taken, and ends. */
function fill(to: Writable, size: number, wrote: (part: Buffer) => void): void {
  const part = Buffer.alloc(MIB, 'p');
  let left = size;
  const more = (): void => {
    while (left > 0) {
      left -= part.length;
      wrote(part);
      if (!to.write(part)) break;
    }
    if (left > 0) to.once('drain', more);
    else to.end();
  };
  more();
}

/** Waits until `count` has come to rest: it stays as it is while others are answered. */
async function standsStill(session: ClientHttp2Session, count: () => number): Promise<void> {
  let seen = -1;
  while (seen !== count()) {
    seen = count();
    for (let n = 0; n < 20; n++) await ping(session);
  }
}

test('a client that stops reading stops the backend, and then gets the rest', async (t) => {
  const size = 64 * MIB;
  let written = 0;
  const backend = await startHttpBackend(t, (_request, response) => {
    response.setHeader('content-length', size);
    fill(response, size, (part) => {
      written += part.length;
    });
  });
  const gateway = await http2Gateway(t, [backend.port]);
  const session = await nodeClient(t, gateway.port);
  const stream = session.request({ ':path': '/' });
  await once(stream, 'response');
  await standsStill(session, () => written);
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
  fill(stream, size, (part) => {
    written += part.length;
    sent.update(part);
  });
  await eventually(() => resumeNow !== undefined);
  await standsStill(session, () => written);
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
    service: { pool: { ...servicePlan([]).pool, queueTimeoutMs: 5_000, maxConnections: 1 } },
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
  const { client } = await frameStage(
    t,
    RawBackend.answering(`HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n${'w'.repeat(100_000)}`),
  );
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
