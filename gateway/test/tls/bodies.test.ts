import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import * as https from 'node:https';
import { connect } from 'node:net';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { ConnectionOptions } from 'node:tls';
import { allQuiet, eventually, startGateway } from '../relay/gateway-in-test.ts';
import { pattern, sha256 } from '../relay/pattern.ts';
import { plan } from '../support/plans.ts';
import { RawBackend } from '../support/raw-backend.ts';
import { certificateFor, TlsClient, tlsPlan, tlsStage } from './tls-stage.ts';

const certificate = certificateFor('a.example');
const { ca } = certificate;
const MIB = 1024 * 1024;
/** Around the sizes of records, reads and copies. */
const SIZES = [0, 1, 8_191, 8_192, 8_193, 16_383, 16_384, 16_385, 100_000, 163_840, 262_145, 3 * MIB + 7];

/** Sums up what comes, and sends `?size` bytes back, with a length or in chunks. */
const serve: RequestListener = (request, response) => {
  const query = new URL(request.url ?? '', 'http://backend').searchParams;
  const hash = createHash('sha256');
  request.on('data', (bytes: Buffer) => hash.update(bytes));
  request.on('end', () => {
    response.setHeader('X-Sum', hash.digest('hex'));
    const body = pattern(1, Number(query.get('size')));
    if (query.get('chunked') === null) response.setHeader('Content-Length', body.length);
    else response.write(body.subarray(0, 10));
    response.end(query.get('chunked') === null ? body : body.subarray(10));
  });
};
const UPGRADE = 'Connection: Upgrade\r\nUpgrade: echo\r\n';
const route = { maxBodyBytes: 64 * MIB };

interface Answer {
  readonly sum: string;
  readonly body: string;
}

/** @param slow whether the body of the answer is read a little at a time */
async function ask(port: number, path: string, body: Buffer, slow = false): Promise<Answer> {
  const agent = new https.Agent({ ca, servername: 'a.example', keepAlive: false });
  const request = https.request({ port, host: '127.0.0.1', path, method: 'POST', agent });
  request.end(body);
  const [response] = await once(request, 'response');
  const hash = createHash('sha256');
  for await (const bytes of response) {
    hash.update(bytes);
    if (slow) await turn();
  }
  return { sum: response.headers['x-sum'], body: hash.digest('hex') };
}

test('bodies of every size arrive whole, both ways at once', async (t) => {
  const { port } = await tlsStage(t, tlsPlan([certificate]), { route }, serve);
  await Promise.all(
    SIZES.flatMap((size, index) =>
      [`/?size=${size}`, `/?size=${size}&chunked=`].map(async (path) => {
        const upload = pattern(index, SIZES[SIZES.length - 1 - index] ?? 0);
        const answer = await ask(port, path, upload);
        assert.deepEqual(answer, { sum: sha256(upload), body: sha256(pattern(1, size)) }, path);
      }),
    ),
  );
});

test('a large body for a slow reader arrives whole', async (t) => {
  const { port, gateway } = await tlsStage(t, tlsPlan([certificate]), { route }, serve);
  const size = 24 * MIB;
  const answers = await Promise.all([1, 2].map(() => ask(port, `/?size=${size}`, Buffer.alloc(0), true)));
  for (const { body } of answers) assert.equal(body, sha256(pattern(1, size)));
  assert.equal(gateway.data.services[0]?.backends[0]?.pending, 0);
});

test('what a client does not read is not gathered: its backend is held back', async (t) => {
  let written = 0;
  const stage = await tlsStage(t, tlsPlan([certificate]), {}, (_request, response) => {
    const block = Buffer.alloc(MIB, 'x');
    const more = (): void => {
      do written += block.length;
      while (response.write(block));
    };
    response.on('drain', more).on('error', () => {});
    more();
  });
  const client = await TlsClient.open(t, stage.port, { ca });
  client.socket.pause();
  client.get();
  await eventually(() => written > 0);
  // it stands still once the kernel's buffers are full
  let before = -1;
  let looks = 0;
  await eventually(() => {
    looks = before === written ? looks + 1 : 0;
    before = written;
    return looks === 20;
  });
  assert.ok(written < 64 * MIB, `${written} bytes`);
  client.socket.destroy();
  await allQuiet(stage);
  assert.equal(stage.ended[0]?.failure, 'client_left');
});

test('a client that goes in the middle of its upload, or of its answer, ends the work behind it', async (t) => {
  const stage = await tlsStage(t, tlsPlan([certificate]), { route }, (request, response) => {
    if (request.method === 'GET') response.write(Buffer.alloc(100_000, 'x'));
    request.resume();
  });
  const uploading = await TlsClient.open(t, stage.port, { ca });
  uploading.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n${'x'.repeat(200_000)}`);
  const below = connect(stage.port, '127.0.0.1');
  const reading = await TlsClient.open(t, stage.port, { ca, socket: below });
  await reading.get().until((received) => received.length > 50_000);
  await eventually(() => stage.backends[0]?.pending === 2);
  uploading.socket.destroy();
  below.resetAndDestroy();
  await allQuiet(stage);
  assert.deepEqual(
    stage.ended.map(({ failure }) => failure),
    ['client_left', 'client_left'],
  );
});

test('pipelined requests are answered in their order, in one write or byte by byte', async (t) => {
  const { port } = await tlsStage(t, tlsPlan([certificate]), {}, ({ url }, response) => {
    response.end(`<${url}>`);
  });
  const paths = Array.from({ length: 40 }, (_, at) => `/${at}`);
  const requests = paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: a.example\r\n\r\n`).join('');
  const expected = paths.map((path) => `<${path}>`).join('');
  const answered = (received: string): boolean => (received.match(/<\/\d+>/g) ?? []).join('') === expected;
  for (const pieces of [[requests], requests.slice(0, 400).split('').concat(requests.slice(400))]) {
    const client = await TlsClient.open(t, port, { ca });
    for (const piece of pieces) client.send(piece);
    await client.until(answered);
  }
});

test('a client that closes its half after the request still gets its answer', async (t) => {
  const { port } = await tlsStage(t, tlsPlan([certificate]), {}, (_request, response) => {
    setImmediate(() => response.end('late'));
  });
  const halfOpen: ConnectionOptions & { allowHalfOpen: boolean } = { ca, allowHalfOpen: true };
  const client = await TlsClient.open(t, port, halfOpen);
  client.get().socket.end();
  assert.match(await client.contains('late'), /200 OK/);
});

test('an answer that breaks off does not look whole', async (t) => {
  const { port } = await tlsStage(t, tlsPlan([certificate]), {}, (_request, response) => {
    response.writeHead(200, { 'Content-Length': 100_000 });
    response.write(Buffer.alloc(50_000, 'x'), () => response.destroy());
  });
  const client = await TlsClient.open(t, port, { ca });
  assert.ok((await client.get().end()).length < 100_000);
});

test('requests before any that was served, over a new gateway, are answered at once', async (t) => {
  // the first write of a gateway goes the documented way, which is watched
  const { port } = await tlsStage(t, tlsPlan([certificate]), {}, undefined);
  const client = await TlsClient.open(t, port, { ca });
  client.send('GET / HTTP/1.0\r\n\r\n');
  assert.match(await client.end(), /ok$/);
  const bad = await TlsClient.open(t, port, { ca });
  bad.send('GET\r\n\r\n');
  assert.match(await bad.end(), /^HTTP\/1\.1 400 /);
});

test('what a client and a backend speak after an upgrade arrives whole, both ways', async (t) => {
  const size = 2 * MIB;
  const backend = await RawBackend.start(({ socket, received }, data) => {
    const head = received.indexOf('\r\n\r\n') + 4;
    if (received.length > data.length) socket.write(data, 'latin1');
    else socket.write(`HTTP/1.1 101 Switching Protocols\r\n${UPGRADE}\r\n${received.slice(head)}`, 'latin1');
  });
  t.after(() => backend.stop());
  const whole = plan([backend.port], { listener: { tls: tlsPlan([certificate]) } });
  const { port } = await startGateway(t, whole);
  const client = await TlsClient.open(t, port, { ca });
  await client.send(`GET / HTTP/1.1\r\nHost: a\r\n${UPGRADE}\r\n`).contains('\r\n\r\n');
  const sent = pattern(7, size);
  const start = client.received.length;
  client.socket.write(sent);
  await client.until((received) => received.length >= start + size);
  assert.equal(sha256(Buffer.from(client.received.slice(start), 'latin1')), sha256(sent));
});

test('curl sends and gets a large body', async (t) => {
  const { port } = await tlsStage(t, tlsPlan([certificate]), { route }, (request, response) => {
    request.pipe(response);
  });
  const url = `https://127.0.0.1:${port}/`;
  const args = ['-sk', '--http1.1', '-H', 'Expect:', '--data-binary', '@-', url];
  const curl = spawn('curl', args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const body = pattern(9, 5 * MIB + 3);
  curl.stdin.end(body);
  const parts: Buffer[] = [];
  for await (const part of curl.stdout) parts.push(part as Buffer);
  assert.equal(sha256(Buffer.concat(parts)), sha256(body));
});
